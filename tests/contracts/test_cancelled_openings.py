"""Whoever goes away while a connection of the users' database is opened for them leaves none behind (REL-031)."""

from pathlib import Path

import anyio
import pytest

from entrada.users.database import Database
from tests.descriptors import descriptors


@pytest.mark.parametrize("moment", range(3))
async def test_nothing_stays_open(database_url: str, tmp_path: Path, moment: int) -> None:
    """Cancelled at any moment, an opening ends by itself: once the database is closed, nothing of it is open."""
    before = len(descriptors())
    opened = Database(database_url, data_dir=tmp_path / "unused")
    await opened.bring_up()

    async def look(patience: float) -> None:
        with anyio.move_on_after(patience):
            await opened.check()

    async with opened.unit_of_work(read_only=True), anyio.create_task_group() as group:  # none lies ready for these
        for number in range(9):
            group.start_soon(look, (number + moment / 3) / 1000)
    await opened.close()
    await anyio.wait_all_tasks_blocked()
    assert len(descriptors()) == before
