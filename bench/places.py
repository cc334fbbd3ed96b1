"""The four stores, each with its server, a way to fill it, its size, and peers that do the same look-up."""

import os
import resource
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiosqlite
import asyncpg
from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.population import Bulk, into_postgres, into_redis, into_sqlite, into_store
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.postgres import GET as POSTGRES_GET
from entrada.sessions.stores.sqlite import GET as SQLITE_GET
from entrada.sessions.stores.store import SessionStore
from tests.servers import found, postgres_server, redis_server

Look = Callable[[bytes], Awaitable[object]]
"""Reads what there is under a key, as a peer does it."""


class Clock:
    """The machine's clock, and some time more."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass(frozen=True, slots=True)
class Place:
    """One store, ready."""

    name: str
    store: SessionStore
    bulk: Bulk
    size: Callable[[], Awaitable[float]]
    """Bytes that all of it takes now."""
    where: str
    """What those bytes are of."""
    peers: dict[str, Look] = field(default_factory=dict)
    put: Callable[[bytes, bytes], Awaitable[None]] | None = None
    """How a record gets to where the peers look, when that is not the store's own table."""


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@asynccontextmanager
async def memory(clock: Clock) -> AsyncIterator[Place]:
    """Open the store in this process's memory."""
    from starsessions.stores.memory import InMemoryStore

    store, peer = open_store("memory:", data_dir=Path(), clock=clock), InMemoryStore()

    async def size() -> float:
        return float(_resident())

    async def put(key: bytes, record: bytes) -> None:
        await peer.write(key.hex(), record, 86_400, 86_400)

    async def read(key: bytes) -> object:
        return await peer.read(key.hex(), 86_400)

    yield Place("memory", store, into_store(store), size, "memory of the process", {"starsessions": read}, put)
    await store.close()


@asynccontextmanager
async def sqlite(clock: Clock) -> AsyncIterator[Place]:
    """Open a file, and beside it the usual ways to read one."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "sessions.db")
        store = open_store(f"sqlite:{path}", data_dir=Path(folder), clock=clock)
        await store.prepare()

        async def anew(key: bytes) -> object:
            connection = sqlite3.connect(path)
            row = connection.execute(SQLITE_GET, (key,)).fetchone()
            connection.close()
            return row

        async def size() -> float:
            return float(sum(entry.stat().st_size for entry in os.scandir(folder)))

        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        statement = text("SELECT record, version FROM session WHERE key = :key")

        async def by_sqlalchemy(key: bytes) -> object:
            async with engine.connect() as connection:
                return (await connection.execute(statement, {"key": key})).one()

        async with aiosqlite.connect(path) as one:

            async def by_aiosqlite(key: bytes) -> object:
                async with one.execute(SQLITE_GET, (key,)) as cursor:
                    return await cursor.fetchone()

            peers = {"new sqlite3 connection": anew, "aiosqlite": by_aiosqlite, "SQLAlchemy async Core": by_sqlalchemy}
            yield Place("SQLite", store, into_sqlite(path), size, "the file", peers)
        await engine.dispose()
        await store.close()


@asynccontextmanager
async def redis(clock: Clock) -> AsyncIterator[Place]:
    """Start a Redis, and beside the store read a plain string with redis-py."""
    with tempfile.TemporaryDirectory() as folder, redis_server(Path(folder) / "redis") as server:
        store = open_store(server.url, data_dir=Path(folder), clock=clock)
        await store.prepare()
        client = Redis.from_url(server.url)

        async def size() -> float:
            return float((await client.info("memory"))["used_memory"])

        async def put(key: bytes, record: bytes) -> None:
            await client.set(b"peer:" + key, record)

        async def read(key: bytes) -> object:
            return await client.get(b"peer:" + key)

        yield Place("Redis", store, into_redis(client), size, "used_memory", {"redis-py GET": read}, put)
        await client.aclose()
        await store.close()


@asynccontextmanager
async def postgres(clock: Clock) -> AsyncIterator[Place]:
    """Start a PostgreSQL, and beside the store read the same table with a pool of asyncpg."""
    with postgres_server() as server:
        store = open_store(server.url, data_dir=Path(), clock=clock)
        await store.prepare()
        async with asyncpg.create_pool(server.url, min_size=1, max_size=10) as pool, pool.acquire() as filling:

            async def size() -> float:
                await filling.execute("ANALYZE")  # as autovacuum would some time later
                return float(await filling.fetchval("SELECT pg_database_size(current_database())"))

            async def read(key: bytes) -> object:
                return await pool.fetchrow(POSTGRES_GET, key)

            yield Place("PostgreSQL", store, into_postgres(filling), size, "the database", {"asyncpg fetchrow": read})
        await store.close()


def possible() -> list[Callable[[Clock], Any]]:
    """Return how to open each store whose server is on this machine."""
    wanted = [memory, sqlite]
    wanted += [redis] if found("redis-server", "valkey-server") else []
    wanted += [postgres] if found("postgres") and found("initdb") else []
    only = os.environ.get("BENCH_STORES")
    return [each for each in wanted if only is None or each.__name__ in only.split(",")]
