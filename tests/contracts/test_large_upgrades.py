"""An audit log that has grown large gets new indexes: no start hangs over it, and nobody who writes is held up."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import asyncpg
import pytest

from entrada.audit.trail import AuditTrail
from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.keyring import KeyRing
from entrada.users.database import Database
from entrada.users.upgrade import Step, indexes_after
from tests.contracts.audit_rows import SIGN_IN, checked, written
from tests.moved_clock import MovedClock

BEFORE = "0008"  # the step before indexes of the audit log
INDEXES = indexes_after(BEFORE)
AS_BEFORE = f"DROP TABLE IF EXISTS entrada_photo; UPDATE entrada_schema SET version_num = '{BEFORE}'"
WHOLE = "SELECT count(*) FROM pg_index WHERE indisvalid AND indexrelid = to_regclass($1)"


@pytest.fixture
async def worker(schema_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    """A worker of the release before, at its work."""
    database = Database(schema_url, data_dir=tmp_path)
    await database.bring_up()
    yield database
    await database.close()


@pytest.fixture
async def trail(
    worker: Database, ring: KeyRing, clock: MovedClock, other: asyncpg.Connection
) -> AsyncIterator[AuditTrail]:
    """The log of that worker: some rows, and the server believes that there are five million."""
    trail = AuditTrail(worker, ring, clock=clock)
    await written(trail, 3)
    for name in INDEXES:
        await other.execute(f"DROP INDEX {name}")
    await other.execute(AS_BEFORE)
    await other.execute("UPDATE pg_class SET reltuples = 5e6 WHERE oid = 'entrada_audit'::regclass")
    yield trail
    await trail.aclose()


async def whole(other: asyncpg.Connection) -> list[str]:
    """Return which of the indexes are there, and whole."""
    return [name for name in INDEXES if await other.fetchval(WHOLE, name)]


async def upgraded(url: str, tmp_path: Path) -> list[str]:
    """Do what `entrada db upgrade` does; return the steps that it told."""
    database, told = Database(url, data_dir=tmp_path), list[Step]()
    await database.upgrade(told.append)
    await database.close()
    return [step.revision for step in told]


async def test_a_start_says_what_to_run(
    schema_url: str, tmp_path: Path, other: asyncpg.Connection, worker: Database, trail: AuditTrail, ring: KeyRing
) -> None:
    """It is refused at once, with the command that mends it, and changes nothing; then it starts."""
    assert len(INDEXES) == 3
    database = Database(schema_url, data_dir=tmp_path)
    for _ in range(2):
        with pytest.raises(SettingsRefused, match=r"entrada_audit has some 5,000,000 rows.*run `entrada db upgrade`"):
            await database.bring_up()
    with pytest.raises(StoreUnavailable, match="run `entrada db upgrade`"):  # as when the server was down at the start
        await database.check()
    assert await other.fetchval("SELECT version_num FROM entrada_schema") == BEFORE
    assert await whole(other) == []
    await trail.require(SIGN_IN)
    assert await upgraded(schema_url, tmp_path) == ["0009", "0010"]
    await database.bring_up()
    assert await whole(other) == list(INDEXES)
    assert (await checked(worker, ring)).rows == 4
    await database.close()


async def test_nobody_waits_for_the_command(
    schema_url: str, tmp_path: Path, other: asyncpg.Connection, trail: AuditTrail
) -> None:
    """While it makes indexes, and waits for somebody's long transaction, the workers of before go on writing."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'virtualxid'"
    async with anyio.create_task_group() as group:
        begun = other.transaction()
        await begun.start()
        await other.execute("LOCK entrada_audit IN ROW EXCLUSIVE MODE")
        group.start_soon(upgraded, schema_url, tmp_path)
        with anyio.fail_after(30):
            while not await other.fetchval(waiting):
                await anyio.sleep(0.02)
        await trail.require(SIGN_IN)
        assert await whole(other) == []
        await begun.rollback()
    assert await whole(other) == list(INDEXES)


async def test_what_was_cut_short_is_made_again(
    schema_url: str, tmp_path: Path, other: asyncpg.Connection, trail: AuditTrail
) -> None:
    """Half an index that an interrupted command has left is taken for none, by the next command and by a start."""
    for tables_are_large in (True, False):
        for name in INDEXES:
            await other.execute(f"DROP INDEX IF EXISTS {name}")
            await other.execute(f"CREATE INDEX {name} ON entrada_audit (stream)")
            await other.execute(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")
        await other.execute(AS_BEFORE)
        rows = 5e6 if tables_are_large else 3
        await other.execute(f"UPDATE pg_class SET reltuples = {rows} WHERE oid = 'entrada_audit'::regclass")
        if tables_are_large:
            await upgraded(schema_url, tmp_path)
        else:
            starting = [Database(schema_url, data_dir=tmp_path) for _ in range(3)]
            async with anyio.create_task_group() as group:
                for database in starting:
                    group.start_soon(database.bring_up)
            for database in starting:
                await database.close()
        assert await whole(other) == list(INDEXES)
        made = "SELECT pg_get_indexdef('entrada_audit_by_tenant'::regclass)"
        assert str(await other.fetchval(made)).endswith("(tenant_id, at, id)")
