"""A TCP proxy with faults: between an application and whatever it depends on, on a free port of this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal

Fault = Literal["none", "delay", "blackhole", "drop", "half_open", "truncate", "garbage"]
PIECE = 65536


@dataclass(slots=True)
class Proxy:
    """Passes bytes on, as long as `fault` is none. A change takes effect on the next piece of bytes."""

    host: str
    target_port: int
    port: int = 0
    fault: Fault = "none"
    seconds: float = 0.0
    """How long `delay` holds back each piece."""
    keep: int = 100
    """How many bytes of an answer `truncate` and `garbage` let through before they act."""
    only: bytes = b""
    """Only connections on which this has been asked are befallen, from then on."""
    once: bool = False
    """Whether `truncate` is over as soon as it has cut one answer."""
    connections: int = 0
    """How many were opened so far."""
    _open: set[asyncio.StreamWriter] = field(default_factory=set, repr=False)

    def drop_all(self) -> None:
        """Reset every open connection."""
        for writer in self._open:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join one connection to a new one to the target."""
        self.connections += 1
        if self.fault == "drop" and not self.only:
            writer.transport.abort()
            return
        there, onward = await asyncio.open_connection(self.host, self.target_port)
        self._open |= {writer, onward}
        befallen = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pass(reader, onward, befallen, answer=False))
                both.create_task(self._pass(there, writer, befallen, answer=True))
        except* OSError:
            pass
        finally:
            self._open -= {writer, onward}
            for each in (writer, onward):
                each.transport.abort()

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, befallen: asyncio.Event, *, answer: bool
    ) -> None:
        passed = 0
        while piece := await reader.read(PIECE):
            if not self.only or (not answer and self.only in piece):
                befallen.set()
            if befallen.is_set() and self.fault == "delay":
                await asyncio.sleep(self.seconds)
            fault = self.fault if befallen.is_set() else "none"
            if fault == "blackhole" or (fault == "half_open" and answer):
                continue  # taken, and never seen again
            if fault == "drop":
                raise ConnectionResetError
            if answer and fault == "garbage":
                piece = piece[: self.keep] + bytes(byte ^ 0x5A for byte in piece[self.keep :])
            if answer and fault == "truncate":
                self.fault = "none" if self.once else fault
                writer.write(piece[: max(0, self.keep - passed)])
                await writer.drain()
                raise ConnectionResetError
            writer.write(piece)
            passed += len(piece)
            await writer.drain()
        with suppress(OSError):
            writer.write_eof()


@asynccontextmanager
async def proxy(target_port: int, *, host: str = "127.0.0.1") -> AsyncIterator[Proxy]:
    """Run a proxy in front of a port while the block lasts."""
    running = Proxy(host, target_port)
    server = await asyncio.start_server(running.serve, "127.0.0.1", 0)
    running.port = server.sockets[0].getsockname()[1]
    try:
        yield running
    finally:
        server.close()
        running.drop_all()
        await asyncio.sleep(0)
