"""Limits of several workers on one Redis: counted together, and by each alone while Redis does not answer."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from redis.asyncio import Redis

from entrada.rates import Rate
from entrada.web.guards.address_limits import AddressLimit
from entrada.web.guards.shared_limits import SharedLimits, open_shared
from tests.front_door import FrontDoor, running
from tests.servers import RedisServer
from tests.visitor import visit

JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server; a test that stops it starts it again."""
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.kill()


@pytest.fixture
async def shared(redis: RedisServer) -> AsyncIterator[SharedLimits]:
    """What counts for all, with names of its own in Redis."""
    limits = open_shared(f"{redis.url}?prefix=own", patience=10)
    assert limits
    yield limits
    await limits.close()


async def names(redis: RedisServer, match: str) -> list[bytes]:
    async with Redis(port=redis.port) as client:
        return [name async for name in client.scan_iter(match=match)]


async def test_two_workers_count_together_and_then_alone(entra: Entra, tmp_path: Path, redis: RedisServer) -> None:
    """SEC-155, REL-055: six an hour on two workers are six; without Redis each holds its own limit."""
    async with AsyncExitStack() as stack:
        workers: list[FrontDoor] = [
            await stack.enter_async_context(
                running(entra, tmp_path / str(number), store=redis.url, limit_strangers="6/hour")
            )
            for number in range(2)
        ]

        async def statuses(address: str, *, rounds: int) -> list[int]:
            return [
                (await visit(worker.app, "/", address=address, headers=JSON)).status
                for _ in range(rounds)
                for worker in workers
            ]

        together = [200] * 6 + [429] * 4
        for number in range(50):  # on a busy machine Redis may seem not to answer in time, and they count alone
            if (seen := await statuses(f"192.0.2.{10 + number}", rounds=5)) == together:
                break
        assert seen == together
        redis.kill()
        assert await statuses("192.0.2.2", rounds=8) == [200] * 12 + [429] * 4
        redis.start()
        for _ in range(100):  # each worker tries Redis twice a second
            if await names(redis, "entrada:limit:*"):
                break
            await asyncio.sleep(0.1)
            await statuses(f"192.0.2.{100 + _}", rounds=1)
        assert await names(redis, "entrada:limit:*")


async def test_the_script_agrees_with_the_rule(shared: SharedLimits) -> None:
    """SEC-155: what Redis counts is what a worker would: both rates, what is left, the wait, and what is given back."""
    limit = (Rate.parse("5/hour"), Rate.parse("7/day"))
    lets = [await shared.spend("agrees", b"client", limit, 1) for _ in range(6)]
    assert [verdict.let for verdict in lets if verdict] == [True] * 5 + [False]
    assert [verdict.left for verdict in lets if verdict][:2] == [[4, 6], [3, 5]]
    assert lets[-1]
    assert lets[-1].left == [0, 2]
    assert 1 <= lets[-1].wait <= 2 * 3600
    back = await shared.spend("agrees", b"client", limit, -2)
    assert back
    assert back.left == [2, 4]
    at_once = await asyncio.gather(*(shared.spend("at once", b"client", limit, 1) for _ in range(40)))
    assert sum(verdict.let for verdict in at_once if verdict) == 5


async def test_a_flood_of_addresses_leaves_nothing_in_redis(redis: RedisServer, shared: SharedLimits) -> None:
    """SEC-156, REL-050: whoever comes once is not told to Redis, and only so many of the others: sessions have room."""
    limit = AddressLimit("flood", (Rate.parse("50/hour"),), now=lambda: 1e9, shared=shared, most=40)
    for number in range(2000):
        await limit.spend(number.to_bytes(4, "big"))
    assert await names(redis, "own:limit:flood:*") == []
    for number in range(100):
        for _ in range(8):
            await limit.spend(number.to_bytes(4, "big"))
    assert len(await names(redis, "own:limit:flood:*")) == 40


async def test_what_is_held_ends(redis: RedisServer, shared: SharedLimits) -> None:
    """SEC-156: every count in Redis has an end."""
    await shared.spend("ends", b"client", (Rate.parse("5/minute"),), 1)
    async with Redis(port=redis.port) as client:
        (name,) = await names(redis, "own:limit:ends:*")
        assert 0 < await client.ttl(name) <= 120
