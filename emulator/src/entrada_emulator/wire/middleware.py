"""What every request passes: one spelling of paths, the host check, the recorder, and faults that were asked for."""

import json
import re
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada_emulator.directory.model import GRAPH_APP_ID, Tenant
from entrada_emulator.directory.world import World
from entrada_emulator.errors import EntraError
from entrada_emulator.faults import TRANSPORT_FAULTS, EndpointName, Fault
from entrada_emulator.inspector.notes import Notes, noted, noting
from entrada_emulator.instance import Emulator
from entrada_emulator.wire.origins import LOGIN_ALIASES, Origins
from entrada_emulator.wire.recorder import Answered, Arrival, Recorded
from entrada_emulator.wire.responses import error_response, trace_of

BODY_LIMIT = 1_000_000  # bytes; the largest real body, a token request with an assertion, has some 20 kB
ANSWER_LIMIT = 100_000  # bytes of an answer that are kept; the tokens of somebody in 200 groups have some 30 kB
RECORD_SIZE = 3_000  # bytes of a record without anything in it
ANSWERS_KEPT = frozenset({"token", "devicecode"})
SLASHES = re.compile(r"/{2,}")
UNWATCHED = ("/_emulator/", "/emulator/static/")
"""What tests and people look by; it is no part of any sign-in."""
GRAPH_PREFIXES = ("/v1.0/", "/beta/", "/oidc/")
ENDPOINTS: tuple[tuple[str, EndpointName], ...] = (
    ("/.well-known/openid-configuration", "metadata"),
    ("/discovery/v2.0/keys", "keys"),
    ("/common/discovery/instance", "instance"),
    ("/common/userrealm/", "userrealm"),
    ("/common/UserRealm/", "userrealm"),
    ("/oauth2/v2.0/authorize", "authorize"),
    ("/oauth2/v2.0/token", "token"),
    ("/oauth2/v2.0/logout", "logout"),
    ("/oauth2/v2.0/devicecode", "devicecode"),
    ("/oauth2/devicecode", "devicecode"),
    ("/discovery/keys", "keys"),
    ("/oauth2/authorize", "authorize"),
    ("/oauth2/token", "token"),
    ("/oauth2/logout", "logout"),
    ("/adminconsent", "adminconsent"),
)


class OneSlash:
    """Reads `//` in a path as `/`, as the real service does: MSAL asks so when its authority ends in a slash."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its path in one spelling."""
        if scope["type"] == "http":
            scope = {**scope, "path": SLASHES.sub("/", scope["path"])}
        await self._app(scope, receive, send)


class PolicyPath:
    """Reads the other two spellings of a B2C policy, `?p=` and `/tfp/`, as the one with the policy in the path."""

    def __init__(self, app: ASGIApp, *, world: World) -> None:
        self._app = app
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its path in one spelling."""
        if scope["type"] == "http":
            scope = {**scope, "path": self._respelt(scope["path"], scope["query_string"])}
        await self._app(scope, receive, send)

    def _respelt(self, path: str, query: bytes) -> str:
        first, *rest = path.lstrip("/").split("/")
        if first.lower() == "tfp":
            return f"/{'/'.join(rest)}"
        tenant = self._world.tenant(first)
        policy = dict(parse_qsl(query.decode("latin-1"))).get("p")
        if policy is None or tenant is None or tenant.kind != "b2c" or "/" in policy:
            return path
        return f"/{first}/{policy}/{'/'.join(rest)}"


class KnownHosts:
    """Answers only under its own names, Graph's paths under Graph's and the others under the authority's."""

    def __init__(self, app: ASGIApp, *, origins: Origins, world: World) -> None:
        self._app = app
        self._login = _names(origins.login) | _names(origins.pages) | (LOGIN_ALIASES if origins.in_process else set())
        self._login |= {name for tenant in world.tenants for name in _customer_hosts(origins, tenant)}
        self._graph = _names(origins.graph)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on, or answers 421."""
        if scope["type"] == "http" and not self._is_ours(scope):
            refusal = PlainTextResponse("This emulator has no such host name.", status_code=421)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        host = Headers(scope=scope).get("host", "").lower()
        return host in (self._graph if scope["path"].startswith(GRAPH_PREFIXES) else self._login)


class Watched:
    """Records each request and lets it suffer the faults that wait for its endpoint."""

    def __init__(self, app: ASGIApp, *, emulator: Emulator) -> None:
        self._app = app
        self._emulator = emulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes the request on with its body read, and notes how it was answered."""
        if scope["type"] != "http" or scope["path"].startswith(UNWATCHED):
            await self._app(scope, receive, send)
            return
        body = await _body(receive)
        if body is None:
            await PlainTextResponse("Too large.", status_code=413)(scope, receive, send)
            return
        recorder = self._emulator.state.recorder
        arrival, heard = recorder.arrival(), _Heard(send, keeps_body=endpoint_of(scope["path"]) in ANSWERS_KEPT)
        with noting() as notes:
            await self._faulty(scope, _replay(body, receive), heard.send)
        answered = heard.answered(recorder.seconds())
        recorder.add(_recorded(self._emulator, scope, body, arrival=arrival, answered=answered, notes=notes))

    async def _faulty(self, scope: Scope, receive: Receive, send: Send) -> None:
        faults = self._emulator.state.faults.take(endpoint_of(scope["path"]), TRANSPORT_FAULTS)
        await anyio.sleep(sum(fault.seconds for fault in faults if fault.kind == "latency"))
        broken = next((fault for fault in faults if fault.kind != "latency"), None)
        if faults:
            noted(fault=", ".join(fault.kind for fault in faults))
        answer: ASGIApp = _broken_answer(broken, Request(scope)) if broken else self._app
        await answer(scope, receive, send)


