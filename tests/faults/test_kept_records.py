"""The line on which Redis tells of changes is cut, silent, or leads elsewhere: what is kept is believed no longer."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from entrada.clock import system_clock
from entrada.errors import StoreUnavailable
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import Index, SessionStore
from tests.faults.tcp_proxy import Fault, Proxy, proxy
from tests.servers import RedisServer, redis_server, watched_redis

KEY = b"k" * 32
NAME = f"entrada:session:{KEY.hex()}"
RECORD = (b"record", 1)
HOUR = timedelta(hours=1)
PATIENCE = 20.0  # seconds, on a busy machine
BELIEVED = 0.4  # seconds that a word of Redis's is believed
TELLING = b"HELLO"  # said on the line on which Redis tells of changes, and nowhere else


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as started:
        yield started


@asynccontextmanager
async def worker(url: str, directory: Path) -> AsyncIterator[SessionStore]:
    store = open_store(url, data_dir=directory, clock=system_clock)
    yield store
    await store.close()


@dataclass
class Two:
    """Two workers: one beside Redis, the other behind a line; both keep the session."""

    here: SessionStore
    there: SessionStore
    line: Proxy


@pytest.fixture
async def two(server: RedisServer, tmp_path: Path) -> AsyncIterator[Two]:
    async with (
        proxy(server.port) as line,
        worker(server.url, tmp_path) as here,
        worker(f"redis://127.0.0.1:{line.port}", tmp_path) as there,
    ):
        await insert(here)
        for store in (here, there):
            await keeps(store, server)
        yield Two(here, there, line)


async def insert(store: SessionStore) -> None:
    index = Index(user=b"ada", sid=None, due_at=None)
    await store.insert(KEY, record=b"record", tokens=b"t", expires_at=datetime.now(UTC) + HOUR, index=index)


def looked_up(server: RedisServer) -> str:
    """Return what Redis says of how often it was asked for a record."""
    return next((line for line in server.said("INFO", "commandstats").split() if "_hget:" in line), "").split(",")[0]


async def keeps(store: SessionStore, server: RedisServer) -> None:
    """Wait until it answers without asking Redis."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await asyncio.sleep(0.01)
            try:
                before = looked_up(server), await store.get(KEY), await store.get(KEY)
            except StoreUnavailable:
                continue
            if before == (looked_up(server), RECORD, RECORD):
                return


async def asks(store: SessionStore, server: RedisServer) -> bool:
    """Say whether each of five look-ups in a row asks Redis."""
    counts = [looked_up(server)]
    for _ in range(5):
        assert await store.get(KEY) == RECORD
        counts.append(looked_up(server))
    return len(set(counts)) == len(counts)


async def never_later(store: SessionStore, *, than: float, until: Callable[[object], bool]) -> None:
    """Look up until this is found; nothing that was asked for after that time is the record as it was."""
    async with asyncio.timeout(PATIENCE):
        while True:
            asked_at = time.monotonic()
            try:
                found: object = await store.get(KEY)
            except StoreUnavailable as error:
                found = error
            if until(found):
                return
            assert found != RECORD or asked_at < than, "an ended session is still believed"
            await asyncio.sleep(0.005)


def gone(found: object) -> bool:
    return found is None


def unavailable(found: object) -> bool:
    return isinstance(found, StoreUnavailable)


@pytest.mark.parametrize("fault", ["blackhole", "half_open", "drop", "garbage", "truncate"])
async def test_only_the_telling_line_fails(two: Two, server: RedisServer, fault: Fault) -> None:
    """I1, REL-017: an end elsewhere is effective within a second though nobody tells of it; then all is as before."""
    two.line.only, two.line.fault, two.line.keep = TELLING, fault, 0
    began = time.monotonic()
    await two.here.delete([KEY])
    await never_later(two.there, than=max(began + 2 * BELIEVED, time.monotonic()), until=gone)
    two.line.fault = "none"
    await insert(two.here)
    await keeps(two.there, server)
    await two.here.delete([KEY])
    await never_later(two.there, than=time.monotonic() + PATIENCE, until=gone)


async def test_a_late_line_is_no_help(two: Two) -> None:
    """I1, REL-012: what Redis tells a second late is not waited for: each look-up asks meanwhile."""
    two.line.only, two.line.fault, two.line.seconds = TELLING, "delay", 1.0
    began = time.monotonic()
    await two.here.delete([KEY])
    await never_later(two.there, than=max(began + 2 * BELIEVED, time.monotonic()), until=gone)


@pytest.mark.parametrize("fault", ["blackhole", "half_open", "drop"])
async def test_the_whole_way_fails(two: Two, fault: Fault) -> None:
    """REL-010, REL-017: a worker that is cut off is unavailable within half a second, not in as before."""
    two.line.fault = fault
    began = time.monotonic()
    await two.here.delete([KEY])
    await never_later(two.there, than=began + BELIEVED + 0.1, until=unavailable)
    two.line.fault = "none"
    two.line.drop_all()
    await never_later(two.there, than=0.0, until=gone)


async def test_redis_is_stopped(two: Two, server: RedisServer) -> None:
    """REL-012: a server that answers nothing is unavailable within half a second; then it goes on, and is kept."""
    server.stop_answering()
    began = time.monotonic()
    await never_later(two.here, than=began + BELIEVED, until=unavailable)
    server.go_on()
    await keeps(two.here, server)


async def test_redis_starts_again_empty(two: Two, server: RedisServer) -> None:
    """REL-011: what a server has lost is not believed after its end."""
    server.kill()
    began = time.monotonic()
    await never_later(two.here, than=began + BELIEVED, until=unavailable)
    await asyncio.to_thread(server.start)
    await never_later(two.here, than=0.0, until=gone)
    await insert(two.here)
    await keeps(two.here, server)


async def test_the_connection_is_killed_and_the_session_ends(two: Two, server: RedisServer) -> None:
    """I1, REL-017: all connections are closed and the session ended at once: nobody is told, and it is over."""
    assert server.said("CLIENT", "KILL", "TYPE", "normal").isdecimal()
    server.said("DEL", NAME)
    await never_later(two.here, than=time.monotonic() + 2 * BELIEVED, until=gone)


async def test_a_primary_that_becomes_a_replica(two: Two, server: RedisServer) -> None:
    """REL-014: what a replica says is not kept: it hears of an end when its primary tells it, or never."""
    assert server.said("REPLICAOF", "127.0.0.1", "1") == "OK"
    async with asyncio.timeout(PATIENCE):
        while not await asks(two.here, server):
            await asyncio.sleep(0.05)
    assert server.said("REPLICAOF", "NO", "ONE") == "OK"
    await keeps(two.here, server)


async def test_a_new_primary(tmp_path: Path) -> None:
    """REL-014: after a failover the new primary is believed, and tells; the old one is not."""
    with watched_redis(tmp_path / "watched") as watched:
        async with worker(watched.url, tmp_path) as store:
            await insert(store)
            await keeps(store, watched.primary)
            async with asyncio.timeout(PATIENCE):
                while watched.replica.said("EXISTS", NAME) != "1":
                    await asyncio.sleep(0.05)
            watched.primary.kill()
            await never_later(store, than=time.monotonic() + BELIEVED, until=unavailable)
            await keeps(store, watched.replica)
            watched.replica.said("DEL", NAME)
            await never_later(store, than=time.monotonic() + PATIENCE, until=gone)
