"""A WebSocket below a proxied path is joined with one of the API's, as long as the session lasts (BEY-11, SEC-093)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import new_entra
from fastapi import FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from entrada import proxy, role
from tests.front_door import AUTH, BASE, SESSION
from tests.journeys.test_claims_challenge import CHALLENGE
from tests.journeys.test_downstream import claims_of
from tests.proxied import HOST, PATIENCE, SCOPE, Site, fronted

LARGE = b"x" * 2**20


@pytest.fixture(scope="module")
async def shared(entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    def build(app: FastAPI, to: str) -> None:
        proxy(app, "/api/live", to=f"{to}/v1", scopes=[SCOPE], websockets=True)
        proxy(app, "/api/still", to=f"{to}/v1", scopes=[SCOPE])
        proxy(app, "/api/ruled", to=to, scopes=[SCOPE], websockets=True, rule=role("Nobody.Has"))
        proxy(app, "/api/gone", to="http://127.0.0.1:9", scopes=[SCOPE], websockets=True)
        proxy(app, "/api/slow", to=to, scopes=[SCOPE], websockets=True, patience=timedelta(seconds=0.5))

        proxy(app, "/api/bare", to=f"http://127.0.0.1:{bare}", scopes=[SCOPE], websockets=True)

    async with serve(_bare, "127.0.0.1", 0, ping_interval=None) as upstream:
        bare = upstream.sockets[0].getsockname()[1]
        async with fronted(new_entra(keys=entra_keys), tmp_path_factory.mktemp("sockets"), build) as running:
            running.api.websocket = echo
            yield running


async def _bare(socket: ServerConnection) -> None:
    """An upstream that a test has in its hands, down to the frames."""
    BARE.put_nowait(socket)
    await socket.wait_closed()


BARE: asyncio.Queue[ServerConnection] = asyncio.Queue()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Say what comes; `bye` ends with the code that it names."""
    offered = scope["subprotocols"]
    await receive()
    await send({"type": "websocket.accept", "subprotocol": offered[-1] if offered else None})
    while (message := await receive())["type"] == "websocket.receive":
        text = message.get("text")
        if text and text.startswith("bye "):
            await send({"type": "websocket.close", "code": int(text[4:]), "reason": "as asked"})
            return
        await send({"type": "websocket.send", "text": text, "bytes": message.get("bytes")})
    ENDS.put_nowait((message["code"], message.get("reason", "")))


ENDS: asyncio.Queue[tuple[int, str]] = asyncio.Queue()


def opened(
    site: Site, path: str, *, session: str | None = None, origin: str = BASE, **options: Any
) -> AbstractAsyncContextManager[ClientConnection]:
    cookie = {"cookie": f"{SESSION}={session or site.session}; other=1"}
    return connect(
        f"ws://{HOST}{path}", host="127.0.0.1", port=site.port, origin=Origin(origin), proxy=None,
        additional_headers=cookie, max_size=None, **options,
    )  # fmt: skip


async def test_both_ways(site: Site) -> None:
    """TOK-6: text and bytes go both ways; the handshake has the token and the path, and no cookie or origin of ours."""
    async with opened(site, "/api/live/7?a=%2F", subprotocols=[Subprotocol("v1"), Subprotocol("v2")]) as socket:
        assert socket.subprotocol == "v2"
        for said in ("two desks", b"\x00\xff", "", LARGE):
            await socket.send(said)
            assert await socket.recv() == said
    (seen,) = site.api.seen
    assert seen.target == "/v1/7?a=%2F"
    (authorization,) = seen.values("authorization")
    assert claims_of(authorization.removeprefix("Bearer "))["scp"] == "Orders.Read"
    assert seen.values("host") == [f"127.0.0.1:{site.api_port}"]
    names = {name for name, _ in seen.headers}
    assert not names & {"cookie", "origin", "sec-websocket-extensions"}
    assert {"x-forwarded-for", "x-correlation-id"} <= names
    assert site.session not in str(seen.headers)


