"""A WebSocket that a session or a bearer token let in ends with it (SEC-075)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

from entrada import CurrentUser, OptionalUser, User, requires, role
from tests.access_tokens import user_token
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, routes, running
from tests.journeys.test_bearer import orders
from tests.journeys.test_people_change import ROOT, house_of

HOST = "portal.birch.example"
LIMIT = 20.0  # seconds; far more than the few that it takes
CLOSED = {"type": "websocket.close", "code": 1008, "reason": ""}


class Socket:
    """One WebSocket client of the application, as a server would present it."""

    def __init__(
        self, door: FrontDoor, path: str, session: str | None, *, token: str | None = None, gone: bool = False
    ) -> None:
        cookie = [(b"cookie", f"{SESSION}={session}".encode())] if session else []
        token_header = [(b"authorization", f"Bearer {token}".encode())] if token else []
        headers = [(b"host", HOST.encode()), (b"origin", BASE.encode()), *cookie, *token_header]
        scope = {"type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "wss", "path": path,
                 "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
                 "client": ("192.0.2.1", 5), "server": (HOST, 443), "subprotocols": []}  # fmt: skip
        self.incoming: asyncio.Queue[Any] = asyncio.Queue()
        self.outgoing: asyncio.Queue[Any] = asyncio.Queue()
        self.incoming.put_nowait({"type": "websocket.connect"})
        self._gone = gone
        self._waiting = 0
        self.task = asyncio.create_task(door.app(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        self._waiting += 1
        try:
            return await self.incoming.get()
        finally:
            self._waiting -= 1

    async def _send(self, message: Any) -> None:
        assert message["type"] != "websocket.close" or not self._waiting, "Granian would not close it"
        if self._gone and message["type"] == "websocket.close":
            raise RuntimeError("as servers do after the connection has gone")
        await self.outgoing.put(message)

    async def opened(self) -> "Socket":
        assert (await self.heard())["type"] == "websocket.accept"
        return self

    async def heard(self) -> dict[str, Any]:
        async with asyncio.timeout(LIMIT):
            message: dict[str, Any] = await self.outgoing.get()
        return message

    async def says(self, text: str) -> str:
        self.incoming.put_nowait({"type": "websocket.receive", "text": text})
        return str((await self.heard())["text"])

    async def until_closed(self) -> list[str]:
        """Return what it still heard before it was closed, and see the application's part end."""
        heard = []
        while (message := await self.heard()) != CLOSED:
            heard.append(str(message.get("text")))
        async with asyncio.timeout(LIMIT):
            await self.task
        return heard


def with_sockets(app: FastAPI) -> None:
    """Add one that answers, one that only speaks, and one for everybody."""
    routes(app)
    app.state.ended = []

    @app.websocket("/echo")
    async def echo(socket: WebSocket, user: CurrentUser) -> None:
        await socket.accept()
        try:
            while True:
                await socket.send_text(f"{user.name}: {await socket.receive_text()}")
        except WebSocketDisconnect as gone:
            app.state.ended.append(gone.code)

    @app.websocket("/edits")
    async def edits(socket: WebSocket, user: Annotated[User, requires(role("Editor"))]) -> None:
        await echo(socket, user)

    @app.websocket("/clerks")
    async def clerks(socket: WebSocket, user: Annotated[User, requires(role("Clerk"))]) -> None:
        await echo(socket, user)

    @app.websocket("/news")
    async def news(socket: WebSocket, _user: CurrentUser) -> None:
        await socket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                await socket.send_text("news")
                await asyncio.sleep(0.05)

    @app.websocket("/open")
    async def everybody(socket: WebSocket, user: OptionalUser) -> None:
        await socket.accept()
        await socket.send_text(user.name if user else "stranger")
        with suppress(WebSocketDisconnect):
            await socket.receive_text()


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=with_sockets) as running_door:
        yield running_door


async def session_of(door: FrontDoor, upn: str = "mia@birch.example") -> str:
    return (await door.signed_in(upn)).jar.of(HOST)[SESSION]


async def test_signed_out(door: FrontDoor) -> None:
    """SEC-075: after the sign-out nothing more is heard or taken on any of its sockets; others go on."""
    browser, other = await door.signed_in(), await session_of(door, "ada@birch.example")
    session = browser.jar.of(HOST)[SESSION]
    sockets = [await Socket(door, path, session).opened() for path in ("/echo", "/news", "/open")]
    hers, nobodys = [await Socket(door, path, who).opened() for path, who in (("/echo", other), ("/open", None))]
    assert await sockets[0].says("hello") == "Mia Member: hello"
    assert (await nobodys.heard())["text"] == "stranger"
    await browser.press("Sign out")
    await asyncio.gather(*[each.until_closed() for each in sockets])
    assert door.app.state.ended == [1008]
    assert await hers.says("still here") == "Ada Admin: still here"
    assert not nobodys.task.done()
    for each in (hers, nobodys):
        each.task.cancel()
        await asyncio.wait([each.task])


async def test_deactivated(door: FrontDoor) -> None:
    """USR-3, SEC-075: who is made inactive is out of what is open, too."""
    socket = await Socket(door, "/echo", await session_of(door)).opened()
    house = house_of(door.app)
    (mia,) = (await house.administration.people.page()).people
    await house.administration.deactivate(mia.id, by=ROOT)
    assert await socket.until_closed() == []


