"""What the tests of faults share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.faults.workers import Cluster, cluster


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]) -> AsyncIterator[Cluster]:
    """Two workers on one SQLite file, both of which can be armed."""
    folder: Path = tmp_path_factory.mktemp("two")
    with (
        served(folder / "emulator", keys=entra_keys) as entra,
        cluster(entra, folder, workers=2, points=True) as running,
    ):
        for worker in running.workers:
            await worker.ready()
        yield running
