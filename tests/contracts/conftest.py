"""The stores that every contract is run against; a new one joins here."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import asyncpg
import pytest

from entrada.audit.log import AuditLog
from entrada.audit.trail import AuditTrail
from entrada.keyring import KeyRing, generate
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import SessionStore
from entrada.users.database import FILE_NAME, Database
from tests.contracts.token_peers import peer  # noqa: F401 a fixture
from tests.front_door import leave_database
from tests.moved_clock import MovedClock
from tests.servers import postgres_server, redis_cluster, redis_server, watched_redis

STORES = ("memory:", "sqlite:", "redis", "sentinel", "cluster", "postgresql")


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as server:
        yield server.url


@pytest.fixture(scope="session")
def sentinel_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with watched_redis(tmp_path_factory.mktemp("sentinel")) as watched:
        yield watched.url


@pytest.fixture(scope="session")
def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes[:2])


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    with postgres_server() as server:
        yield server.url


@pytest.fixture
def schema_url(postgresql_url: str) -> Iterator[str]:
    """A schema of PostgreSQL that nobody has used yet, and dropped when the test has ended."""
    name = f"of_{uuid4().hex}"
    _execute(postgresql_url, f"CREATE SCHEMA {name}")
    yield f"{postgresql_url}?options=-csearch_path%3D{name}"
    _execute(postgresql_url, f"DROP SCHEMA {name} CASCADE")


@pytest.fixture
async def other(schema_url: str) -> AsyncIterator[asyncpg.Connection]:
    """Somebody else's connection to the same tables."""
    connection = await asyncpg.connect(schema_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
def with_tables(postgresql_url: str) -> str:
    """The name of a database in which a first start has made its tables, to be copied: most of a start is that."""
    name = "with_tables"
    _execute(postgresql_url, f"CREATE DATABASE {name}")

    async def start() -> None:
        first = Database(_of(postgresql_url, name), data_dir=Path())
        await first.bring_up()
        await first.close()

    _elsewhere(start())
    return name


@pytest.fixture
def copied_url(postgresql_url: str, with_tables: str) -> Iterator[str]:
    """A database of PostgreSQL with empty tables, dropped when the test has ended."""
    name = f"of_{uuid4().hex}"
    _elsewhere(_copy(postgresql_url, with_tables, name))
    yield _of(postgresql_url, name)
    _execute(postgresql_url, f"DROP DATABASE {name} WITH (FORCE)")


async def _copy(url: str, known: str, name: str) -> None:
    """Copy a database file by file: page by page goes through the write-ahead log and takes three times as long."""
    connection = await asyncpg.connect(url)
    by_file = "STRATEGY file_copy" if connection.get_server_version().major >= 15 else ""  # before there was no other
    await connection.execute(f"CREATE DATABASE {name} TEMPLATE {known} {by_file}")
    await connection.close()


def _of(url: str, name: str) -> str:
    """Return the address of another database of the same server."""
    return f"{url.rpartition('/')[0]}/{name}"


def _execute(url: str, statement: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()

    _elsewhere(execute())


def _elsewhere(work: Coroutine[Any, Any, None]) -> None:
    """Do it in another thread: this one may be in the test's event loop, or not."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture(params=STORES)
async def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The address of a store that nobody has used yet."""
    kind: str = request.param
    if kind.endswith(":"):
        yield kind
        return
    if kind == "postgresql":
        yield request.getfixturevalue("schema_url")
    else:
        yield f"{request.getfixturevalue(f'{kind}_url')}?prefix={tmp_path.name}"


@pytest.fixture
def forgets_by_itself(store_url: str) -> bool:
    """Whether this store deletes what has expired without being told, at a time of its own."""
    return store_url.startswith("redis")


@pytest.fixture
def opened(tmp_path: Path, clock: MovedClock, store_url: str) -> Callable[[], SessionStore]:
    """Open the same store once more, as another worker does."""
    return lambda: open_store(store_url, data_dir=tmp_path / "data", clock=clock)


@pytest.fixture
async def store(opened: Callable[[], SessionStore]) -> AsyncIterator[SessionStore]:
    store = opened()
    await store.prepare()
    yield store
    await store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database that nobody has used yet; for `database`, of one whose tables are there already."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/{FILE_NAME}"
    found: str = request.getfixturevalue("copied_url" if "database" in request.fixturenames else "schema_url")
    return found


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    if database_url.startswith("sqlite"):
        await leave_database(tmp_path)
    opened = Database(database_url, data_dir=tmp_path / "unused")
    await opened.bring_up()
    yield opened
    await opened.close()


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(generate())


@pytest.fixture
async def trail(database: Database, ring: KeyRing, clock: MovedClock) -> AsyncIterator[AuditTrail]:
    writer = AuditTrail(database, ring, clock=clock)
    yield writer
    await writer.aclose()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database)


class Rings(NamedTuple):
    before: KeyRing
    waiting: KeyRing
    after: KeyRing


@pytest.fixture
def rings() -> Rings:
    before = KeyRing.parse(generate())
    waiting = before.with_waiting(KeyRing.parse(generate()).active)
    return Rings(before, waiting, waiting.promoted())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a SQLite store has its file."""
    return tmp_path / "sessions.db"
