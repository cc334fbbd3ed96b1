"""Whether somebody still waits for an answer, and may still have it."""

import asyncio
from types import TracebackType
from typing import Self

import anyio
from starlette.types import Receive

from entrada.web.context import Context
from entrada.web.middleware.open_sockets import EVERY, session_lives
from entrada.web.proxy.body import Body


class Presence:
    """A block that is left early when the client goes away, or when the session ends that let the request in."""

    def __init__(self, context: Context, body: Body, receive: Receive) -> None:
        self.session_ended = False
        self._context = context
        self._body = body
        self._receive = receive
        self._scope = anyio.CancelScope()
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._scope.__enter__()
        watches = [self._until_gone()]
        if self._context.found_session is not None:
            watches.append(self._until_session_ends())
        self._watches = [asyncio.create_task(each) for each in watches]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        left = self._scope.__exit__(kind, error, trace)
        for each in self._watches:
            each.cancel()
        await asyncio.gather(*self._watches, return_exceptions=True)
        return left

    async def _until_gone(self) -> None:
        await self._body.read.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._scope.cancel()

    async def _until_session_ends(self) -> None:
        """Look again and again, as for WebSockets: who has signed out gets nothing more."""
        while not self.session_ended:
            await asyncio.sleep(EVERY.total_seconds())
            self.session_ended = not await session_lives(self._context, used=False)
        self._scope.cancel()
