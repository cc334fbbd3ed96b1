"""A uvicorn that stops as those who run it expect: not ready first, then finished, then gone with status 0."""

import asyncio
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from socket import socket
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from entrada.cli.patience import patient
from entrada.web.routes.health import STOPPING

HEAR = 0.5  # seconds from opening a connection to asking on it; a proxy does both at once


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the server waits, in seconds."""

    drain: float
    """After SIGTERM, until it takes no more."""
    finish: int
    """Then, for what is under way."""
    head: float
    """For the whole head of a request."""
    keep_alive: int
    """For another request on a connection; longer than a proxy in front waits, or the two meet half-way."""


class Server(uvicorn.Server):
    """One process. SIGTERM lets it drain: it goes on serving, and is not ready; then it ends what it has and exits.

    uvicorn itself closes its door at once, and when it has cleaned up ends by the signal, which looks like a failure to
    whoever started it.
    """

    def __init__(self, config: uvicorn.Config, *, drain: float) -> None:
        super().__init__(config)
        self._http: Any = config.http_protocol_class
        self._drain = drain
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain at the first SIGTERM; stop at the second, and at Ctrl-C as uvicorn does."""
        if sig != signal.SIGTERM:
            super().handle_exit(sig, frame)
        elif self._stop_at is None and self.started:
            self._stop_at = time.monotonic() + self._drain
            self.lifespan.state[STOPPING] = True
        else:
            self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Say whether to stop now."""
        drained = self._stop_at is not None and time.monotonic() >= self._stop_at
        return await super().on_tick(counter) or drained

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Take nobody new, and hear whoever has just come: uvicorn closes what has asked nothing yet (REL-073)."""
        doors = list[socket]()
        for server in self.servers:
            with suppress(OSError):  # not one descriptor is left
                doors += [listening.dup() for listening in server.sockets]
            server.close()
        for door in doors:
            await self._let_in_from(door)
        await asyncio.sleep(0)  # whoever was let in last is among them then
        if any(map(_silent, self.server_state.connections)):
            await asyncio.sleep(HEAR)
        await super().shutdown(sockets)

    async def _let_in_from(self, door: socket) -> None:
        """Let in who waits there, and close it: the system resets what it has taken and nobody has accepted."""
        waiting = []
        door.setblocking(False)
        with door, suppress(OSError):
            while True:
                waiting.append(door.accept()[0])
        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        state = {"server_state": self.server_state, "app_state": self.lifespan.state}
        made: asyncio.Protocol = self._http(config=self.config, **state)
        return made


def _silent(connection: object) -> bool:
    return getattr(connection, "silent", False)


def serve(app: str, *, host: str, port: int, patience: Patience) -> None:
    """Serve until told to stop; SettingsRefused and other start errors come out as they are."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=patient(patience.head),
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=patience.finish,
        timeout_keep_alive=patience.keep_alive,
    )
    config.load()
    server = Server(config, drain=patience.drain)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(STARTUP_FAILURE)