def endpoint_of(path: str) -> EndpointName:
    """The endpoint that a path belongs to, as faults and records name it."""
    if path.startswith(GRAPH_PREFIXES):
        return "graph"
    return next((name for mark, name in ENDPOINTS if mark in path), "other")


class _Heard:
    """Passes an answer on and keeps what the recorder wants of it."""

    def __init__(self, send: Send, *, keeps_body: bool) -> None:
        self._send = send
        self._keeps_body = keeps_body
        self._status = 500
        self._headers = Headers()
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], Headers(raw=message["headers"])
        elif self._keeps_body and len(self._body) <= ANSWER_LIMIT:
            self._body += message.get("body", b"")
        await self._send(message)

    def answered(self, seconds: float) -> Answered:
        return Answered(
            status=self._status,
            seconds=seconds,
            location=self._headers.get("location", ""),
            cookies=tuple(self._headers.getlist("set-cookie")),
            body=_members(self._body),
        )


def _members(body: bytes) -> dict[str, Any]:
    """The members of a JSON object; none of anything else."""
    try:
        read = json.loads(body) if 0 < len(body) <= ANSWER_LIMIT else None
    except ValueError:
        return {}
    return read if isinstance(read, dict) else {}


def _names(origin: str) -> set[str]:
    netloc = urlsplit(origin).netloc.lower()
    return {netloc, netloc.replace("localhost", "127.0.0.1")}


def _customer_hosts(origins: Origins, tenant: Tenant) -> set[str]:
    if tenant.kind == "b2c":
        return _names(origins.b2c(tenant))
    return _names(origins.login_of(tenant)) if tenant.kind == "external" else set()


def _broken_answer(fault: Fault, request: Request) -> Response:
    if fault.kind == "error":
        tenant = request.url.path.strip("/").partition("/")[0]
        refusal = EntraError(fault.code, resource=GRAPH_APP_ID, tenant=tenant)
        return error_response(refusal, trace=trace_of(request))
    if fault.kind == "garbage":
        return Response(b"<html>\x00\xff not what you expect", fault.status, media_type="application/json")
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    return PlainTextResponse(_phrase(fault.status), fault.status, headers=headers)  # as Entra throttles: no JSON


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else "The service is unavailable."


async def _body(receive: Receive) -> bytes | None:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > BODY_LIMIT:
            return None
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _recorded(
    emulator: Emulator, scope: Scope, body: bytes, *, arrival: Arrival, answered: Answered, notes: Notes
) -> Recorded:
    headers = Headers(scope=scope)
    is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return Recorded(
        at=emulator.state.clock.now(),
        endpoint=endpoint_of(scope["path"]),
        method=scope["method"],
        path=scope["path"],
        query=dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)),
        form=dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True)) if is_form else {},
        headers=dict(headers),
        arrival=arrival,
        answered=answered,
        notes=notes,
        size=_size(scope, body, answered, notes),
    )


def _size(scope: Scope, body: bytes, answered: Answered, notes: Notes) -> int:
    """About the bytes that a record takes: text is kept raw and taken apart, each character in up to four."""
    headers = sum(len(value) for pair in scope["headers"] for value in pair)
    told = sum(len(value) for one in notes.delivered for value in one.fields.values())
    said = sum(len(str(value)) for value in answered.body.values())
    sent = len(body) + headers + len(scope["path"]) + len(scope["query_string"]) + len(answered.location)
    return RECORD_SIZE + 4 * (sent + told + said)
