"""What the users' database promises of its file, where it is SQLite."""

import sqlite3
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.moved_clock import MovedClock


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(None, data_dir=tmp_path / "data")
    await opened.bring_up()
    yield opened
    await opened.close()


async def test_the_file_is_the_owners_with_foreign_keys_on(database: Database, tmp_path: Path) -> None:
    """The file may be read by its owner only, and every connection checks foreign keys (SEC-176, USR-2)."""
    async with database.unit_of_work() as connection:
        assert (await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar() == 1
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2
    modes = {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "data").iterdir()}
    assert modes == {0o600}


async def test_a_locked_database_is_unavailable(database: Database, clock: MovedClock, tmp_path: Path) -> None:
    """A sign-in behind a lock that is not let go is StoreUnavailable after a bounded wait (REL-024)."""
    other = sqlite3.connect(tmp_path / "data" / "entrada.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await Directory(database).signed_in(User(issuer="i", subject="s"), clock())
    other.close()


async def test_a_file_that_is_no_database_is_refused_plainly(tmp_path: Path) -> None:
    """A file of something else is refused with its path, and stays as it is (REL-026)."""
    await anyio.Path(tmp_path / "entrada.db").write_bytes(b"something else" * 200)
    database = Database(None, data_dir=tmp_path)
    with pytest.raises(SettingsRefused, match=r"database_url: .*entrada\.db: is damaged or no SQLite file"):
        await database.bring_up()
    await database.close()
