"""What a request brings, on its way up: a short body is kept, so that it can be sent again; a long one streams."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.types import Message, Receive

from entrada.web.guards.csrf import SAFE_METHODS

KEPT_BYTES = 64 * 1024


class ClientGone(Exception):
    """Whoever asked has gone before their request was whole."""


class Body:
    """The body of one request, which is read no faster than the upstream takes it."""

    def __init__(self, receive: Receive) -> None:
        self.read = asyncio.Event()
        """Set when no more of it will be read: what comes next is that the client has gone."""
        self.on_pause: Callable[[], None] = _nothing
        self.on_piece: Callable[[], None] = _nothing
        self._receive = receive
        self._begun: list[bytes] = []

    @classmethod
    async def begun(cls, method: str, headers: Mapping[bytes, bytes], receive: Receive) -> "Body":
        """Return the body, read as far as it is kept."""
        body = cls(receive)
        brings = not headers.keys().isdisjoint({b"content-length", b"transfer-encoding"}) or method not in SAFE_METHODS
        if not brings:
            body.read.set()
        size = 0
        while not body.read.is_set() and size <= KEPT_BYTES:
            size += len(await body._next())
        return body

    @property
    def content(self) -> bytes | AsyncIterator[bytes]:
        """What goes up: bytes, which can be sent again, or what can be read once."""
        return b"".join(self._begun) if self.read.is_set() else self._pieces()

    async def _pieces(self) -> AsyncIterator[bytes]:
        try:
            while self._begun:
                yield self._begun.pop(0)
                self.on_piece()
            while not self.read.is_set():
                self.on_pause()
                await self._next()
                self.on_piece()
                yield self._begun.pop(0)
        finally:
            self.read.set()

    async def _next(self) -> bytes:
        message: Message = await self._receive()
        if message["type"] != "http.request":
            self.read.set()
            raise ClientGone
        piece: bytes = message.get("body", b"")
        self._begun.append(piece)
        if not message.get("more_body", False):
            self.read.set()
        return piece


def _nothing() -> None:
    pass
