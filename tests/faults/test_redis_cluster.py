"""A Redis Cluster changes under traffic: slots move, a primary dies and comes back; no session is "not there"."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.clock import system_clock
from entrada.sessions.stores.redis import RedisStore
from entrada.sessions.stores.redis_servers import PATIENCE
from entrada.store_url import parse
from tests.faults.invariants import visitor, watching
from tests.faults.test_server_stores import KEY, Traffic, insert
from tests.front_door import SESSION, running
from tests.servers import RedisServer, redis_cluster

HOST = "portal.birch.example"
LOADED = 8.0  # seconds; the steps of a move wait for processors, and a move that has begun is waited out
NAME = f"entrada:session:{KEY.hex()}"


@pytest.fixture
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[RedisServer]]:
    """Three primaries; in a long test each with a replica."""
    replicas = request.node.get_closest_marker("long") is not None
    with redis_cluster(tmp_path / "redis", replicas=replicas) as running_nodes:
        yield running_nodes


def address(nodes: list[RedisServer]) -> str:
    """Return the setting, which names two of the nodes."""
    return "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes[1:3])


def owner(nodes: list[RedisServer], slot: str) -> RedisServer:
    """Return the primary that has this slot."""
    return next(node for node in nodes[:3] if node.said("CLUSTER", "COUNTKEYSINSLOT", slot) != "0")


def told(node: RedisServer, *command: str) -> None:
    """Tell a node something that it must take."""
    assert node.said(*command) in {"OK", "NOKEY"}


async def moved(source: RedisServer, target: RedisServer, others: list[RedisServer], *, slot: str, name: str) -> None:
    """Move a slot with its key as `redis-cli --cluster reshard` does, with time between the steps."""
    source_id, target_id = source.said("CLUSTER", "MYID"), target.said("CLUSTER", "MYID")
    told(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
    told(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    await anyio.sleep(0.2)
    told(source, "MIGRATE", "127.0.0.1", str(target.port), name, "0", "5000")
    await anyio.sleep(0.2)  # meanwhile the source answers ASK
    for node in (target, source, *others):
        told(node, "CLUSTER", "SETSLOT", slot, "NODE", target_id)


@asynccontextmanager
async def traffic_on(nodes: list[RedisServer], *, patience: float = PATIENCE) -> AsyncIterator[Traffic]:
    """Look a session up from ten tasks as long as the block lasts."""
    store = RedisStore(parse(address(nodes)), clock=system_clock, patience=patience)
    try:
        await insert(store)
        traffic = Traffic(store)
        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(traffic.one)
            await traffic.until(lambda: traffic.answered > 20, within=10)
            yield traffic
            traffic.going = False
    finally:
        await store.close()


async def test_a_slot_moves_to_and_fro(nodes: list[RedisServer]) -> None:
    """REL-014: ASK and MOVED are followed: every look-up is answered, before, while and after, and writes are kept."""
    slot = nodes[0].said("CLUSTER", "KEYSLOT", NAME)
    async with traffic_on(nodes, patience=LOADED) as traffic:
        source = owner(nodes, slot)
        target, third = (node for node in nodes[:3] if node is not source)
        await moved(source, target, [third], slot=slot, name=NAME)
        assert owner(nodes, slot) is target
        answered = traffic.answered
        await traffic.until(lambda: traffic.answered > answered + 50, within=10)
        assert await traffic.store.replace_tokens(KEY, tokens=b"tokens", version=1, due_at=None)
        await moved(target, source, [third], slot=slot, name=NAME)
        answered = traffic.answered
        await traffic.until(lambda: traffic.answered > answered + 50, within=10)
        assert await traffic.store.get_tokens(KEY) == (b"tokens", 2)
    assert traffic.unavailable == 0


@pytest.mark.long
async def test_a_primary_dies_and_comes_back(nodes: list[RedisServer]) -> None:
    """REL-014: its replica is found by itself; the old primary comes back, empty, and nobody asks it for a session."""
    slot = nodes[0].said("CLUSTER", "KEYSLOT", NAME)
    async with traffic_on(nodes) as traffic:
        primary = owner(nodes, slot)
        replica = nodes[nodes.index(primary) + 3]
        with anyio.fail_after(10):
            while replica.said("CLUSTER", "COUNTKEYSINSLOT", slot) != "1":
                await anyio.sleep(0.05)
        primary.kill()
        await traffic.until(lambda: traffic.unavailable > 5, within=10)
        answered = traffic.answered
        await traffic.until(lambda: traffic.answered > answered + 50, within=30)
        await anyio.to_thread.run_sync(primary.start)
        with anyio.fail_after(20):
            while "role:slave" not in primary.said("INFO", "replication"):
                await anyio.sleep(0.05)
        answered, unavailable = traffic.answered, traffic.unavailable
        await traffic.until(lambda: traffic.answered > answered + 100, within=20)
        assert traffic.unavailable == unavailable
        await insert(traffic.store, b"after" + bytes(27))


@pytest.mark.long
async def test_people_meanwhile(nodes: list[RedisServer], entra: Entra, tmp_path: Path) -> None:
    """REL-014, I1, I4, I6, I7: people meet 503 at worst while each primary in turn dies; who signed out stays out."""
    async with running(entra, tmp_path / "app", store=address(nodes)) as door:
        staying, leaving = await door.signed_in(), await door.signed_in("ada@birch.example")
        kept, gone = staying.jar.of(HOST)[SESSION], leaving.jar.of(HOST)[SESSION]
        async with watching([visitor(door)], living=[kept]) as watch:
            await leaving.press("Sign out")
            watch.ends(gone)
            await anyio.sleep(1.0)  # the replicas hear of it
            for primary in nodes[:3]:
                primary.kill()
                await anyio.sleep(4.0)  # two seconds of silence, and an election
                await watch.recovered(within=20)
            assert watch.answers[503], "nobody noticed"
            watch.begins((await door.signed_in("ada@birch.example")).jar.of(HOST)[SESSION])
            await watch.recovered()
