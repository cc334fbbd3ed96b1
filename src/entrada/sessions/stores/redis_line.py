"""A connection of our own to Redis, on which it says by itself which of the keys that were read there have changed.

Everything on it comes in the order in which Redis did it: an answer that is followed by no word of a change is still
true. redis-py, which does all else, shares out its connections and so keeps no such order.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, cast

from hiredis import HiredisError, PushNotification, Reader, ReplyError, pack_command

from entrada.store_url import StoreUrl

Place = tuple[str, int]
"""Host and port; the path of a socket, and nought."""
Answered = Callable[[Any], None]
"""Is given the answer to one command, or the error: a ReplyError of the server's, or LineLost."""

MORE = object()


class LineLost(Exception):
    """The connection broke, or was given up, before the answer came."""


class LineRefused(Exception):
    """The server does not speak so, or does not let this user; its text is the error's first word."""


class Line(asyncio.Protocol):
    """One connection: commands go out at once, answers come in their order."""

    def __init__(self, *, changed: Callable[[Sequence[bytes] | None], None], lost: Callable[[], None]) -> None:
        """`changed` is told the names of keys that have changed, None for all of them; `lost`, once, of the end."""
        self._changed = changed
        self._lost = lost
        self._reader = Reader(notEnoughData=MORE)
        self._waiting: deque[Answered] = deque()
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        """Whether anything can be sent."""
        return self._transport is not None and not self._transport.is_closing()

    def send(self, *command: bytes | str | int, answered: Answered) -> None:
        """Send a command; `answered` is called exactly once, before anything that Redis says after it is looked at."""
        if not self._transport or not self.open:
            answered(LineLost())
            return
        self._waiting.append(answered)
        self._transport.write(pack_command(command))  # type: ignore[arg-type]  # its stub means tuples of any length

    async def ask(self, *command: bytes | str | int) -> Any:
        """Send a command and return the answer; LineRefused or LineLost."""
        found: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.send(*command, answered=lambda answer: None if found.done() else found.set_result(answer))
        answer = await found
        if isinstance(answer, ReplyError):
            raise LineRefused(str(answer).partition(" ")[0])
        if isinstance(answer, LineLost):
            raise answer
        return answer

    def give_up(self) -> None:
        """End it now; whoever waits is told."""
        if self._transport:
            self._transport.abort()
            self._end()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name

    def data_received(self, data: bytes) -> None:
        """Hand out what Redis says, in its order; what is no sense ends the line."""
        try:
            self._reader.feed(data)
            while self._transport and (said := self._reader.gets()) is not MORE:
                self._heard(said)
        except (HiredisError, IndexError, TypeError, ValueError):
            self.give_up()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 the protocol's
        """Tell all who wait."""
        self._end()

    def _heard(self, said: Any) -> None:
        if not isinstance(said, PushNotification):
            self._waiting.popleft()(said)
        elif said[0] == b"invalidate":
            self._changed(said[1])

    def _end(self) -> None:
        if self._transport is None:
            return
        self._transport = None
        self._lost()
        while self._waiting:
            self._waiting.popleft()(LineLost())


class Lines:
    """Opens lines to the servers of one address."""

    def __init__(self, url: StoreUrl) -> None:
        self._url = url
        self._tls: ssl.SSLContext | None = None

    async def open(self, place: Place, line: Line) -> None:
        """Connect, sign in, and let Redis tell of changes; OSError, LineRefused or LineLost."""
        host, port = place
        loop = asyncio.get_running_loop()
        if host.startswith("/"):
            await loop.create_unix_connection(lambda: line, host)
        else:
            await loop.create_connection(lambda: line, host, port, ssl=self._context())
        user, password = self._url.username or "default", self._url.password
        await line.ask("HELLO", 3, *(("AUTH", user, password) if password else ()))
        if self._url.kind == "redis" and not host.startswith("/"):
            await line.ask("SELECT", int(self._url.path or 0))
        elif self._url.kind == "sentinel":
            await line.ask("SELECT", int(self._url.path.partition("/")[2] or 0))
        await line.ask("CLIENT", "TRACKING", "ON")

    def _context(self) -> ssl.SSLContext | None:
        if self._url.tls and self._tls is None:
            files = self._url.options
            self._tls = ssl.create_default_context()
            if ours := files.get("ssl_ca_certs"):
                self._tls.load_verify_locations(ours)
            if certificate := files.get("ssl_certfile"):
                self._tls.load_cert_chain(certificate, files.get("ssl_keyfile"))
        return self._tls
