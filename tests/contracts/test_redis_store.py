"""What the Redis store promises of its keys, and which servers it refuses."""

import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from redis.asyncio import Connection

from entrada import store_url
from entrada.clock import system_clock
from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.redis_servers import RedisServers
from entrada.sessions.stores.store import Index, SessionStore
from tests.servers import RedisServer, redis_server

KEY, OTHER = b"k" * 32, b"o" * 32
NAME = f"entrada:session:{KEY.hex()}"
HOUR = timedelta(hours=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as started:
        yield started


@pytest.fixture
async def store(server: RedisServer, tmp_path: Path) -> AsyncIterator[SessionStore]:
    opened = open_store(server.url, data_dir=tmp_path, clock=system_clock)
    yield opened
    await opened.close()


async def insert(store: SessionStore, key: bytes = KEY, *, lifetime: timedelta = HOUR) -> None:
    now = datetime.now(UTC)
    index = Index(user=b"ada", sid=b"sid", due_at=now)
    await store.insert(key, record=b"record", tokens=b"tokens", expires_at=now + lifetime, index=index)


async def test_no_key_is_without_an_expiry(server: RedisServer, store: SessionStore) -> None:
    """Whatever is done, every key that is there expires by itself."""
    await insert(store)
    await insert(store, OTHER)
    assert await store.replace(KEY, record=b"used", version=1, expires_at=datetime.now(UTC) + HOUR)
    assert await store.replace_tokens(KEY, tokens=b"new", version=1, due_at=datetime.now(UTC))
    await store.index({KEY: Index(user=b"eve", sid=b"other", due_at=datetime.now(UTC))})
    await store.take_lease(KEY, holder=b"one", lifetime=HOUR)
    await store.extend_lease(KEY, holder=b"one", lifetime=HOUR)
    await store.drop_lease(KEY, holder=b"one")
    await store.add_if_absent(KEY, lifetime=HOUR)
    there = [f"entrada:{kind}" for kind in (f"session:{KEY.hex()}", f"session:{OTHER.hex()}", f"user:{b'ada'.hex()}")]
    there += [f"entrada:{kind}:{name.hex()}" for kind, name in (("user", b"eve"), ("sid", b"sid"), ("sid", b"other"))]
    there += [f"entrada:lease:{KEY.hex()}", f"entrada:spent:{KEY.hex()}", "entrada:due"]
    assert server.said("DBSIZE") == str(len(there))
    assert [name for name in there if int(server.said("PTTL", name)) <= 0] == []


async def test_redis_forgets_what_has_expired(server: RedisServer, store: SessionStore) -> None:
    """A session's key is gone when its time is over, and the lists give it no more."""
    await insert(store, lifetime=timedelta(seconds=0.2))
    await anyio.sleep(0.3)
    assert server.said("EXISTS", NAME) == "0"
    assert await store.by_user(b"ada", limit=5) == []
    assert await store.by_sid(b"sid") == []
    assert await store.due(before=datetime.now(UTC), limit=5) == []
    assert server.said("ZCARD", "entrada:due") == "0"


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-lru", "volatile-ttl", "allkeys-random"])
async def test_a_server_that_throws_keys_away_is_refused(server: RedisServer, tmp_path: Path, policy: str) -> None:
    """An evicting policy keeps the application from starting, with the mend (REL-013)."""
    assert server.said("CONFIG", "SET", "maxmemory-policy", policy) == "OK"
    store = open_store(server.url, data_dir=tmp_path, clock=system_clock)
    with pytest.raises(SettingsRefused, match=f"{policy}.*set maxmemory-policy to noeviction"):
        await store.prepare()
    with pytest.raises(StoreUnavailable, match="throw sessions away"):
        await store.get(KEY)
    server.said("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await store.prepare()
    assert await store.get(KEY) is None
    await store.close()


async def test_a_full_server_takes_no_sign_in_and_keeps_its_sessions(server: RedisServer, store: SessionStore) -> None:
    """OOM is StoreUnavailable for what is new; who is there is read as ever (REL-013, REL-016)."""
    await insert(store)
    server.said("CONFIG", "SET", "maxmemory", "1")
    with pytest.raises(StoreUnavailable, match="OutOfMemoryError"):
        await insert(store, OTHER)
    assert await store.get(KEY) == (b"record", 1)
    server.said("CONFIG", "SET", "maxmemory", "0")
    await insert(store, OTHER)
    assert await store.get(OTHER) == (b"record", 1)


async def test_a_value_of_another_kind_is_unavailable(server: RedisServer, store: SessionStore) -> None:
    """What is not ours under our key is no "no session": everything says StoreUnavailable (REL-016)."""
    server.said("SET", NAME, "something else")
    for asking in (
        lambda: store.get(KEY),
        lambda: store.get_tokens(KEY),
        lambda: insert(store),
        lambda: store.replace(KEY, record=b"r", version=1, expires_at=datetime.now(UTC) + HOUR),
        lambda: store.replace_tokens(KEY, tokens=b"t", version=1, due_at=None),
        lambda: store.postpone(KEY, due_at=datetime.now(UTC)),
        lambda: store.delete([KEY]),
    ):
        with pytest.raises(StoreUnavailable):
            await asking()


@pytest.mark.parametrize("cut", ["", "x", "\0" * 8, "\0" * 11 + "\x07record"])
async def test_a_value_cut_short_is_unavailable(server: RedisServer, store: SessionStore, cut: str) -> None:
    """A part that is not whole is neither a session nor none (REL-016)."""
    await insert(store)
    for part, asking in (("r", store.get), ("t", store.get_tokens)):
        server.said("HSET", NAME, part, cut)
        with pytest.raises(StoreUnavailable, match="cut short or not ours"):
            await asking(KEY)


async def test_a_server_that_wants_a_password(tmp_path: Path) -> None:
    """Without the right one all is StoreUnavailable, and no password is told; with it, all is well (REL-016)."""
    with redis_server(tmp_path / "redis") as server:
        server.said("CONFIG", "SET", "requirepass", "open/sesame")
        for user, works in (("", False), (":wrong@", False), (":open%2Fsesame@", True)):
            store = open_store(server.url.replace("://", f"://{user}"), data_dir=tmp_path, clock=system_clock)
            await store.prepare()
            if works:
                assert await store.get(KEY) is None
            else:
                with pytest.raises(StoreUnavailable, match="Authentication") as refused:
                    await store.get(KEY)
                assert "wrong" not in str(refused.value)
            await store.close()


async def test_a_replica_takes_no_writes(server: RedisServer, store: SessionStore) -> None:
    """READONLY is StoreUnavailable for a write, and a write works again when it is a primary again (REL-014)."""
    await insert(store)
    server.said("REPLICAOF", "127.0.0.1", "1")
    with pytest.raises(StoreUnavailable, match="ReadOnlyError"):
        await insert(store, OTHER)
    server.said("REPLICAOF", "NO", "ONE")
    await insert(store, OTHER)


async def test_a_server_that_is_loading_or_busy(server: RedisServer, store: SessionStore) -> None:
    """While a script of somebody else blocks it, a look-up is StoreUnavailable within a second (REL-012, REL-016)."""
    await insert(store)
    server.said("CONFIG", "SET", "busy-reply-threshold", "10")
    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, lambda: server.said("EVAL", "while true do end", "0"))
        await anyio.sleep(0.2)
        began = time.monotonic()
        with pytest.raises(StoreUnavailable):
            await store.get(KEY)
        assert time.monotonic() - began < 8
        server.said("SCRIPT", "KILL")
    assert await store.get(KEY) == (b"record", 1)


async def test_connections_are_bounded(server: RedisServer, store: SessionStore) -> None:
    """However many ask at once, one worker has at most its number of connections (REL-012)."""
    await insert(store)
    async with anyio.create_task_group() as group:
        for _ in range(120):
            group.start_soon(store.get, KEY)
    connected = int(server.said("INFO", "clients").split("connected_clients:")[1].split("\r\n")[0])
    assert 1 < connected <= 40


async def test_a_connection_lost_before_it_is_written_to(server: RedisServer) -> None:
    """REL-014: what redis-py stumbles over then (its issue 4287) is an outage, and asked once more; no mistake is."""
    servers, asked = RedisServers(store_url.parse(server.url)), []

    async def write(_client: object) -> None:
        asked.append("lost")
        await Connection(port=server.port)._send_packed_command([b"PING"])

    async def mistake(_client: object) -> None:
        raise AttributeError("ours")

    with pytest.raises(StoreUnavailable, match="ConnectionError"):
        await servers.run(write)
    assert len(asked) == 2
    with pytest.raises(AttributeError, match="ours"):
        await servers.run(mistake)
    await servers.close()
