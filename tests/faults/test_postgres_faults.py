"""PostgreSQL under people and sessions: backends ended, writes refused, the server killed, callers that go away."""

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.clock import system_clock
from entrada.errors import StoreUnavailable
from entrada.principal import User
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import Index
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.faults.invariants import assert_nothing_half_made, visitor, watching
from tests.faults.tcp_proxy import proxy
from tests.front_door import AUTH, SESSION, FrontDoor, running
from tests.meanwhile import meanwhile
from tests.servers import PostgresServer, postgres_server

HOST = "portal.birch.example"
END_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'entrada'"
COUNT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'entrada'"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
async def url(postgres: PostgresServer) -> str:
    """A schema that nobody has used yet."""
    name = f"of_{uuid4().hex}"
    await told(postgres, f"CREATE SCHEMA {name}")
    return f"{postgres.url}?options=-csearch_path%3D{name}"


@pytest.fixture
async def door(url: str, entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, store=url, database_url=url) as front_door:
        yield front_door


async def told(postgres: PostgresServer, *statements: str) -> int:
    """Tell the server something, as its administrator; return the last answer's number of rows, or its one number."""
    connection = await asyncpg.connect(postgres.url, server_settings={"default_transaction_read_only": "off"})
    try:
        for statement in statements:
            rows = await connection.fetch(statement)
    finally:
        await connection.close()
    return int(rows[0][0]) if len(rows) == 1 else len(rows)


async def test_backends_are_ended_under_traffic(door: FrontDoor, postgres: PostgresServer) -> None:
    """REL-020, REL-021: nobody is signed out or let in by it, and the next requests have new connections."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    async with watching([visitor(door)] * 4, living={session}) as watch:
        for _ in range(3):
            await asyncio.sleep(0.2)
            await told(postgres, END_ALL)
        watch.begins((await door.signed_in("ada@birch.example")).jar.of(HOST)[SESSION])
        await watch.recovered()


async def test_the_server_takes_no_writes(door: FrontDoor, postgres: PostgresServer) -> None:
    """REL-021: as a replica it lets those who are in go on; a sign-in is 503, and done as soon as it can be."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await told(postgres, "ALTER ROLE entrada SET default_transaction_read_only = on", END_ALL)
    refused = await door.signed_in("ada@birch.example")
    assert refused.page.status == 503
    assert SESSION not in refused.jar.of(HOST)
    assert await door.reuse(session) == 200
    await told(postgres, "ALTER ROLE entrada RESET default_transaction_read_only")
    assert (await door.signed_in("ada@birch.example")).page.status == 200
    assert await door.reuse(session) == 200


async def test_a_connection_in_use_at_a_change_of_servers_is_closed(postgres: PostgresServer, url: str) -> None:
    """REL-021: the users' database lets go of those that lead to a replica, and drops none of them half open."""
    database = Database(url, data_dir=Path())
    await database.bring_up()
    async with database.unit_of_work(read_only=True) as in_use:
        await in_use.exec_driver_sql("SELECT 1")
        await told(postgres, "ALTER ROLE entrada SET default_transaction_read_only = on")
        with pytest.raises(StoreUnavailable, match="25006"):
            await database.run(lambda connection: connection.exec_driver_sql("CREATE TABLE of_nobody ()"))
    await told(postgres, "ALTER ROLE entrada RESET default_transaction_read_only")
    await database.run(lambda connection: connection.exec_driver_sql("CREATE TABLE of_nobody ()"))
    await database.close()
    gc.collect()  # a connection dropped while open says so here, which fails the test
    assert await told(postgres, COUNT) == 0


# a driver whose server dies in the middle of an answer drops the socket, and Python says so when it is collected
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore:unclosed:ResourceWarning")
async def test_the_server_is_killed_while_people_come(
    door: FrontDoor, postgres: PostgresServer, url: str, tmp_path: Path
) -> None:
    """REL-020: each sign-in is wholly there or not; those that were acknowledged are there; all is back by itself."""
    acknowledged: set[str] = set()

    async def come() -> None:
        while True:
            browser = await door.signed_in()
            if SESSION in browser.jar.of(HOST):
                acknowledged.add(browser.jar.of(HOST)[SESSION])

    async with meanwhile(come(), come(), come()):
        while len(acknowledged) < 3:
            await asyncio.sleep(0.02)
        await asyncio.to_thread(postgres.kill)
        await asyncio.sleep(0.2)
    async with watching([visitor(door)], living=acknowledged) as watch:
        await asyncio.to_thread(postgres.start)
        await watch.recovered()
    assert (await door.signed_in()).page.status == 200
    await assert_nothing_half_made(url, data_dir=tmp_path, clock=door.entra.state.clock.now)
    gc.collect()  # now, and not in somebody else's test


async def test_the_answer_to_a_commit_is_lost(postgres: PostgresServer, url: str, entra: Entra, tmp_path: Path) -> None:
    """REL-020, I7: whoever was in and signs in once more, as for a step-up, is in, by the session that is there."""
    async with proxy(postgres.port) as line:
        line.only = b"not asked yet"
        store = f"{url.replace(str(postgres.port), str(line.port))}&sslmode=disable"
        async with running(entra, tmp_path, store=store, database_url=url) as door:
            browser = await door.signed_in()
            before = browser.jar.of(HOST)[SESSION]
            line.fault, line.keep, line.once, line.only = "truncate", 0, True, b"COMMIT"
            assert (await browser.open(f"{AUTH}/login?return_to=/private")).status == 200
            assert line.fault == "none", "no answer was lost; this would prove nothing"
            after = browser.jar.of(HOST)[SESSION]
            assert (await door.reuse(before), await door.reuse(after)) == (401, 200)


@pytest.mark.parametrize("cycles", [300, pytest.param(10_000, marks=pytest.mark.long)])
async def test_no_connection_leaks(postgres: PostgresServer, tmp_path: Path, cycles: int) -> None:
    """REL-022: after so many reads, writes and transactions, done or given up half-way, the pools are as ever."""
    url = f"{postgres.url}?sslmode=disable"  # what asyncpg says of a TLS connection that is given up goes to the loop
    store = open_store(url, data_dir=tmp_path, clock=system_clock)
    await store.prepare()
    database = Database(url, data_dir=tmp_path)
    await database.bring_up()
    directory, chance = Directory(database), random.Random(7)

    async def insert(number: int) -> None:
        key, index = number.to_bytes(32, "big"), Index(user=b"ada", sid=None, due_at=None)
        ends = datetime.now(UTC) + timedelta(hours=1)
        await store.insert(key, record=b"record", tokens=b"tokens", expires_at=ends, index=index, replacing=[key])

    async def some(first: int) -> None:
        for number in range(first, cycles, 8):
            work = insert(number) if number % 3 else directory.signed_in(User(issuer="i", subject="s"), system_clock())
            try:
                async with asyncio.timeout(chance.choice([5.0, 5.0, 0.001, 0.004])):
                    await work
            except (TimeoutError, StoreUnavailable):
                continue

    await asyncio.gather(*(some(first) for first in range(8)))
    assert await told(postgres, COUNT) <= 20
    await asyncio.gather(*(insert(cycles + number) for number in range(10)))
    assert (await directory.signed_in(User(issuer="i", subject="s"), system_clock())).is_active
    await store.close()
    await database.close()
    await asyncio.sleep(0.2)
    assert await told(postgres, COUNT) == 0
