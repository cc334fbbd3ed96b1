"""What the users' database promises of its connections, where it is PostgreSQL."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import anyio
import asyncpg
import pytest

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.processes import start

NOW = datetime(2026, 5, 1, tzinfo=UTC)
ADA = User(issuer="https://id.example", subject="ada")
BRING_UP = """
import asyncio, sys
from pathlib import Path
from entrada.users.database import Database
print("ready", flush=True)
asyncio.run(Database(sys.argv[1], data_dir=Path("unused")).bring_up())
print("up")
"""


@pytest.fixture
async def database(schema_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database(schema_url, data_dir=tmp_path)
    await opened.bring_up()
    yield opened
    await opened.close()


async def connections(other: asyncpg.Connection) -> int:
    """Return how many connections Entrada has."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'entrada'"
    return int(await other.fetchval(query))


async def killed(other: asyncpg.Connection) -> int:
    """End every backend that serves Entrada, as an administrator may; return how many there were."""
    query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'entrada'"
    return len(await other.fetch(query))


async def test_a_killed_bring_up_leaves_nothing(schema_url: str, other: asyncpg.Connection, tmp_path: Path) -> None:
    """REL-023: a worker killed with -9 in the middle of a migration leaves no half of it, and the next one does it."""
    transaction = other.transaction()
    await transaction.start()
    await other.execute("CREATE TABLE entrada_user (id int)")  # what the migration comes upon, and waits behind
    with start(BRING_UP, schema_url) as worker:
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        with anyio.fail_after(30):
            while not await other.fetchval(waiting):
                await anyio.sleep(0.05)
        worker.kill()
    await transaction.rollback()
    assert await other.fetchval("SELECT to_regclass('entrada_schema')") is None
    database = Database(schema_url, data_dir=tmp_path)
    await database.bring_up()
    assert (await Directory(database).signed_in(ADA, NOW)).is_active
    await database.close()


async def test_a_user_without_rights_is_told_plainly(schema_url: str, postgresql_url: str, tmp_path: Path) -> None:
    """A database user who may not make the tables is a start error with its mend (SEC-184)."""
    admin = await asyncpg.connect(postgresql_url)
    await admin.execute("DROP ROLE IF EXISTS guest")
    await admin.execute("CREATE ROLE guest LOGIN")
    schema = schema_url.partition("%3D")[2]
    await admin.execute(f"GRANT USAGE ON SCHEMA {schema} TO guest")
    database = Database(schema_url.replace("entrada@", "guest@"), data_dir=tmp_path)
    with pytest.raises(SettingsRefused, match=r"database_url: .*grant CREATE"):
        await database.bring_up()
    await database.close()
    await admin.execute(f"REVOKE ALL ON SCHEMA {schema} FROM guest")
    await admin.execute("DROP ROLE guest")
    await admin.close()


async def test_a_server_that_is_down_at_start(free_tcp_port: int, tmp_path: Path) -> None:
    """The application starts without it, and each sign-in is refused as unavailable at once."""
    database = Database(f"postgresql://entrada@127.0.0.1:{free_tcp_port}/postgres", data_dir=tmp_path)
    await database.bring_up()
    with pytest.raises(StoreUnavailable, match="users' database: ConnectionRefusedError"):
        await Directory(database).signed_in(ADA, NOW)
    await database.close()


async def test_a_backend_ended_in_mid_transaction(database: Database, other: asyncpg.Connection) -> None:
    """REL-020, REL-021: the unit of work is unavailable and wholly undone; the next has a new connection."""
    directory = Directory(database)
    with pytest.raises(StoreUnavailable):
        async with database.unit_of_work() as connection:
            await connection.exec_driver_sql("CREATE TABLE half (id int)")
            assert await killed(other)
            await connection.exec_driver_sql("SELECT 1")
    assert await other.fetchval("SELECT to_regclass('half')") is None
    assert (await directory.signed_in(ADA, NOW)).is_active