async def test_a_role_that_was_taken_back(door: FrontDoor) -> None:
    """USR-3, SEC-134: a socket that wanted the role ends with it; others of the same session go on."""
    session, house = await session_of(door), house_of(door.app)
    (mia,) = (await house.administration.people.page()).people
    for granted in ("Clerk", "Editor"):
        await house.administration.grant(mia.id, granted, by=ROOT)
    echo, clerks, edits = [await Socket(door, path, session).opened() for path in ("/echo", "/clerks", "/edits")]
    await house.administration.revoke(mia.id, "Editor", by=ROOT)
    assert await edits.until_closed() == []  # which is looked at after the others
    for each in (echo, clerks):
        assert await each.says("still") == "Mia Member: still"
        each.task.cancel()
        await asyncio.wait([each.task])


async def test_another_identifier(door: FrontDoor) -> None:
    """SES-3: what a session let in under an identifier that is no more goes on, for the session does."""
    session = await session_of(door)
    socket, house = await Socket(door, "/echo", session).opened(), house_of(door.app)
    (mia,) = (await house.administration.people.page()).people
    await house.administration.grant(mia.id, "Editor", by=ROOT)
    found = await house.sessions.visit(session)
    assert found
    after = house.sessions.next_id(found, session) or ""
    assert await door.reuse(after) == 200
    door.entra.state.clock.move(timedelta(minutes=50))
    assert await door.reuse(session) == 401
    assert await socket.says("still") == "Mia Member: still"
    async with asyncio.timeout(LIMIT):
        while await last_seen(door, after) < door.entra.state.clock.now() - timedelta(minutes=5):
            await asyncio.sleep(0.05)
    socket.task.cancel()
    await asyncio.wait([socket.task])


async def test_in_use(door: FrontDoor) -> None:
    """SEC-073: what the person sends is use of the session; a socket that only listens ends with the idle time."""
    session, idle = await session_of(door), await session_of(door)
    socket, silent = [await Socket(door, "/echo", each).opened() for each in (session, idle)]
    for _ in range(2):
        door.entra.state.clock.move(timedelta(minutes=40))
        assert await socket.says("here") == "Mia Member: here"
        async with asyncio.timeout(LIMIT):
            while await last_seen(door, session) < door.entra.state.clock.now() - timedelta(minutes=5):
                await asyncio.sleep(0.05)
    assert await silent.until_closed() == []
    assert await socket.says("still") == "Mia Member: still"
    assert await door.reuse(session) == 200
    socket.task.cancel()
    await asyncio.wait([socket.task])


async def last_seen(door: FrontDoor, session: str) -> Any:
    found = await house_of(door.app).sessions.load(session)
    assert found
    return found.last_seen_at


async def test_a_page_that_is_left(door: FrontDoor) -> None:
    """REL-064: the browser closes it: the application hears so, and nothing goes on looking."""
    socket = await Socket(door, "/echo", await session_of(door)).opened()
    before = len(asyncio.all_tasks())
    socket.incoming.put_nowait({"type": "websocket.disconnect", "code": 1001})
    async with asyncio.timeout(LIMIT):
        await socket.task
    assert door.app.state.ended == [1001]
    assert len(asyncio.all_tasks()) < before
    assert (await door.raw("GET", f"{AUTH}/me", headers={"accept": "application/json"})).status_code == 401


async def test_a_browser_that_has_gone(door: FrontDoor) -> None:
    """REL-064: who has just gone cannot be told any more; the application's part ends all the same."""
    session = await session_of(door)
    socket = Socket(door, "/echo", session, gone=True)
    await socket.opened()
    await house_of(door.app).sessions.end(session)
    async with asyncio.timeout(LIMIT):
        await socket.task
    assert door.app.state.ended == [1008]


async def test_the_token_is_over(entra: Entra, tmp_path: Path) -> None:
    """API-1, SEC-075: who came by token is out when it expires, also while the authority does not answer."""
    async with orders(entra, tmp_path, build=with_sockets) as door:
        token = user_token(entra)["access_token"]
        sockets = [await Socket(door, path, None, token=token).opened() for path in ("/echo", "/news", "/open")]
        stranger = await Socket(door, "/open", None).opened()
        assert await sockets[0].says("hello") == "Mia Member: hello"
        door.internet.hosts.pop("login.microsoftonline.com")
        door.entra.state.clock.move(timedelta(hours=2))
        await asyncio.gather(*[each.until_closed() for each in sockets])
        assert door.app.state.ended == [1008]
        assert not stranger.task.done()
        stranger.task.cancel()
        await asyncio.wait([stranger.task])


async def test_deactivated_with_a_token(entra: Entra, tmp_path: Path) -> None:
    """USR-3: who is made inactive is out of what their token has opened, long before it expires; others go on."""
    async with orders(entra, tmp_path, build=with_sockets) as door:
        house = house_of(door.app)
        await house.people.directory.signed_in(_mia(entra), entra.state.clock.now())
        mia, ada = [
            await Socket(door, "/echo", None, token=user_token(entra, upn)["access_token"]).opened()
            for upn in ("mia@birch.example", "ada@birch.example")
        ]
        (known,) = (await house.administration.people.page()).people
        await house.administration.deactivate(known.id, by=ROOT)
        assert await mia.until_closed() == []
        assert await ada.says("still here") == "Ada Admin: still here"
        ada.task.cancel()
        await asyncio.wait([ada.task])


def _mia(entra: Entra) -> User:
    person = entra.user()
    return User(issuer="https://login.example", subject="mia", tenant_id=person.tenant_id, object_id=person.id)
