"""Spans through a sign-in, a renewal and the calls to others; what they may say, and that there are none unasked."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from entrada import tracing
from tests.front_door import AUTH, BASE, SECRET, SESSION, FrontDoor, running
from tests.journeys.test_people_change import ROOT, house_of
from tests.servers import redis_server

HOST = "portal.birch.example"
ALLOWED = {"server.address", "http.response.status_code", "error.type", "db.system.name"}


class Heard:
    """An application that notes the headers of each request before it answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.requests: list[tuple[str, dict[str, str]]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.requests.append((scope["path"], headers))
        await self._app(scope, receive, send)


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    """What the application configures: a provider, once in a process."""
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    trace.set_tracer_provider(provider)
    return kept


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    tracing.turn_off()


def ours(spans: InMemorySpanExporter) -> list[ReadableSpan]:
    """Return the spans that are not FastAPI's."""
    found = spans.get_finished_spans()
    return [span for span in found if span.instrumentation_scope and span.instrumentation_scope.name == "entrada"]


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in ours(spans) if span.name == name]


@pytest.fixture
async def door(entra: Entra, tmp_path: Path, spans: InMemorySpanExporter) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, traces=True) as found:
        yield found


async def aged(door: FrontDoor, session: str) -> None:
    for _ in range(3):
        door.entra.state.clock.move(timedelta(minutes=40))
        await door.reuse(session)


async def graph(door: FrontDoor, session: str, path: str = "graph") -> int:
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    return (await door.raw("GET", f"{BASE}/{path}", headers=headers)).status_code


async def test_a_sign_in_is_spans_that_hang_together(door: FrontDoor, spans: InMemorySpanExporter) -> None:
    """AUD-2: its start, the answer and the token request are there, the last within what made it."""
    await door.signed_in()
    (start,), (match,), (finish,) = (named(spans, f"sign-in {step}") for step in ("start", "match", "finish"))
    (token,) = named(spans, "token request")
    assert token.parent
    assert finish.context
    assert token.parent.span_id == finish.context.span_id
    assert token.attributes == {"server.address": "login.microsoftonline.com", "http.response.status_code": 200}
    assert token.kind is trace.SpanKind.CLIENT
    assert all(span.status.is_ok for span in (start, match, finish, token))


async def test_spans_say_nothing_of_anybody(door: FrontDoor, spans: InMemorySpanExporter) -> None:
    """SEC-146: no secret, id, path or query is in a name or an attribute, and no event carries an exception's text."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await aged(door, session)
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", times=1))
    assert await graph(door, session) == 503
    found = ours(spans)
    assert len(found) > 5
    for span in found:
        assert set(span.attributes or ()) <= ALLOWED
        assert not span.events
        assert span.status.description is None
        text = f"{span.name} {dict(span.attributes or {})}"
        assert not any(mark in text for mark in ("?", "/", "mia", SECRET, session, "eyJ"))


async def test_a_renewal_and_who_waits_for_it(door: FrontDoor, spans: InMemorySpanExporter) -> None:
    """AUD-2, TOK-4: the wait, the renewal within it, and its token request; an outage is an error by its class."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await aged(door, session)
    spans.clear()
    assert await graph(door, session) == 200
    (wait,), (renewal,), (token,) = (named(spans, name) for name in ("renewal wait", "renewal", "token request"))
    assert {wait.context.trace_id} == {span.context.trace_id for span in (renewal, token) if span.context}  # type: ignore[union-attr]
    await aged(door, session)
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", times=1))
    assert await graph(door, session) == 503
    failed = named(spans, "renewal wait")[-1]
    assert (failed.attributes or {})["error.type"] == "AuthorityUnavailable"
    assert not failed.status.is_ok


