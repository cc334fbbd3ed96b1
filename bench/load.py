"""A small HTTP/1.1 load generator: a fixed number of keep-alive connections, each with one request in flight."""

import asyncio
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

from bench.contender import PATH

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Run:
    """What one run saw."""

    requests: int
    seconds: float
    busy: float
    """The share of that time that this process, the one that calls, used a processor."""

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


class _Caller(asyncio.Protocol):
    """One connection; sends the next request as soon as the answer is whole."""

    transport: asyncio.Transport

    def __init__(self, requests: Iterator[bytes], until: float, done: asyncio.Future[int]) -> None:
        self.requests, self.until, self.done = requests, until, done
        self.buffer, self.answers = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # create_connection gives a Transport
        self.transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        if not self.buffer.startswith(b"HTTP/1.1 200"):
            self._stop(RuntimeError(f"answered {self.buffer[:60]!r}"))
            return
        length = LENGTH.search(self.buffer, 0, end + 2)
        if length and len(self.buffer) >= end + 4 + int(length[1]):
            self.buffer = b""
            self.answers += 1
            if time.perf_counter() < self.until:
                self.transport.write(next(self.requests))
            else:
                self._stop(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop(exc or ConnectionError("the server closed the connection"))

    def _stop(self, error: Exception | None) -> None:
        if self.done.done():
            return
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(self.answers)
        self.transport.close()


def _request(port: int, headers: dict[str, str]) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"GET {PATH} HTTP/1.1\r\nhost: localhost:{port}\r\naccept: application/json\r\n{lines}\r\n".encode()


def in_turn(port: int, callers: list[dict[str, str]]) -> Iterator[bytes]:
    """Give the callers' requests one after another, without end: a later `call` goes on where the last one stopped."""
    return cycle([_request(port, headers) for headers in callers])


async def call(port: int, requests: Iterator[bytes], *, seconds: float, connections: int = 16) -> Run:
    """Call the protected endpoint for some seconds; RuntimeError when an answer is not 200."""
    loop = asyncio.get_running_loop()
    started, used = time.perf_counter(), time.process_time()
    waits: list[asyncio.Future[int]] = [loop.create_future() for _ in range(connections)]
    for done in waits:
        await loop.create_connection(lambda done=done: _Caller(requests, started + seconds, done), "127.0.0.1", port)  # type: ignore[misc]
    answers = await asyncio.gather(*waits)
    seconds = time.perf_counter() - started
    return Run(sum(answers), seconds, (time.process_time() - used) / seconds)
