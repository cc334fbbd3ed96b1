"""The way to Redis: slow, cut for one worker, or full; nobody waits for long, and the others never notice."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from starlette.types import Receive, Scope, Send

from tests.faults.invariants import Held
from tests.faults.tcp_proxy import Fault, Proxy, proxy
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.meanwhile import meanwhile
from tests.servers import RedisServer, redis_server

HOST = "portal.birch.example"
SCRIPT = {"x-csrf": "1"}
BACK_WITHIN = 10.0  # seconds


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


@dataclass
class Pair:
    """Two workers: one beside Redis, the other behind a line that can be made bad."""

    here: FrontDoor
    there: FrontDoor
    line: Proxy


@pytest.fixture
async def pair(entra: Entra, tmp_path: Path, redis: RedisServer) -> AsyncIterator[Pair]:
    async with (
        proxy(redis.port) as line,
        running(entra, tmp_path / "app", store=redis.url) as here,
        running(entra, tmp_path / "app", store=f"redis://127.0.0.1:{line.port}") as there,
    ):
        yield Pair(here, there, line)


async def ready(door: FrontDoor) -> int:
    return (await door.raw("GET", f"{BASE}/ready")).status_code


async def back(door: FrontDoor, session: str) -> float:
    """Wait until the worker serves this session; return how long that took."""
    began = time.monotonic()
    while (status := await door.reuse(session)) != 200:
        assert status == 503, "an outage is never a sign-out"
        assert time.monotonic() - began < BACK_WITHIN
        await asyncio.sleep(0.05)
    return time.monotonic() - began


@asynccontextmanager
async def asked_meanwhile(door: FrontDoor, session: str) -> AsyncIterator[list[int]]:
    """Ask one worker again and again while the block lasts; give what it answered."""
    statuses: list[int] = []

    async def ask() -> None:
        while True:
            statuses.append(await door.reuse(session))
            await asyncio.sleep(0.02)

    async with meanwhile(ask()):
        yield statuses


@pytest.mark.parametrize("fault", ["blackhole", "drop"])
async def test_one_worker_is_cut_off(pair: Pair, fault: Fault) -> None:
    """REL-017: it answers 503 and is not ready; the other serves as ever; it is back by itself, and knows who left."""
    staying, leaving = await pair.here.signed_in(), await pair.here.signed_in("ada@birch.example")
    kept, lost = staying.jar.of(HOST)[SESSION], leaving.jar.of(HOST)[SESSION]
    assert [await pair.there.reuse(session) for session in (kept, lost)] == [200, 200]
    async with asked_meanwhile(pair.here, kept) as statuses:
        pair.line.fault = fault
        pair.line.drop_all()
        await pair.there.out_of_reach(kept)
        assert await ready(pair.there) == 503
        assert (await pair.there.raw("GET", f"{BASE}/health")).status_code == 200
        assert (await leaving.fetch(f"{AUTH}/logout", method="POST", headers=SCRIPT)).status_code == 200
        assert await pair.there.reuse(lost) in {503, 401}  # 401 once it has read of the end in the users' database
        assert await ready(pair.here) == 200
        async with asyncio.timeout(10):
            while len(statuses) < 5:
                await asyncio.sleep(0.02)
        pair.line.fault = "none"
        pair.line.drop_all()
        await back(pair.there, kept)
        assert await pair.there.reuse(lost) == 401
        assert await ready(pair.there) == 200
    assert set(statuses) == {200}


async def test_200_milliseconds_for_each_command(pair: Pair) -> None:
    """REL-012: slow is not down: requests are answered, later."""
    session = (await pair.here.signed_in()).jar.of(HOST)[SESSION]
    assert await pair.there.reuse(session) == 200
    pair.line.fault, pair.line.seconds = "delay", 0.1  # each way
    answers = await asyncio.gather(*(pair.there.reuse(session) for _ in range(10)))
    assert answers.count(200) > 5
    assert await pair.there.reuse(session) == 200


async def test_5_seconds_for_each_command(pair: Pair, redis: RedisServer) -> None:
    """REL-010, REL-012, I5: 503 after a second at most, then at once; nothing piles up; back by itself."""
    session = (await pair.here.signed_in()).jar.of(HOST)[SESSION]
    async with asyncio.timeout(20):  # all its connections; a busy machine may be too late for some of so many at once
        while {*await asyncio.gather(*(pair.there.reuse(session) for _ in range(100)))} != {200}:
            await asyncio.sleep(0.1)
    before, tasks = Held.by(os.getpid()), len(asyncio.all_tasks())
    pair.line.fault, pair.line.seconds = "delay", 5.0
    await pair.there.out_of_reach(session)
    began = time.monotonic()
    answers = await asyncio.gather(*(pair.there.reuse(session) for _ in range(100)))
    assert set(answers) == {503}
    assert time.monotonic() - began < 4.9, "they wait for the answer"
    began = time.monotonic()
    assert {await pair.there.reuse(session) for _ in range(30)} == {503}
    assert time.monotonic() - began < 10, "each request waits for a server that does not answer"
    connected = int(redis.said("INFO", "clients").split("connected_clients:")[1].split("\r\n")[0])
    assert connected < 100, f"{connected} for 130 requests: connections pile up"  # 36 at each door, some not yet ended
    pair.line.fault = "none"
    pair.line.drop_all()
    await back(pair.there, session)
    async with asyncio.timeout(10):
        while len(asyncio.all_tasks()) > tasks + 4:
            await asyncio.sleep(0.05)
    Held.by(os.getpid()).assert_no_more_than(before)


async def test_killed_under_load(redis: RedisServer, entra: Entra, tmp_path: Path) -> None:
    """REL-010: after SIGKILL each of many requests is 503 within a second, cookies stay, and all is back in ten."""
    async with running(entra, tmp_path / "app", store=redis.url, session_idle_minutes=60) as door:
        browser = await door.signed_in()
        session = browser.jar.of(HOST)[SESSION]
        assert redis.said("SAVE") == "OK"
        redis.kill()
        await door.out_of_reach(session)
        began = time.monotonic()
        answers = await asyncio.gather(*(door.reuse(session) for _ in range(100)))
        assert set(answers) == {503}
        assert time.monotonic() - began < 8
        page = await browser.fetch(f"{AUTH}/me")
        assert page.status_code == 503
        assert int(page.headers["retry-after"]) > 0
        assert "set-cookie" not in page.headers
        await asyncio.to_thread(redis.start)
        assert await back(door, session) < BACK_WITHIN


async def test_full(redis: RedisServer, entra: Entra, tmp_path: Path) -> None:
    """REL-013: while Redis takes nothing more, a sign-in is 503 without a cookie; who is in stays in; then it works."""
    async with running(entra, tmp_path / "app", store=redis.url) as door:
        inside = (await door.signed_in()).jar.of(HOST)[SESSION]
        assert redis.said("CONFIG", "SET", "maxmemory", "1") == "OK"
        outside = await door.signed_in("ada@birch.example")
        assert outside.page.status == 503
        assert SESSION not in outside.jar.of(HOST)
        assert await door.reuse(inside) == 200
        assert redis.said("CONFIG", "SET", "maxmemory", "0") == "OK"
        assert (await door.signed_in("ada@birch.example")).page.status == 200


async def test_full_in_the_middle_of_a_sign_in(redis: RedisServer, entra: Entra, tmp_path: Path) -> None:
    """SEC-012, REL-013: who was in and signs in once more, as for a step-up, stays in; a full Redis still deletes."""

    async def filling(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].endswith("/token"):
            assert redis.said("CONFIG", "SET", "maxmemory", "1") == "OK"
        await entra.app(scope, receive, send)

    async with running(entra, tmp_path / "app", store=redis.url) as door:
        browser = await door.signed_in()
        inside = browser.jar.of(HOST)[SESSION]
        door.internet.hosts["login.microsoftonline.com"] = filling
        assert (await browser.open(f"{AUTH}/login")).status == 503
        assert browser.jar.of(HOST)[SESSION] == inside
        assert await door.reuse(inside) == 200
