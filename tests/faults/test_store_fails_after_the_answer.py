"""The authority has answered a renewal, and the store fails: tokens that nobody can have again are not thrown away."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.faults.invariants import assert_one_renewal_each, visitor, watching
from tests.faults.tcp_proxy import proxy
from tests.front_door import SESSION, FrontDoor, running
from tests.journeys.test_tokens import HOST, graph, near_expiry
from tests.servers import postgres_server, redis_server

AUTHORITY_HOST = "login.microsoftonline.com"


class Between:
    """An authority that lets something happen after it has answered a renewal, before its answer arrives."""

    def __init__(self, authority: Any, happen: Callable[[], Awaitable[None]]) -> None:
        self._authority = authority
        self._happen = happen
        self.happened = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        messages: list[Any] = []

        async def hold(message: Any) -> None:
            messages.append(message)

        await self._authority(scope, receive, hold)
        if scope["path"].endswith("/token") and not self.happened:
            self.happened += 1
            await self._happen()
        for message in messages:
            await send(message)


class Breakable:
    """A store, how it is broken and mended."""

    def __init__(self, url: str, fail: Callable[[], Awaitable[None]], mend: Callable[[], Awaitable[None]]) -> None:
        self.url, self.fail, self.mend = url, fail, mend


@asynccontextmanager
async def stopped_redis(folder: Path) -> AsyncIterator[Breakable]:
    """A Redis that is stopped and goes on (SIGSTOP, SIGCONT)."""
    with redis_server(folder / "redis") as server:

        async def stop() -> None:
            server.stop_answering()

        async def go_on() -> None:
            server.go_on()

        yield Breakable(server.url, stop, go_on)


@asynccontextmanager
async def unreachable_postgres(_: Path) -> AsyncIterator[Breakable]:
    """A PostgreSQL to which no byte comes through for a while."""
    with postgres_server() as server:
        async with proxy(server.port) as line:

            async def cut() -> None:
                line.fault = "blackhole"

            async def join() -> None:
                line.fault = "none"
                line.drop_all()

            yield Breakable(server.url.replace(str(server.port), str(line.port)), cut, join)


@asynccontextmanager
async def locked_sqlite(folder: Path) -> AsyncIterator[Breakable]:
    """A file in which somebody else writes for longer than anybody waits."""
    held: list[sqlite3.Connection] = []

    async def lock() -> None:
        held.append(sqlite3.connect(folder / "app" / "sessions.db", isolation_level=None))
        held[0].execute("BEGIN IMMEDIATE")

    async def release() -> None:
        held[0].execute("ROLLBACK")
        held[0].close()

    yield Breakable("sqlite:", lock, release)


STORES = [
    pytest.param(stopped_redis, id="redis"),
    pytest.param(unreachable_postgres, id="postgresql"),
    pytest.param(locked_sqlite, id="sqlite", marks=pytest.mark.long),  # a write waits five seconds for its turn
]


async def settled(door: FrontDoor, session: str, *, within: float) -> tuple[int, dict[str, str]]:
    """Ask until the store answers again."""
    until = time.monotonic() + within
    while (answer := await graph(door, session))[0] == 503 and time.monotonic() < until:
        await asyncio.sleep(0.05)
    return answer


@pytest.mark.parametrize("store", STORES)
async def test_the_tokens_are_kept_until_they_are_stored(entra: Entra, tmp_path: Path, store: Any) -> None:
    """REL-043, SEC-108, I3, I6, I7: refresh tokens rotate, the store fails in between: one renewal, nobody is out."""
    entra.state.refresh_tokens.semantics = "strict"
    async with store(tmp_path) as broken, running(entra, tmp_path / "app", store=broken.url) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        await near_expiry(door, session)
        between = Between(door.internet.hosts[AUTHORITY_HOST], broken.fail)
        door.internet.hosts[AUTHORITY_HOST] = between
        asked = door.calls("/token")
        async with watching([visitor(door)], living=[session]) as watch:
            began = time.monotonic()
            answers = await asyncio.gather(*[graph(door, session) for _ in range(10)])
            assert {status for status, _ in answers} == {503}
            assert time.monotonic() - began < 8
            assert between.happened == 1
            await broken.mend()
            assert await settled(door, session, within=10) == (200, {"name": "Mia Member", "source": "cache"})
            await watch.recovered()
        assert door.calls("/token") == asked + 1
        await near_expiry(door, session)
        assert (await graph(door, session))[0] == 200
        assert door.calls("/token") == asked + 2
        assert_one_renewal_each(entra)


async def test_told_to_stop_before_they_are_stored(entra: Entra, tmp_path: Path) -> None:
    """REL-073, SEC-108: a process that stops waits for a store that comes back; the next process finds the tokens."""
    entra.state.refresh_tokens.semantics = "strict"
    async with stopped_redis(tmp_path) as broken:
        async with running(entra, tmp_path / "app", store=broken.url) as door:
            session = (await door.signed_in()).jar.of(HOST)[SESSION]
            await near_expiry(door, session)
            door.internet.hosts[AUTHORITY_HOST] = Between(door.internet.hosts[AUTHORITY_HOST], broken.fail)
            assert (await graph(door, session))[0] == 503
            mending = asyncio.get_running_loop().call_later(1.0, lambda: asyncio.ensure_future(broken.mend()))
            asked = door.calls("/token")
        assert not mending.cancelled()
        async with running(entra, tmp_path / "app", store=broken.url) as again:
            assert await graph(again, session) == (200, {"name": "Mia Member", "source": "cache"})
            assert asked > 0
            assert again.calls("/token") == 0


async def test_a_session_that_ends_meanwhile(entra: Entra, tmp_path: Path) -> None:
    """I1: what waits for the store does not bring back a session that was ended when the store came back."""
    with redis_server(tmp_path / "redis") as server:

        async def lose_everything() -> None:
            server.kill()
            await asyncio.to_thread(server.start)

        async with running(entra, tmp_path / "app", store=server.url) as door:
            session = (await door.signed_in()).jar.of(HOST)[SESSION]
            await near_expiry(door, session)
            door.internet.hosts[AUTHORITY_HOST] = Between(door.internet.hosts[AUTHORITY_HOST], lose_everything)
            assert (await settled(door, session, within=10))[0] == 401
            assert await door.reuse(session) == 401


async def test_the_store_goes_back_to_older_tokens(entra: Entra, tmp_path: Path) -> None:
    """REL-015, REL-043, SEC-108, I7: Redis starts from a snapshot while one renews: what is new goes over what is old,
    which the provider has taken back."""
    entra.state.refresh_tokens.semantics = "strict"
    with redis_server(tmp_path / "redis") as redis:

        async def starts_again() -> None:
            redis.kill()
            await asyncio.to_thread(redis.start)

        async with running(entra, tmp_path / "app", store=redis.url, session_idle_minutes=600) as door:
            session = (await door.signed_in()).jar.of(HOST)[SESSION]
            assert redis.said("SAVE") == "OK"
            await near_expiry(door, session)
            assert (await graph(door, session))[0] == 200
            await near_expiry(door, session)
            door.internet.hosts[AUTHORITY_HOST] = Between(entra.app, starts_again)
            assert await settled(door, session, within=10) == (
                200,
                {"name": "Mia Member", "source": "identity_provider"},
            )
            await near_expiry(door, session)
            assert await settled(door, session, within=10) == (
                200,
                {"name": "Mia Member", "source": "identity_provider"},
            )
