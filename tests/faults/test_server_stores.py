"""Redis and PostgreSQL killed, stopped and started again under traffic: 503 and recovery, never "no session"."""

import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import anyio
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.clock import system_clock
from entrada.errors import StoreUnavailable
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import Index, SessionStore
from tests.front_door import BASE, SESSION, running
from tests.servers import PostgresServer, RedisServer, postgres_server, redis_server, watched_redis

KEY = b"k" * 32
HOUR = timedelta(hours=1)
HOST = "portal.birch.example"
DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


class Server(Protocol):
    url: str

    def start(self) -> object: ...
    def kill(self) -> None: ...


@pytest.fixture(params=["redis", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer | PostgresServer]:
    if request.param == "redis":
        with redis_server(tmp_path / "redis", *DURABLE) as redis:
            yield redis
    else:
        with postgres_server() as postgres:
            yield postgres


@pytest.fixture
async def store(server: RedisServer | PostgresServer, tmp_path: Path) -> AsyncIterator[SessionStore]:
    opened = open_store(server.url, data_dir=tmp_path, clock=system_clock)
    await opened.prepare()
    yield opened
    await opened.close()


async def insert(store: SessionStore, key: bytes = KEY) -> None:
    index = Index(user=b"ada", sid=None, due_at=None)
    await store.insert(key, record=b"record", tokens=b"tokens", expires_at=datetime.now(UTC) + HOUR, index=index)


@dataclass
class Traffic:
    """Twenty that look a session up again and again, and what they were told."""

    store: SessionStore
    answered: int = 0
    unavailable: int = 0
    slowest: float = 0.0
    going: bool = True

    async def one(self) -> None:
        while self.going:
            began = time.monotonic()
            try:
                assert await self.store.get(KEY) == (b"record", 1), "an outage is never no session"
                self.answered += 1
            except StoreUnavailable:
                self.unavailable += 1
            self.slowest = max(self.slowest, time.monotonic() - began)
            await anyio.sleep(0.02)

    async def until(self, happened: Callable[[], bool], *, within: float) -> None:
        with anyio.fail_after(within):
            while not happened():
                await anyio.sleep(0.01)


async def test_killed_and_started_again_under_traffic(
    server: RedisServer | PostgresServer, store: SessionStore
) -> None:
    """REL-010, REL-020: each look-up is answered or unavailable within a second; the store recovers by itself."""
    await insert(store)
    traffic = Traffic(store)
    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(traffic.one)
        await traffic.until(lambda: traffic.answered > 50, within=10)
        server.kill()
        await traffic.until(lambda: traffic.unavailable > 20, within=10)
        await anyio.to_thread.run_sync(server.start)
        answered = traffic.answered
        await traffic.until(lambda: traffic.answered > answered + 50, within=10)
        traffic.going = False
    assert traffic.slowest < 5  # a second, and what a loaded machine adds
    await insert(store, b"after" + bytes(27))


async def test_what_was_acknowledged_outlives_a_kill(server: RedisServer | PostgresServer, store: SessionStore) -> None:
    """REL-020, REL-027: a write is wholly there or not; what was acknowledged, an end too, is there after the kill."""
    acknowledged: list[bytes] = []
    await insert(store)
    await store.delete([KEY])

    async def write() -> None:
        for number in range(100_000):
            key = number.to_bytes(32, "big")
            try:
                await insert(store, key)
            except StoreUnavailable:
                return
            acknowledged.append(key)

    async with anyio.create_task_group() as group:
        group.start_soon(write)
        await anyio.sleep(0.4)
        await anyio.to_thread.run_sync(server.kill)
    await anyio.to_thread.run_sync(server.start)
    assert len(acknowledged) > 5
    last = len(acknowledged).to_bytes(32, "big")
    with anyio.fail_after(10):
        while True:
            try:
                await store.get(KEY)
                break
            except StoreUnavailable:
                await anyio.sleep(0.05)
    assert [key for key in acknowledged if await store.get(key) != (b"record", 1)] == []
    assert [key for key in acknowledged if await store.get_tokens(key) != (b"tokens", 1)] == []
    assert ((await store.get(last)) is None) == ((await store.get_tokens(last)) is None)
    assert await store.get(KEY) is None


async def test_stopped_for_a_while(tmp_path: Path) -> None:
    """REL-012: a server that takes commands and does not answer is 503 within a second, and then goes on."""
    with redis_server(tmp_path / "redis") as server:
        store = open_store(server.url, data_dir=tmp_path, clock=system_clock)
        await insert(store)
        traffic = Traffic(store)
        async with anyio.create_task_group() as group:
            for _ in range(100):
                group.start_soon(traffic.one)
            await traffic.until(lambda: traffic.answered > 100, within=10)
            server.stop_answering()
            await traffic.until(lambda: traffic.unavailable > 150, within=10)
            server.go_on()
            answered = traffic.answered
            await traffic.until(lambda: traffic.answered > answered + 100, within=10)
            traffic.going = False
        assert traffic.slowest < 5  # a second, and what a loaded machine adds
        connected = int(server.said("INFO", "clients").split("connected_clients:")[1].split("\r\n")[0])
        assert connected <= 80
        await store.close()


async def test_the_primary_changes(tmp_path: Path) -> None:
    """REL-014: when the primary dies, the sentinel's new one is found without a restart; no session is "not there"."""
    with watched_redis(tmp_path / "watched") as watched:
        store = open_store(watched.url, data_dir=tmp_path, clock=system_clock)
        await insert(store)
        with anyio.fail_after(10):
            while watched.replica.said("EXISTS", f"entrada:session:{KEY.hex()}") != "1":
                await anyio.sleep(0.05)
        traffic = Traffic(store)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(traffic.one)
            await traffic.until(lambda: traffic.answered > 20, within=10)
            watched.primary.kill()
            await traffic.until(lambda: traffic.unavailable > 5, within=10)
            answered = traffic.answered
            await traffic.until(lambda: traffic.answered > answered + 50, within=30)
            traffic.going = False
        await insert(store, b"after" + bytes(27))
        assert watched.replica.said("ROLE").startswith("master") or watched.replica.said("ROLE") == "3"
        await store.close()


async def test_people_meet_503(server: RedisServer | PostgresServer, entra: Entra, tmp_path: Path) -> None:
    """REL-010: protected pages are 503 with Retry-After while the store is down, the cookie stays, and then go on."""
    async with running(entra, tmp_path / "app", store=server.url) as door:
        browser = await door.signed_in()
        server.kill()
        await door.out_of_reach(browser.jar.of(HOST)[SESSION])
        began = time.monotonic()
        page = await browser.open(f"{BASE}/private")
        assert time.monotonic() - began < 8
        assert page.status == 503
        assert int(page.headers["retry-after"]) > 0
        assert SESSION in browser.jar.of(HOST)
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 503
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        await anyio.to_thread.run_sync(server.start)
        with anyio.fail_after(10):
            while (await browser.open(f"{BASE}/private")).status == 503:
                await anyio.sleep(0.1)
        assert (await browser.open(f"{BASE}/private")).status == 200
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 200


async def test_started_again_empty(tmp_path: Path, entra: Entra) -> None:
    """REL-011: people are sent to sign in once, and then are in; no loop, no 500."""
    with redis_server(tmp_path / "redis") as server:
        async with running(entra, tmp_path / "app", store=server.url) as door:
            browser = await door.signed_in()
            server.kill()
            await anyio.to_thread.run_sync(server.start)
            page = await browser.open(f"{BASE}/private")
            assert page.status == 200
            assert SESSION in browser.jar.of(HOST)
