"""WebSockets that a session let in end with it: signed out, deactivated or too old, nothing more goes either way.

A request asks for its session once; a socket stays open for hours. So the session is looked up again and again while it
is. What the person sends on the socket counts as use of the session, as a request does.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada.errors import Unavailable
from entrada.logs import log
from entrada.web.context import Context
from entrada.web.failures import POLICY_VIOLATION

EVERY = timedelta(seconds=3)  # one look-up of each socket that is open; how long an end may take to be felt
ACCEPT, RECEIVED = "websocket.accept", "websocket.receive"
CLOSE, DISCONNECT = "websocket.close", "websocket.disconnect"


def ends_with_session(app: ASGIApp, context: Context) -> ASGIApp:
    """Return the application for one WebSocket, which ends with the session of its request."""

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        await OpenSocket(context, receive, send).run(app, scope)

    return run


class OpenSocket:
    """One WebSocket on its way through the application."""

    def __init__(self, context: Context, receive: Receive, send: Send) -> None:
        self._context = context
        self._receive = receive
        self._send = send
        self._watch: asyncio.Task[None] | None = None
        self._waiting: asyncio.Future[Message] | None = None
        self._used = self._over = False

    def is_over(self) -> bool:
        """Whether the session has ended."""
        return self._over

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run the application with it."""
        try:
            await app(scope, self.receive, self.send)
        finally:
            if self._watch is not None:
                self._watch.cancel()
                await asyncio.wait([self._watch])

    async def receive(self) -> Message:
        """Hand on the next message; once the session has ended, that the socket has."""
        if self.is_over():
            return _gone()
        self._waiting = asyncio.ensure_future(self._receive())
        try:
            message = await self._waiting
        except asyncio.CancelledError:
            if not self.is_over():  # it is the application's task that ends
                raise
            return _gone()
        self._used = self._used or message["type"] == RECEIVED
        return message

    async def send(self, message: Message) -> None:
        """Hand a message on; OSError, as for a connection that is gone, once the session has ended."""
        if self.is_over():
            raise OSError("the session has ended, and its WebSocket with it")
        await self._send(message)
        if message["type"] == ACCEPT and self._context.found_session is not None:
            self._watch = asyncio.get_running_loop().create_task(self._close_with_session())

    async def _close_with_session(self) -> None:
        while not self._over:
            await asyncio.sleep(EVERY.total_seconds())
            used, self._used = self._used, False
            self._over = not await session_lives(self._context, used=used)
        log.info("socket_closed", reason="session_ended")
        with suppress(OSError, RuntimeError):  # which servers raise when the browser has gone by itself meanwhile
            await self._send({"type": CLOSE, "code": POLICY_VIOLATION, "reason": ""})
        if self._waiting is not None:
            self._waiting.cancel()


async def session_lives(context: Context, *, used: bool) -> bool:
    """Look the session of a request up that still goes on; while the store does not answer nobody is put out.

    `used` says whether the person has done something since, which counts as use of the session.
    """
    sessions, session_id = context.house.sessions, context.session_id or ""
    try:
        return await (sessions.visit if used else sessions.load)(session_id) is not None
    except Unavailable:
        return True
    except Exception:
        log.exception("socket_not_watched")
        return False


def _gone() -> Message:
    return {"type": DISCONNECT, "code": POLICY_VIOLATION, "reason": ""}