@pytest.mark.parametrize("code", [1000, 1001, 1008, 1011, 3000, 4999])
async def test_why_it_ended(site: Site, code: int) -> None:
    """The code and the reason of a close are the other side's, either way."""
    while not ENDS.empty():
        ENDS.get_nowait()
    async with opened(site, "/api/live") as socket:
        await socket.send(f"bye {code}")
        with pytest.raises(ConnectionClosed) as ended:
            await socket.recv()
    assert ended.value.rcvd
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (code, "as asked")
    async with opened(site, "/api/live") as socket:
        await socket.close(code, "that is all")
    async with asyncio.timeout(PATIENCE):
        assert await ENDS.get() == (code, "that is all")


async def test_gone_without_a_word(site: Site) -> None:
    """A browser that is cut off ends it for the API; an API that is cut off ends it for the browser, as such."""
    while not ENDS.empty():
        ENDS.get_nowait()
    async with opened(site, "/api/live") as socket:
        await socket.send("here")
        await socket.recv()
        socket.transport.abort()
    async with asyncio.timeout(PATIENCE):
        assert (await ENDS.get())[0] == 1001

    async def cut_off(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "here"})

    site.api.websocket = cut_off
    try:
        async with opened(site, "/api/live") as socket:
            assert await socket.recv() == "here"
            with pytest.raises(ConnectionClosed) as ended:
                await socket.recv()
    finally:
        site.api.websocket = echo
    assert ended.value.rcvd
    assert ended.value.rcvd.code == 1014


async def test_pings_are_answered_on_each_side(site: Site) -> None:
    """A ping of the browser's, and one of the API's, is answered by the one next to it, while nothing is said."""
    async with asyncio.timeout(PATIENCE), opened(site, "/api/bare") as browser:
        api = await BARE.get()
        await (await browser.ping(b"browser"))
        await (await api.ping(b"api"))
        await api.send("still here")
        assert await browser.recv() == "still here"


@pytest.mark.parametrize(
    ("frame", "code", "reason"),
    [
        (b"\x88\x00", 1000, ""),
        (b"\x88\x7d" + (1011).to_bytes(2) + ("\N{LATIN SMALL LETTER E WITH ACUTE}" * 61 + "!").encode(), 1011,
         "\N{LATIN SMALL LETTER E WITH ACUTE}" * 61 + "!"),
        (b"\x88\x02" + (1004).to_bytes(2), 1014, ""),
        (b"\x88\x02" + (1005).to_bytes(2), 1014, ""),
        (b"\x88\x01x", 1014, ""),
        (b"\x83\x00", 1014, ""),
        (b"\x81\x01\xff", 1014, ""),
    ],
    ids=["no code", "longest reason", "reserved", "not to be sent", "half a code", "unknown frame", "no text"],
)  # fmt: skip
async def test_what_an_api_may_end_with(site: Site, frame: bytes, code: int, reason: str) -> None:
    """A goodbye without a code is a normal one; what is no goodbye, or breaks the protocol, is a broken upstream."""
    async with asyncio.timeout(PATIENCE), opened(site, "/api/bare") as browser:
        api = await BARE.get()
        api.transport.write(frame)
        with pytest.raises(ConnectionClosed) as ended:
            await browser.recv()
        api.transport.abort()
    assert ended.value.rcvd
    assert (ended.value.rcvd.code, ended.value.rcvd.reason) == (code, reason)


@pytest.mark.long
async def test_an_api_that_answers_no_ping(site: Site) -> None:
    """One whose machine is gone without a word is found by pings, and told as that."""
    async with asyncio.timeout(PATIENCE + 45), opened(site, "/api/bare") as browser:
        api = await BARE.get()
        api.transport.pause_reading()
        with pytest.raises(ConnectionClosed) as ended:
            await browser.recv()
        api.transport.abort()
    assert ended.value.rcvd
    assert ended.value.rcvd.code == 1014


