"""What a request brings, on its way up: a short body is kept, so that it can be sent again; a long one streams."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping

import httpx2
from starlette.types import Message, Receive

from entrada.web.guards.csrf import SAFE_METHODS

KEPT_BYTES = 64 * 1024


class ClientGone(Exception):
    """Whoever asked has gone before their request was whole."""


class Body:
    """The body of one request, which is read no faster than the upstream takes it."""

    def __init__(self, receive: Receive, *, brings: bool) -> None:
        self.read = asyncio.Event()
        """Set when no more of it will be read: what comes next is that the client has gone."""
        self.on_pause: Callable[[], None] = _nothing
        self.on_piece: Callable[[], None] = _nothing
        self._receive = receive
        self._brings = brings
        self._begun: list[bytes] = []

    @classmethod
    async def begun(cls, method: str, headers: Mapping[bytes, bytes], receive: Receive) -> "Body":
        """Return the body, read as far as it is kept."""
        said = not headers.keys().isdisjoint({b"content-length", b"transfer-encoding"})
        body = cls(receive, brings=said or method not in SAFE_METHODS)
        if not body._brings:
            body.read.set()
        size = 0
        while not body.read.is_set() and size <= KEPT_BYTES:
            size += len(await body._next())
        return body

    @property
    def stream(self) -> httpx2.AsyncByteStream:
        """What goes up: a ByteStream, which can be sent again, or what can be read once."""
        return httpx2.ByteStream(b"".join(self._begun)) if self.read.is_set() else Once(self._pieces())

    def measure(self, headers: Mapping[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        """Return the one header that says how long it is; none of a request that brings none."""
        if self.read.is_set():
            length = sum(map(len, self._begun))
            return [(b"content-length", b"%d" % length)] if length or self._brings else []
        if b"transfer-encoding" in headers or b"content-length" not in headers:
            return [(b"transfer-encoding", b"chunked")]
        return [(b"content-length", headers[b"content-length"])]

    async def _pieces(self) -> AsyncGenerator[bytes, None]:
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


class Once(httpx2.AsyncByteStream):
    """A body that is read while it is sent."""

    def __init__(self, pieces: AsyncGenerator[bytes, None]) -> None:
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._pieces

    async def aclose(self) -> None:
        """Let go of what was not sent."""
        await self._pieces.aclose()


def _nothing() -> None:
    pass