async def test_connections_that_broke_meanwhile(database: Database, other: asyncpg.Connection) -> None:
    """REL-021: pooled connections that an administrator or a failover cut are nobody's failed sign-in."""
    directory = Directory(database)
    async with anyio.create_task_group() as group:
        for number in range(5):
            group.start_soon(directory.signed_in, User(issuer="i", subject=str(number)), NOW)
    assert await killed(other) > 1
    assert (await directory.signed_in(ADA, NOW)).is_active


async def test_a_server_that_became_a_replica(database: Database, schema_url: str, other: asyncpg.Connection) -> None:
    """REL-021: while the server takes no writes a sign-in is unavailable; as soon as it does again, it is done."""
    directory = Directory(database)
    await directory.signed_in(ADA, NOW)
    await other.execute("ALTER ROLE entrada SET default_transaction_read_only = on")
    await killed(other)
    with pytest.raises(StoreUnavailable, match="25006"):
        await directory.signed_in(ADA, NOW)
    await other.execute("SET default_transaction_read_only = off")
    await other.execute("ALTER ROLE entrada RESET default_transaction_read_only")
    assert (await directory.signed_in(ADA, NOW)).is_active


async def test_a_long_lock(database: Database, other: asyncpg.Connection) -> None:
    """REL-022: a sign-in behind somebody's lock is unavailable after a bounded wait, and the pool is whole after it."""
    directory = Directory(database)
    await directory.signed_in(ADA, NOW)
    began = time.monotonic()
    async with other.transaction():
        await other.execute("LOCK TABLE entrada_user IN EXCLUSIVE MODE")
        async with anyio.create_task_group() as group:
            for _ in range(15):  # more than the pool has
                group.start_soon(refused, directory)
    assert time.monotonic() - began < 15
    assert (await directory.signed_in(ADA, NOW)).is_active
    assert await connections(other) <= 10


async def refused(directory: Directory) -> None:
    with pytest.raises(StoreUnavailable):
        await directory.signed_in(ADA, NOW)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_what_the_database_undid_is_done_again(database: Database, other: asyncpg.Connection, code: str) -> None:
    """REL-022: after a serialization failure or a deadlock the sign-in is done again, three times, then unavailable."""
    directory = Directory(database)
    await other.execute("CREATE SEQUENCE tried")
    await other.execute(
        "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF nextval('tried') <= 3 THEN RAISE EXCEPTION SQLSTATE '{code}'; END IF; RETURN NEW; END $$"
    )
    await other.execute("CREATE TRIGGER undo BEFORE INSERT ON entrada_user FOR EACH ROW EXECUTE FUNCTION undo()")
    assert (await directory.signed_in(ADA, NOW)).is_active
    assert await other.fetchval("SELECT last_value FROM tried") == 4
    await other.execute("ALTER SEQUENCE tried RESTART")
    await other.execute("ALTER SEQUENCE tried INCREMENT -1 MINVALUE -100 RESTART 1")
    with pytest.raises(StoreUnavailable, match=code):
        await directory.signed_in(User(issuer="i", subject="somebody else"), NOW)


async def test_no_connection_leaks(schema_url: str, other: asyncpg.Connection, tmp_path: Path) -> None:
    """REL-022: after many units of work that were cancelled, failed or done, the pool gives as many as ever."""
    # without TLS: what asyncpg says of a TLS connection that was cancelled goes to the event loop's handler
    database = Database(f"{schema_url}&sslmode=disable", data_dir=tmp_path)
    await database.bring_up()

    async def one(number: int) -> None:
        with anyio.move_on_after(0.001 * (number % 7)):
            async with database.unit_of_work() as connection:
                await connection.exec_driver_sql("SELECT pg_sleep(0.002)")
                if number % 3 == 0:
                    raise StoreUnavailable

    async def cycle(first: int) -> None:
        for number in range(first, 300, 6):
            try:
                await one(number)
            except StoreUnavailable:
                continue

    async with anyio.create_task_group() as group:
        for first in range(6):
            group.start_soon(cycle, first)
    assert await connections(other) <= 10
    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(Directory(database).signed_in, User(issuer="i", subject=str(number)), NOW)
    await database.close()
