"""WebSockets that a session or a bearer token let in end with it: signed out, deactivated or too old, nothing more goes
either way.

A request asks once who is there; a socket stays open for hours. So that is asked again and again while it is. What the
person sends on the socket counts as use of the session, as a request does.
"""

import asyncio
from contextlib import suppress
from datetime import timedelta

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada.errors import Unavailable
from entrada.logs import log
from entrada.web import bearer
from entrada.web.context import Context
from entrada.web.failures import POLICY_VIOLATION

EVERY = timedelta(seconds=3)  # one look at each socket that is open; how long an end may take to be felt
ACCEPT, RECEIVED = "websocket.accept", "websocket.receive"
CLOSE, DISCONNECT = "websocket.close", "websocket.disconnect"


def ends_in_time(app: ASGIApp, context: Context) -> ASGIApp:
    """Return the application for one WebSocket, which ends with the session or the token of its request."""

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
        self._until = 0.0

    def is_over(self) -> bool:
        """Whether the session or the token has ended."""
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
        """Hand on the next message; once it is over, that the socket has ended."""
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
        """Hand a message on; OSError, as for a connection that is gone, once it is over."""
        if self.is_over():
            raise OSError("the session or token has ended, and its WebSocket with it")
        await self._send(message)
        if message["type"] == ACCEPT:
            self._begin_to_watch()

    def _begin_to_watch(self) -> None:
        if self._context.found_session is not None:
            self._watch = asyncio.get_running_loop().create_task(self._close_when_over("session_ended"))
        elif self._context.caller is not None:
            self._until = bearer.believed_until(self._context)
            self._watch = asyncio.get_running_loop().create_task(self._close_when_over("token_ended"))

    async def _close_when_over(self, reason: str) -> None:
        while not self._over:
            await asyncio.sleep(EVERY.total_seconds())
            self._over = not await self._lives()
        log.info("socket_closed", reason=reason)
        with suppress(OSError, RuntimeError):  # which servers raise when the browser has gone by itself meanwhile
            await self._send({"type": CLOSE, "code": POLICY_VIOLATION, "reason": ""})
        if self._waiting is not None:
            self._waiting.cancel()

    async def _lives(self) -> bool:
        used, self._used = self._used, False
        if self._context.found_session is not None:
            return await session_lives(self._context, used=used)
        return await self._token_lives()

    async def _token_lives(self) -> bool:
        """Look at the token; while that cannot be told, it is good until the time that was known when it was last."""
        try:
            good = await bearer.is_good(self._context)
        except Unavailable:
            return self._context.house.clock().timestamp() < self._until
        except Exception:
            log.exception("socket_not_watched")
            return False
        self._until = bearer.believed_until(self._context)
        return good


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
