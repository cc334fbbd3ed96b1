"""A uvicorn that stops as those who run it expect: not ready first, then finished, then gone with status 0."""

import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from types import FrameType

import uvicorn
from uvicorn.config import STARTUP_FAILURE

from entrada.cli.patience import patient
from entrada.web.routes.health import STOPPING


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
