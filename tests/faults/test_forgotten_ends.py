"""Redis fails over, or starts again from what it wrote down before: an end that it has forgotten is still an end."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest
from entrada_emulator.pytest_plugin import Entra
from redis.asyncio import Redis

from entrada.background import watching_ends
from entrada.clock import system_clock
from entrada.errors import SignInRefused
from entrada.files import write_once
from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.ended import EndedSessions
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.ended_sessions import EndedSessionLedger
from tests.browser import Browser
from tests.faults.tcp_proxy import Proxy, proxy
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.journeys.test_people_change import ROOT, house_of
from tests.servers import PostgresServer, RedisServer, postgres_server, redis_server

HOST = "portal.birch.example"
SCRIPT = {"x-csrf": "1"}
KNOWN_WITHIN = 1.0  # seconds: as soon as that an end is known at every worker
ADA, BOB = User(issuer="https://id.example", subject="ada"), User(issuer="https://id.example", subject="bob")


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path}/users.db"
    return str(request.getfixturevalue("postgres").url)


@pytest.fixture
async def doors(entra: Entra, tmp_path: Path, redis: RedisServer, database_url: str) -> AsyncIterator[list[FrontDoor]]:
    """Two workers of one application."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                running(entra, tmp_path / "app", store=redis.url, database_url=database_url)
            )
            for _ in range(2)
        ]


async def in_redis(redis: RedisServer, kind: str = "session") -> int:
    """Return how many sessions Redis has, or how many of something else."""
    async with Redis(port=redis.port) as client:
        return len(await client.keys(f"entrada:{kind}:*"))


async def forgets(redis: RedisServer, *, sessions: int) -> None:
    """End Redis as a power cut would, and start it with so many sessions that it had written down."""
    redis.kill()
    await asyncio.to_thread(redis.start)
    assert await in_redis(redis) == sessions, "Redis has forgotten nothing; this would prove nothing"


async def answered(door: FrontDoor, session: str) -> int:
    """Ask with this session until it is answered: 503 is no answer."""
    async with asyncio.timeout(10):
        while (status := await door.reuse(session)) == 503:
            await asyncio.sleep(0.05)
    return status


async def test_a_sign_out(doors: list[FrontDoor], redis: RedisServer) -> None:
    """REL-015: a sign-out that Redis has forgotten holds at every worker; who did not sign out stays signed in."""
    leaving, staying = await doors[0].signed_in(), await doors[1].signed_in("ada@birch.example")
    lost, kept = leaving.jar.of(HOST)[SESSION], staying.jar.of(HOST)[SESSION]
    assert redis.said("SAVE") == "OK"
    assert (await leaving.fetch(f"{AUTH}/logout", method="POST", headers=SCRIPT)).status_code == 200
    assert await in_redis(redis) == 1
    await asyncio.sleep(KNOWN_WITHIN)
    await forgets(redis, sessions=2)
    assert [await answered(door, lost) for door in doors] == [401, 401]
    assert [await answered(door, kept) for door in doors] == [200, 200]


async def test_a_sign_out_whose_answer_was_lost(redis: RedisServer, entra: Entra, tmp_path: Path) -> None:
    """REL-014, REL-015: Redis is asked again, has done it already and cannot say any more what it was: noted all the
    same, so that it holds when Redis forgets it."""
    async with AsyncExitStack() as stack:
        line = await stack.enter_async_context(proxy(redis.port))
        line.only = b"redis.call('DEL'"  # before anything is connected
        door = await stack.enter_async_context(running(entra, tmp_path / "app", store=url_of(line)))
        leaving = await door.signed_in()
        lost = leaving.jar.of(HOST)[SESSION]
        assert redis.said("SAVE") == "OK"
        line.fault, line.keep, line.once = "truncate", 0, True
        assert (await leaving.fetch(f"{AUTH}/logout", method="POST", headers=SCRIPT)).status_code == 200
        assert line.fault == "none"
        assert await in_redis(redis) == 0
        await forgets(redis, sessions=1)
        assert await answered(door, lost) == 401


def url_of(line: Proxy) -> str:
    return f"redis://127.0.0.1:{line.port}"


async def test_signing_out_everywhere_else(doors: list[FrontDoor], redis: RedisServer) -> None:
    """REL-015, SES-7: what "end all others" ended stays ended, at a worker too that starts only afterwards."""
    here, there = await doors[0].signed_in(), await doors[0].signed_in()
    kept, lost = here.jar.of(HOST)[SESSION], there.jar.of(HOST)[SESSION]
    assert redis.said("SAVE") == "OK"
    ended = await here.fetch(f"{AUTH}/sessions/others", method="DELETE", headers=SCRIPT)
    assert ended.json() == {"ended": 1}
    await asyncio.sleep(KNOWN_WITHIN)
    await forgets(redis, sessions=2)
    assert [await answered(door, lost) for door in doors] == [401, 401]
    assert [await answered(door, kept) for door in doors] == [200, 200]
    shown = (await here.fetch(f"{AUTH}/sessions")).json()["sessions"]
    assert [one["current"] for one in shown] == [True]


