"""What the PostgreSQL store promises between workers, of its tables, and of its waits."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import asyncpg
import pytest

from entrada.clock import system_clock
from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import Index, SessionStore

KEYS = [bytes([number]) * 32 for number in range(8)]
HOUR = timedelta(hours=1)
INDEX = Index(user=b"ada", sid=None, due_at=None)


@pytest.fixture
def url(schema_url: str) -> str:
    return schema_url


@pytest.fixture
async def store(url: str, tmp_path: Path) -> AsyncIterator[SessionStore]:
    opened = open_store(url, data_dir=tmp_path, clock=system_clock)
    await opened.prepare()
    yield opened
    await opened.close()


async def insert(store: SessionStore, key: bytes = KEYS[0], *, replacing: tuple[bytes, ...] = ()) -> None:
    ends = datetime.now(UTC) + HOUR
    await store.insert(key, record=b"record", tokens=b"tokens", expires_at=ends, index=INDEX, replacing=replacing)


async def test_workers_that_start_together_bring_the_tables_up_once(url: str, tmp_path: Path) -> None:
    """Eight workers that meet an empty database at once all start, and all see the same tables (REL-023)."""
    stores = [open_store(url, data_dir=tmp_path, clock=system_clock) for _ in range(8)]
    async with anyio.create_task_group() as group:
        for store in stores:
            group.start_soon(store.prepare)
    await insert(stores[0])
    assert [await store.get(KEYS[0]) for store in stores] == [(b"record", 1)] * 8
    for store in stores:
        await store.close()


async def test_tables_of_a_newer_release_are_refused(url: str, store: SessionStore, tmp_path: Path) -> None:
    """They are left as they are, and the start is refused in plain words (REL-023)."""
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE entrada_session_schema SET version = 99")
    await connection.close()
    older = open_store(url, data_dir=tmp_path, clock=system_clock)
    with pytest.raises(SettingsRefused, match="a newer release of Entrada"):
        await older.prepare()
    await older.close()


async def test_behind_a_pooler(url: str, tmp_path: Path) -> None:
    """`statement_cache_size=0` keeps no statements, and the store does all the same."""
    store = open_store(f"{url}&statement_cache_size=0", data_dir=tmp_path, clock=system_clock)
    for _ in range(3):
        await insert(store)
        assert await store.get(KEYS[0]) == (b"record", 1)
        await store.delete([KEYS[0]])
    await store.close()


async def test_a_deadlock_is_tried_again(url: str, store: SessionStore, tmp_path: Path) -> None:
    """A write that the database has undone to resolve a deadlock is done again, and nobody hears of it (REL-022)."""
    for key in KEYS[:2]:
        await insert(store, key)
    quick = open_store(f"{url}%20-cdeadlock_timeout%3D100ms", data_dir=tmp_path, clock=system_clock)
    await quick.prepare()
    other = await asyncpg.connect(url, server_settings={"deadlock_timeout": "10s"})
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await other.fetchval(deadlocks)
    lock = "SELECT 1 FROM entrada_session WHERE key = $1 FOR UPDATE"
    transaction = other.transaction()
    await transaction.start()
    await other.execute(lock, KEYS[1])
    async with anyio.create_task_group() as group:
        group.start_soon(quick.delete, KEYS[:2])  # locks the first and waits for the second
        with anyio.fail_after(10):
            while not await other.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await anyio.sleep(0.01)
        await other.execute(lock, KEYS[0])  # until the deletion is undone
        await transaction.rollback()
    assert [await store.get(key) for key in KEYS[:2]] == [None, None]
    await quick.close()
    await other.execute("SELECT pg_stat_force_next_flush()")
    with anyio.fail_after(60):
        while await other.fetchval(deadlocks) == before:
            await anyio.sleep(0.1)
    await other.close()


async def test_a_long_lock_is_a_bounded_wait(url: str, store: SessionStore) -> None:
    """A write behind somebody's lock is unavailable within a second, readers go on, no connection leaks (REL-022)."""
    await insert(store)
    other = await asyncpg.connect(url)
    transaction = other.transaction()
    await transaction.start()
    await other.execute("LOCK TABLE entrada_session IN SHARE MODE")
    began = time.monotonic()

    async def write() -> None:
        with pytest.raises(StoreUnavailable):
            await store.delete([KEYS[0]])

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(write)
        assert await store.get(KEYS[0]) == (b"record", 1)
    assert time.monotonic() - began < 8
    await transaction.rollback()
    await store.delete([KEYS[0]])
    assert await store.get(KEYS[0]) is None
    assert await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'entrada'") <= 10
    await other.close()


async def test_a_cancelled_write_is_whole(store: SessionStore, other: asyncpg.Connection) -> None:
    """A browser that goes away in the middle of a write leaves no half of it, and no connection (REL-031)."""
    for number, key in enumerate(KEYS * 4):
        await store.delete([key])
        with anyio.move_on_after(0.0005 * number):
            await insert(store, key)
        with anyio.fail_after(60):  # a commit that was on its way when the browser went may land between two looks
            while ((await store.get(key)) is None) != ((await store.get_tokens(key)) is None):
                await anyio.sleep(0.01)
    assert await other.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'entrada'") <= 10