async def test_refused_handshakes(site: Site) -> None:
    """SEC-093, SEC-131: another site's page, a stranger, whom a rule refuses, a path that steps up, no WebSockets."""
    refused = []
    for path, options in (
        ("/api/live", {"origin": "https://evil.example"}),
        ("/api/live", {"session": "nobodys"}),
        ("/api/ruled", {}),
        ("/api/live/%2e%2e/admin", {}),
        ("/api/still", {}),
        ("/api/gone", {}),
    ):
        with pytest.raises(InvalidStatus) as raised:
            async with opened(site, path, **options):
                pass
        refused.append(raised.value.response.status_code)
    assert refused == [403, 403, 403, 400, 403, 502]
    assert site.api.seen == []


async def test_the_api_refuses(site: Site) -> None:
    """What the API says to a handshake is said here: its refusal, that it is slow or broken; redirects lead nowhere."""
    answers = {"/v1/403": 403, "/v1/404": 404, "/v1/500": 502, "/v1/302": 502, "/slow": 504}
    told = {}

    async def deny(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["path"] == "/slow":
            await asyncio.sleep(3)
            return
        status = int(scope["path"].rpartition("/")[2])
        headers = [(b"location", f"ws://127.0.0.1:{site.api_port}/elsewhere".encode())]
        await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})

    site.api.websocket = deny
    try:
        for path in answers:
            with pytest.raises(InvalidStatus) as raised:
                async with opened(site, f"/api/live{path[3:]}" if path.startswith("/v1") else "/api/slow/slow"):
                    pass
            told[path] = raised.value.response.status_code
    finally:
        site.api.websocket = echo
    assert told == answers
    assert [each.target for each in site.api.seen] == list(answers)


async def test_a_claims_challenge(site: Site) -> None:
    """BEY-4: a challenge at the handshake is answered with a renewal that names its claims, and once only."""

    async def strict(_scope: Any, receive: Any, send: Any) -> None:
        await receive()
        headers = [(b"www-authenticate", CHALLENGE.encode())]
        await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": b""})

    site.api.websocket = strict
    try:
        session = await site.door.admitted()
        with pytest.raises(InvalidStatus) as raised:
            async with opened(site, "/api/live", session=session):
                pass
    finally:
        site.api.websocket = echo
    assert raised.value.response.status_code == 401
    assert "c1" in site.door.entra.state.recorder.requests("token")[-1].form["claims"]
    assert len(site.api.seen) == 1


async def test_ends_with_the_session(site: Site) -> None:
    """SEC-075: who signs out is put out, and the API is told that nobody is there any more."""
    while not ENDS.empty():
        ENDS.get_nowait()
    session = await site.door.admitted()
    async with opened(site, "/api/live", session=session) as socket:
        async with site.client(session=session) as browser:
            await browser.post(f"{AUTH.removeprefix(BASE)}/logout")
        with pytest.raises(ConnectionClosed) as ended:
            async with asyncio.timeout(PATIENCE):
                await socket.recv()
    assert ended.value.rcvd
    assert ended.value.rcvd.code == 1008
    async with asyncio.timeout(PATIENCE):
        assert (await ENDS.get())[0] == 1008


async def test_neither_side_outruns_the_other(site: Site) -> None:
    """What one side does not read the other cannot send without end: messages wait at their sender."""
    sent = 0

    async def pour(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await receive()
        await send({"type": "websocket.accept"})
        while sent < 200:
            await send({"type": "websocket.send", "bytes": LARGE})
            sent += 1

    site.api.websocket = pour
    try:
        async with opened(site, "/api/live", max_queue=1, compression=None) as socket:
            await socket.recv()
            before = -1
            while sent > before:
                before = sent
                await asyncio.sleep(0.3)
            assert sent < 100
            for _ in range(199):
                assert await socket.recv() == LARGE
    finally:
        site.api.websocket = echo