async def test_a_deactivated_person(redis: RedisServer, database_url: str, tmp_path: Path) -> None:
    """REL-015, USR-3: who was deactivated stays out, whichever worker and whatever Redis has forgotten."""
    async with worker(redis, database_url, tmp_path) as (sessions, directory):
        await directory.signed_in(ADA, system_clock())
        session_id, _ = await sessions.begin(ADA, tokens=b"tokens")
        other_id, _ = await sessions.begin(BOB, tokens=b"tokens")
        assert redis.said("SAVE") == "OK"
        await directory.deactivate(ADA)
        assert await sessions.end_all_of(ADA) == 1
        await forgets(redis, sessions=2)
    async with worker(redis, database_url, tmp_path) as (sessions, directory):
        assert await sessions.load(session_id) is None
        assert await sessions.by_user(ADA) == []
        assert await sessions.load(other_id)
        with pytest.raises(SignInRefused):
            await directory.signed_in(ADA, system_clock())


async def test_a_role_that_was_taken_back(redis: RedisServer, entra: Entra, tmp_path: Path) -> None:
    """REL-015, I1: Redis starts again with a session that has the role; within a second or two it has it no more."""
    async with running(entra, tmp_path / "app", store=redis.url) as door:
        browser, house = await door.signed_in(), house_of(door.app)
        (mia,) = (await house.administration.people.page()).people
        await house.administration.grant(mia.id, "Editor", by=ROOT)
        assert await roles(browser) == ["Editor"]
        assert redis.said("SAVE") == "OK"
        marks = await in_redis(redis, "spent")
        await house.administration.revoke(mia.id, "Editor", by=ROOT)
        assert await roles(browser) == []
        async with asyncio.timeout(10):
            while await in_redis(redis, "spent") == marks:  # until that was followed, too
                await asyncio.sleep(0.05)
        await forgets(redis, sessions=1)
        assert await answered(door, browser.jar.of(HOST)[SESSION]) == 200
        async with asyncio.timeout(10):
            while await roles(browser):
                await asyncio.sleep(0.05)


async def roles(browser: Browser) -> list[str]:
    told: list[str] = (await browser.fetch(f"{AUTH}/me")).json()["roles"]
    return told


async def test_without_the_users_database(redis: RedisServer, free_tcp_port: int, entra: Entra, tmp_path: Path) -> None:
    """REL-015: a worker that has not heard yet what has ended lets nobody in, and is not ready."""
    nowhere = f"postgresql://entrada@127.0.0.1:{free_tcp_port}/postgres"
    async with running(entra, tmp_path / "app", store=redis.url, database_url=nowhere) as door:
        assert await door.reuse("A" * 43) == 503
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 503


async def test_an_end_waits_for_the_database(
    redis: RedisServer, postgres: PostgresServer, entra: Entra, tmp_path: Path
) -> None:
    """REL-015, REL-020: people go on and sign out without the users' database; the end is noted when it is back."""
    url = postgres.url
    async with running(entra, tmp_path / "app", store=redis.url, database_url=url) as door:
        leaving, staying = await door.signed_in(), await door.signed_in("ada@birch.example")
        lost, kept = leaving.jar.of(HOST)[SESSION], staying.jar.of(HOST)[SESSION]
        assert redis.said("SAVE") == "OK"
        before = await noted(url)
        postgres.kill()
        assert await door.reuse(kept) == 200
        assert (await leaving.fetch(f"{AUTH}/logout", method="POST", headers=SCRIPT)).status_code == 200
        await asyncio.to_thread(postgres.start)
        async with asyncio.timeout(10):
            while await noted(url) == before:
                await asyncio.sleep(0.1)
        await forgets(redis, sessions=2)
        assert await answered(door, lost) == 401
    async with running(entra, tmp_path / "app", store=redis.url, database_url=url) as later:
        assert await answered(later, lost) == 401
        assert await answered(later, kept) == 200


async def noted(url: str) -> int:
    """Return how many ends the ledger has."""
    connection = await asyncpg.connect(url)
    number = int(await connection.fetchval("SELECT count(*) FROM entrada_ended_session"))
    await connection.close()
    return number


@asynccontextmanager
async def worker(redis: RedisServer, database_url: str, folder: Path) -> AsyncIterator[tuple[Sessions, Directory]]:
    """The parts of a worker that know sessions and people."""
    ring = KeyRing.parse(write_once(folder / "keys", generate().encode(), setting="keys").decode())
    database = Database(database_url, data_dir=folder)
    await database.bring_up()
    ended = EndedSessions(EndedSessionLedger(database), clock=system_clock)
    store = open_store(redis.url, data_dir=folder, clock=system_clock, ended=ended)
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=system_clock)
    directory = Directory(database)
    async with watching_ends(ended):
        yield sessions, directory
    await store.close()
    await database.close()


async def test_rel_038_a_line_that_cannot_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """REL-038: it is told, and what others note is known again as soon as the line is gone."""
    database = Database(f"sqlite+aiosqlite:///{tmp_path}/users.db", data_dir=tmp_path)
    await database.bring_up()
    ledger, until = EndedSessionLedger(database), system_clock() + timedelta(hours=1)
    ended = EndedSessions(ledger, clock=system_clock)
    async with watching_ends(ended, every=timedelta(milliseconds=20)), asyncio.timeout(30):
        with closing(sqlite3.connect(tmp_path / "users.db", isolation_level=None)) as file:
            file.execute("INSERT INTO entrada_ended_session VALUES (x'00', '9999 and some', 1e12)")
            while "ends_not_read" not in caplog.text:
                await asyncio.sleep(0.01)
            file.execute("DELETE FROM entrada_ended_session")
        await ledger.note({b"ended elsewhere": until})
        while not ended.has(b"ended elsewhere"):
            await asyncio.sleep(0.01)
    await database.close()