async def test_apis_go_on_with_the_trace_and_nobody_else(
    entra: Entra, tmp_path: Path, spans: InMemorySpanExporter
) -> None:
    """AUD-2, TOK-6: who gets the token gets `traceparent`; the authority and other origins do not."""
    api, authority, evil = Heard(entra.app), Heard(entra.app), Heard(JSONResponse({}))
    hosts: dict[str, Any] = {"graph.microsoft.com": api, "login.microsoftonline.com": authority, "evil.example": evil}
    async with running(entra, tmp_path, hosts=hosts, traces=True) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        assert await graph(door, session) == 200
        await graph(door, session, "elsewhere")
    called = named(spans, "GET API")[0]
    assert called.context
    sent = [headers for path, headers in api.requests if path == "/v1.0/me"][-1]["traceparent"]
    assert sent.startswith(f"00-{called.context.trace_id:032x}-{called.context.span_id:016x}-")
    assert evil.requests
    assert not any("traceparent" in headers for _, headers in (*authority.requests, *evil.requests))


async def test_lines_of_the_log_name_the_trace(
    door: FrontDoor, spans: InMemorySpanExporter, caplog: pytest.LogCaptureFixture
) -> None:
    """AUD-2: a line that is written within a span has its ids beside the correlation id."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await aged(door, session)
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", times=1))
    with caplog.at_level(logging.WARNING, "entrada"):
        await graph(door, session)
    (line,) = [vars(record)["entrada"] for record in caplog.records if "renewal_put_off" in record.message]
    (renewal,) = named(spans, "renewal")
    assert renewal.context
    assert line["trace_id"] == f"{renewal.context.trace_id:032x}"
    assert line["span_id"] == f"{renewal.context.span_id:016x}"
    assert len(line["correlation_id"]) == 32


async def test_calls_to_a_store_on_a_server(entra: Entra, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    """AUD-2: what waits for a server is a span with the kind of server; the key of a session is not in it."""
    with redis_server(tmp_path) as server:
        async with running(entra, tmp_path, store=server.url, traces=True) as door:
            await door.signed_in()
    (insert,) = named(spans, "session store insert")
    assert insert.attributes == {"db.system.name": "redis"}


async def test_what_goes_on_all_day_is_no_span(entra: Entra, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    """What administrators do is looked for in Redis three times a second: nobody's trace has it."""
    with redis_server(tmp_path) as server:
        async with running(entra, tmp_path / "app", store=server.url, traces=True) as door:
            await door.admitted()
            administration, marks = house_of(door.app).administration, server.said("KEYS", "entrada:spent:*")
            (mia,) = (await administration.people.page()).people
            await administration.grant(mia.id, "Editor", by=ROOT)
            async with asyncio.timeout(10):
                while server.said("KEYS", "entrada:spent:*") == marks:  # until what was done is noted
                    await asyncio.sleep(0.05)
    assert len(named(spans, "session store add_if_absent")) == 1, "the sign-in's"


async def test_none_unasked(entra: Entra, tmp_path: Path, spans: InMemorySpanExporter) -> None:
    """AUD-2: without the setting there is no span, no header, and a sign-in like any other."""
    api = Heard(entra.app)
    async with running(entra, tmp_path, hosts={"graph.microsoft.com": api}) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        assert await graph(door, session) == 200
        await door.raw("GET", f"{AUTH}/me")
    assert ours(spans) == []
    assert not any("traceparent" in headers for _, headers in api.requests)


@pytest.mark.skipif(find_spec("fastapi.telemetry") is None, reason="this FastAPI makes no spans of its own")
async def test_fastapis_own_spans_hold_no_code(door: FrontDoor, spans: InMemorySpanExporter) -> None:
    """SEC-146: what FastAPI itself traces of the callback, and of a failed one, has no code, state or claims in it."""
    browser = await door.signed_in()
    await browser.open(f"{AUTH}/callback?state=a-state-of-nobodys&code=a-code-of-nobodys")
    told = [span.attributes or {} for span in spans.get_finished_spans()]
    mine = [each for each in told if each.get("url.path") == "/api/auth/callback" and each["server.address"] == HOST]
    assert len(mine) == 2
    assert {each["url.query"] for each in mine} == {"[hidden]"}
