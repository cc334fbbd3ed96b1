"""WebSockets that a session or a bearer token let in end with it: signed out, deactivated or too old, nothing more goes
either way.

That is looked at again and again while it is open. What the person sends on it counts as use of the session, as a
request does.
"""

import asyncio
from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada.logs import log
from entrada.web.context import Context
from entrada.web.failures import POLICY_VIOLATION
from entrada.web.let_in import EVERY, LetIn

CLOSE_SECONDS = 5.0  # for a browser that does not read to take the goodbye
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

    def is_over(self) -> bool:
        """Whether the session or the token has ended."""
        return self._over

    async def run(self, app: ASGIApp, scope: Scope) -> None:
        """Run the application with it."""
        try:
            await app(scope, self.receive, self.send)
        finally:
            if self._watch is not None:
                await self._end_watch(self._watch)

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
        if (let_in := LetIn.of(self._context)) is not None:
            self._watch = asyncio.get_running_loop().create_task(self._close_after(let_in))

    async def _end_watch(self, watch: asyncio.Task[None]) -> None:
        if self.is_over():  # then it is about to say so
            await asyncio.wait([watch], timeout=CLOSE_SECONDS)
        watch.cancel()
        await asyncio.wait([watch])

    async def _close_after(self, let_in: LetIn) -> None:
        while not self._over:
            await asyncio.sleep(EVERY.total_seconds())
            used, self._used = self._used, False
            self._over = not await let_in.lasts(used=used)
        log.info("socket_closed", reason=let_in.ending)
        if self._waiting is not None:  # Granian closes nothing while somebody waits for a message
            self._waiting.cancel()
            await asyncio.wait([self._waiting])
        with suppress(OSError, RuntimeError):  # which servers raise when the browser has gone by itself meanwhile
            await self._send({"type": CLOSE, "code": POLICY_VIOLATION, "reason": ""})


def _gone() -> Message:
    return {"type": DISCONNECT, "code": POLICY_VIOLATION, "reason": ""}
