"""The page of numbers: this worker's, and those of the others on this machine where the settings offer `/metrics`."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import anyio.to_thread

from entrada.background import Chore, Chores
from entrada.errors import SettingsRefused
from entrada.logs import log
from entrada.settings import Settings
from entrada.web.monitoring.exposition import text
from entrada.web.monitoring.metrics import FAMILIES, Metrics
from entrada.web.monitoring.worker_numbers import WorkerNumbers
from entrada.web.proxy.meter import Meter

DIRECTORY = "metrics"  # in data_dir
WRITE_EVERY = timedelta(seconds=2)  # some kB into a file, which nobody syncs


class Numbers:
    """What a worker knows of itself and the others."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self._metrics = metrics
        directory = Path(settings.data_dir) / DIRECTORY
        self._workers = WorkerNumbers(directory, FAMILIES) if settings.metrics_offered else None

    def chores(self) -> Iterator[Chore]:
        """Give what goes on beside the requests where others read our numbers."""
        if self._workers is not None:
            yield Chore("metrics", WRITE_EVERY, self.write)

    def refused(self, error: Exception) -> None:
        """Count a request that was answered with an error of ours."""
        self._metrics.refusals.add(type(error).__name__)

    def of_upstream(self, base: str) -> Meter:
        """Return what counts the requests that are passed on to this address."""
        return self._metrics.upstreams.setdefault(base, Meter())

    async def page(self) -> str:
        """Return all numbers for Prometheus; this worker's alone when the others' cannot be read."""
        samples = self._metrics.samples()
        if self._workers is not None:
            try:
                samples = await anyio.to_thread.run_sync(self._workers.together, samples)
            except OSError as error:
                log.warning("metrics_of_others_not_read", reason=type(error).__name__)
        return text(samples, FAMILIES)

    async def write(self) -> None:
        """Put this worker's numbers where the others find them; OSError when the disk refuses."""
        if self._workers is not None:
            await anyio.to_thread.run_sync(self._workers.write, self._metrics.samples())

    async def start(self, chores: Chores) -> None:
        """Say from now on how these go, and write the first time; a disk that refuses keeps nobody from starting."""
        self._metrics.watch(chores)
        await self._written()

    async def close(self) -> None:
        """Write the last numbers and let go."""
        await self._written()
        if self._workers is not None:
            self._workers.close()

    async def _written(self) -> None:
        try:
            await self.write()
        except (OSError, SettingsRefused) as error:
            log.warning("metrics_not_written", reason=type(error).__name__)
