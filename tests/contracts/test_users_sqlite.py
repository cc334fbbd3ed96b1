"""What the users' database promises of its file, where it is SQLite."""

import sqlite3
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import anyio
import pytest
from sqlalchemy import insert

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.tables import users
from tests.contracts.databases import said
from tests.moved_clock import MovedClock

NOW = datetime(2026, 5, 1, tzinfo=UTC)


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


async def made(tmp_path: Path, *, people: int = 200) -> Path:
    """Return a database of a few people, closed."""
    database = Database(None, data_dir=tmp_path)
    await database.bring_up()
    same = {"name": "", "username": "", "is_active": True, "created_at": NOW, "last_sign_in_at": NOW}
    async with database.unit_of_work() as connection:
        rows = [{"id": uuid4(), "issuer": "i" * 200, "subject": f"{n:0200}", **same} for n in range(people)]
        await connection.execute(insert(users), rows)
    await database.close()
    return tmp_path / "entrada.db"


async def refused(tmp_path: Path, match: str) -> None:
    database = Database(None, data_dir=tmp_path)
    with pytest.raises(SettingsRefused, match=match):
        await database.bring_up()
    await database.close()


async def test_a_lost_file_is_not_made_anew(tmp_path: Path) -> None:
    """REL-026: where there were people an empty database is never made silently; deleting the note begins anew."""
    path = await made(tmp_path, people=1)
    path.unlink()
    await refused(tmp_path, r"entrada\.db: is missing; restore it from a backup, or delete it and entrada\.db\.made")
    assert not path.exists()
    (tmp_path / "entrada.db.made").unlink()
    assert await made(tmp_path, people=1) == path


async def test_an_emptied_file_is_not_filled_anew(tmp_path: Path) -> None:
    """REL-026: nor is one whose content is gone."""
    path = await made(tmp_path, people=1)
    path.write_bytes(b"")
    await refused(tmp_path, "has lost its tables")


@pytest.mark.parametrize("page", [0, 1, 8, 20])
async def test_a_damaged_page(tmp_path: Path, page: int) -> None:
    """REL-026: a page that was overwritten keeps the application from starting, with the path and the mend."""
    path = await made(tmp_path)
    with path.open("r+b") as file:
        file.seek(page * 4096)
        file.write(b"\xa5" * 4096)
    await refused(tmp_path, r"entrada\.db: .*restore it from a backup")


@pytest.mark.parametrize("cut", [0, 30, 5000])
async def test_a_lost_log(tmp_path: Path, cut: int) -> None:
    """REL-026: when the write-ahead log was deleted or cut short, what was in the file itself is still there."""
    path = await made(tmp_path, people=1)
    saved = tmp_path / "saved"
    saved.mkdir(mode=0o700)
    database = Database(None, data_dir=tmp_path)
    await database.bring_up()
    await Directory(database).signed_in(User(issuer="i", subject="late"), NOW)
    for file in (path, tmp_path / "entrada.db.made"):
        (saved / file.name).write_bytes(file.read_bytes())
    (saved / "entrada.db-wal").write_bytes((tmp_path / "entrada.db-wal").read_bytes()[:cut])
    await database.close()
    found = Database(None, data_dir=saved)
    await found.bring_up()
    async with found.unit_of_work() as connection:
        assert (await connection.exec_driver_sql("SELECT count(*) FROM entrada_user")).scalar() in {1, 2}
        assert (await connection.exec_driver_sql("PRAGMA integrity_check")).scalar() == "ok"
    await found.close()


@pytest.mark.parametrize("exchanged", [False, True])
async def test_a_file_removed_under_us_takes_nothing(database: Database, tmp_path: Path, exchanged: bool) -> None:
    """REL-026: when the file was removed or exchanged a sign-in is unavailable, and no empty file is made."""
    path, ada = tmp_path / "data" / "entrada.db", User(issuer="i", subject="ada")
    await Directory(database).signed_in(ada, NOW)
    content = path.read_bytes()
    path.rename(tmp_path / "elsewhere")
    if exchanged:
        path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="removed or exchanged"):
        await Directory(database).signed_in(ada, NOW)
    assert path.exists() == exchanged


async def test_back_after_it_was_away(database: Database, tmp_path: Path) -> None:
    """REL-020, REL-026: a connection that is wanted meanwhile makes no file, which would be asked when it is back."""
    path = tmp_path / "data" / "entrada.db"
    await Directory(database).signed_in(User(issuer="i", subject="ada"), NOW)
    async with database.unit_of_work(read_only=True):
        path.rename(tmp_path / "elsewhere")
        with pytest.raises(StoreUnavailable):
            await said(database, "SELECT count(*) FROM entrada_user")
        assert not path.exists()
        (tmp_path / "elsewhere").rename(path)
        assert await said(database, "SELECT count(*) FROM entrada_user") == [(1,)]
