"""Answers come as they are made, and neither side's going away is taken for an end (BEY-11)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import new_entra
from fastapi import FastAPI, Request, Response
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.types import ASGIApp

from entrada import ApiClient, api_client, proxy
from entrada.web.monitoring.logs import BROKE_OFF
from tests.front_door import AUTH, SESSION
from tests.proxied import PATIENCE, SCOPE, Site, fronted, respond, whole

EVENTS = [("content-type", "text/event-stream; charset=utf-8"), ("cache-control", "no-cache")]
PIECE = b"x" * 65536


async def begin(send: Any, *lines: tuple[str, str]) -> None:
    headers = [(name.encode(), value.encode()) for name, value in lines]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def piece(send: Any, body: bytes) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": True})


class Around:
    """Puts a layer of Starlette's, such as `@app.middleware("http")` makes, around some of what is passed on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.around = app, BaseHTTPMiddleware(app, self.go_on)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        within = self.around if scope["path"].startswith("/api/around") else self.app
        await within(scope, receive, send)

    async def go_on(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        return await call_next(request)


@pytest.fixture(scope="module")
async def shared(entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The portal, with little patience for one of its two upstreams, and one that nobody listens at."""

    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/orders", to=f"{to}/v1", scopes=[SCOPE])
        proxy(app, "/api/around", to=f"{to}/v1", scopes=[SCOPE])
        app.add_middleware(Around)
        proxy(app, "/api/slow", to=f"{to}/slow", scopes=[SCOPE], patience=timedelta(seconds=0.5))
        proxy(app, "/api/gone", to="http://127.0.0.1:9", scopes=[SCOPE])

        @app.get("/by-hand")
        async def by_hand(client: Annotated[ApiClient, api_client("http://127.0.0.1:9", SCOPE)]) -> int:
            return (await client.get("/7")).status_code

    folder: Path = tmp_path_factory.mktemp("streams")
    given = {"most_body_bytes": 20_000_000}
    async with fronted(new_entra(keys=entra_keys), folder, build, **given) as running:
        yield running


async def test_events_one_by_one(site: Site) -> None:
    """Each event is here before the next is made; proxies in front are told to hold none back; silence is no fault."""
    heard = asyncio.Queue[bytes]()

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await begin(send, *EVENTS)
        for number in range(3):
            await piece(send, b"data: %d\n\n" % number)
            assert await heard.get() == b"data: %d\n\n" % number
            await asyncio.sleep(0.4)
        await send({"type": "http.response.body", "body": b""})

    with site.api.answering(answer):
        async with site.client() as browser, browser.stream("GET", "/api/slow/events") as events:
            assert events.headers["x-accel-buffering"] == "no"
            assert events.headers["cache-control"] == "no-store"
            got = []
            async for each in events.aiter_raw():
                got.append(each)
                heard.put_nowait(each)
    assert b"".join(got) == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"


async def test_events_go_on_where_they_broke_off(site: Site) -> None:
    """What a browser has heard of last goes up when it listens again, and the API's `retry` comes back."""

    async def answer(scope: Any, _receive: Any, send: Any) -> None:
        last = dict(scope["headers"]).get(b"last-event-id", b"0")
        await begin(send, *EVENTS)
        await piece(send, b"retry: 100\nid: %d\ndata: x\n\n" % (int(last) + 1))
        await send({"type": "http.response.body", "body": b""})

    with site.api.answering(answer):
        async with site.client() as browser:
            first = await browser.get("/api/orders/events")
            again = await browser.get("/api/orders/events", headers={"last-event-id": "41"})
    assert (first.text, again.text) == ("retry: 100\nid: 1\ndata: x\n\n", "retry: 100\nid: 42\ndata: x\n\n")
    assert [each.values("last-event-id") for each in site.api.seen] == [[], ["41"]]


async def test_the_client_goes(site: Site) -> None:
    """REL-064: when the browser goes the API is told, be it listening to events or waiting for an answer."""

    async def events(_scope: Any, receive: Any, send: Any) -> None:
        await begin(send, *EVENTS)
        await piece(send, b"data: 0\n\n")
        await _until_gone(receive)
        site.api.gone.set()

    async def nothing(_scope: Any, receive: Any, _send: Any) -> None:
        begun.set()
        await _until_gone(receive)
        site.api.gone.set()

    for answer in (events, nothing):
        begun = asyncio.Event()
        site.api.gone.clear()
        with site.api.answering(answer):
            async with site.client() as browser:
                if answer is events:
                    async with browser.stream("GET", "/api/orders/events") as stream:
                        await anext(stream.aiter_raw())
                else:
                    asking = asyncio.create_task(browser.get("/api/orders/wait"))
                    await begun.wait()
                    asking.cancel()
                    with suppress(asyncio.CancelledError):
                        await asking
            async with asyncio.timeout(PATIENCE):
                await site.api.gone.wait()


async def _until_gone(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def test_an_upload_that_breaks_off(site: Site) -> None:
    """A body that breaks off is never whole at the API, whether its length was said or not."""
    ended: asyncio.Queue[str] = asyncio.Queue()

    async def answer(_scope: Any, receive: Any, send: Any) -> None:
        try:
            await whole(receive)
        except ConnectionError:
            ended.put_nowait("broke off")
        else:
            ended.put_nowait("whole")
            await respond(send, b"")

    with site.api.answering(answer):
        for lines, body in (
            ("Content-Length: 300000", b"x" * 200_000),
            ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n" % (200_000, b"x" * 200_000)),
        ):
            _, writer = await asyncio.open_connection("127.0.0.1", site.port)
            head = ["POST /api/orders HTTP/1.1", "Host: portal.birch.example", f"Cookie: {SESSION}={site.session}"]
            proof = ["X-CSRF: 1", "Sec-Fetch-Site: same-origin", lines, "", ""]
            writer.write("\r\n".join([*head, *proof]).encode() + body)
            await writer.drain()
            while not site.api.seen:
                await asyncio.sleep(0.01)
            writer.close()
            async with asyncio.timeout(PATIENCE):
                assert await ended.get() == "broke off"
            site.api.seen.clear()


@pytest.fixture
def heard() -> Iterator[None]:
    """What uvicorn says reaches the test's log, also after another test's server has set uvicorn's own log up."""
    logger = logging.getLogger("uvicorn")
    before, logger.propagate = logger.propagate, True
    yield
    logger.propagate = before


@pytest.mark.parametrize("prefix", ["orders", "around"])
@pytest.mark.parametrize("lines", [[("content-length", "900000")], []], ids=["length", "chunked"])
async def test_the_api_goes(
    site: Site,
    lines: list[tuple[str, str]],
    prefix: str,
    caplog: pytest.LogCaptureFixture,
    heard: None,
) -> None:
    """REL-001: an answer that breaks off at the API breaks off here; nobody takes its beginning for the whole.

    Not either where layers of the application are in between that would end it in good order. The server's log has one
    line of it, and no traceback.
    """

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await begin(send, *lines, ("content-type", "text/plain"))
        await piece(send, PIECE)
        raise ConnectionResetError

    with site.api.answering(answer):
        async with site.client() as browser:
            with pytest.raises(httpx2.RemoteProtocolError):
                await browser.get(f"/api/{prefix}/7")
    ours, servers = [[each for each in caplog.records if each.name == name] for name in ("entrada", "uvicorn.error")]
    assert [each.getMessage().split()[0] for each in ours] == ["upstream_broke_off"]
    told = [each for each in servers if each.levelname == "ERROR" and "ConnectionResetError" not in str(each.exc_text)]
    assert [each.getMessage() for each in told] == [BROKE_OFF]
    assert "BrokenOff" not in caplog.text


async def test_an_api_that_stops_in_the_middle(site: Site) -> None:
    """An answer that stops coming is broken off when the patience is over, unlike a stream of events."""
    stop = asyncio.Event()

    async def answer(_scope: Any, _receive: Any, send: Any) -> None:
        await begin(send, ("content-type", "text/plain"))
        await piece(send, PIECE)
        await stop.wait()

    with site.api.answering(answer):
        async with site.client() as browser:
            with pytest.raises(httpx2.RemoteProtocolError):
                await browser.get("/api/slow/7")
    stop.set()


async def test_slow_and_gone(site: Site) -> None:
    """REL-001: no answer in time is 504, nobody there is 502, as for an ApiClient: in our words, and asked once."""
    stop = asyncio.Event()

    async def slow(_scope: Any, receive: Any, _send: Any) -> None:
        await whole(receive)
        await stop.wait()

    with site.api.answering(slow):
        async with site.client() as browser:
            late = await browser.post("/api/slow/7", content=b"x")
            gone = await browser.post("/api/gone/7", content=b"x")
            by_hand = await browser.get("/by-hand")
            page = await browser.get("/api/gone/7", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
    stop.set()
    assert (late.status_code, late.json()["code"]) == (504, "api_timeout")
    assert (gone.status_code, gone.json()["code"]) == (502, "api_unavailable")
    assert (by_hand.status_code, by_hand.json()["code"]) == (502, "api_unavailable")
    assert gone.headers["content-type"] == "application/problem+json"
    assert gone.headers["retry-after"]
    assert page.status_code == 502
    assert page.headers["content-type"].startswith("text/html")
    assert "127.0.0.1" not in late.text + gone.text + page.text
    assert len(site.api.seen) == 1


async def test_much_goes_through(site: Site) -> None:
    """Four megabytes up and thirty-two down: the API's answer waits for a reader who is slow."""
    up, size, sent = 4 * 2**20, 32 * 2**20, 0  # far more than the sockets between may hold

    async def answer(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        got = len(await whole(receive))
        await begin(send, ("content-type", "application/octet-stream"), ("x-got", str(got)))
        while sent < size:
            await piece(send, PIECE)
            sent += len(PIECE)
        await send({"type": "http.response.body", "body": b""})

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(0, up, len(PIECE)):
            yield PIECE

    with site.api.answering(answer):
        async with site.client() as browser, browser.stream("POST", "/api/orders", content=pieces()) as stream:
            assert stream.headers["x-got"] == str(up)
            reading = stream.aiter_raw()
            got = len(await anext(reading))
            before = -1
            while sent > before:  # until nothing moves any more
                before = sent
                await asyncio.sleep(0.3)
            assert sent < size  # the sockets between are full, and no memory is
            async for each in reading:
                got += len(each)
    assert got == size


async def test_an_api_that_answers_before_it_has_read(site: Site) -> None:
    """What the API says to a body that it does not want comes back, however much of the body was still to come."""

    async def too_large(_scope: Any, _receive: Any, send: Any) -> None:
        await respond(send, b"no room", ("content-type", "text/plain"), status=413)

    with site.api.answering(too_large):
        async with site.client() as browser:
            for _ in range(2):
                answer = await browser.post("/api/orders", content=b"x" * 15_000_000)
                assert (answer.status_code, answer.text) == (413, "no room")


async def test_signed_out_while_it_streams(site: Site) -> None:
    """SEC-075: who signs out hears nothing more: events end, another answer breaks off and is not taken for whole."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        await begin(send, *(EVENTS if "events" in scope["path"] else [("content-type", "text/plain")]))
        await piece(send, b"data: 0\n\n")
        await _until_gone(receive)

    session = await site.door.admitted()
    ends: list[str] = []

    async def listen(path: str) -> None:
        async with site.client(session=session) as browser, browser.stream("GET", path) as stream:
            reading = stream.aiter_raw()
            await anext(reading)
            begun.release()
            try:
                async for _ in reading:
                    pass
            except httpx2.RemoteProtocolError:
                ends.append(f"{path} broke off")
            else:
                ends.append(f"{path} ended")

    begun = asyncio.Semaphore(0)
    with site.api.answering(answer):
        tasks = [
            asyncio.create_task(listen(f"/api/{each}"))
            for each in ("orders/events", "orders/file", "around/events", "around/file")
        ]
        for _ in tasks:
            await begun.acquire()
        async with site.client(session=session) as browser:
            assert (await browser.post(f"{AUTH.removeprefix('https://portal.birch.example')}/logout")).status_code < 400
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*tasks)
    paths = ["/api/around", "/api/orders"]
    assert sorted(ends) == [f"{path}/{end}" for path in paths for end in ("events ended", "file broke off")]
