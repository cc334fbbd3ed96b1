"""Whether somebody still waits for an answer, and may still have it."""

import asyncio
from types import TracebackType
from typing import Self

import anyio
from starlette.types import Receive

from entrada.web.context import Context
from entrada.web.let_in import EVERY, LetIn
from entrada.web.proxy.body import Body


class Presence:
    """A block that is left early when the client goes away, or when what let the request in has ended."""

    def __init__(self, context: Context, body: Body, receive: Receive) -> None:
        self.ended: LetIn | None = None
        """What has ended of what let the request in."""
        self._let_in = LetIn.of(context)
        self._body = body
        self._receive = receive
        self._scope = anyio.CancelScope()
        self._watches: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._scope.__enter__()
        watches = [self._until_gone()]
        if self._let_in is not None:
            watches.append(self._until_ended(self._let_in))
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

    async def _until_ended(self, let_in: LetIn) -> None:
        """Look again and again, as for WebSockets: who has signed out, or whose token is over, gets nothing more."""
        while self.ended is None:
            await asyncio.sleep(EVERY.total_seconds())
            if not await let_in.lasts():
                self.ended = let_in
        self._scope.cancel()
