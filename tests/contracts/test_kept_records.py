"""What a worker has read of Redis is not read again while nobody changes anything, and only then."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import uvloop

from entrada.clock import system_clock
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import Index, SessionStore, Stored
from tests.servers import RedisServer, redis_server

KEY, OTHER = b"k" * 32, b"o" * 32
NAME = f"entrada:session:{KEY.hex()}"
HOUR = timedelta(hours=1)
PATIENCE = 20.0  # seconds, on a busy machine
ROUNDS = 200
MOST_KEPT = 4096
PART = "\0" * 7 + "\x09" + "\0" * 3 + "\x06forged"
MANY = """
for number = 1, ARGV[1] do
  local key = string.gsub(string.format('%032d', number), '.', '3%0')
  redis.call('HSET', 'entrada:session:' .. key, 'r', ARGV[2])
end
"""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    directory = tmp_path_factory.mktemp("kept")
    with redis_server(directory / "redis", "--unixsocket", str(directory / "socket")) as started:
        yield started


@pytest.fixture
def server(running: RedisServer) -> RedisServer:
    assert running.said("FLUSHALL") == "OK"
    return running


@pytest.fixture
async def workers(server: RedisServer, tmp_path: Path) -> AsyncIterator[Callable[[], SessionStore]]:
    """Open the store as one worker more does."""
    opened: list[SessionStore] = []

    def another(url: str = server.url) -> SessionStore:
        opened.append(open_store(url, data_dir=tmp_path, clock=system_clock))
        return opened[-1]

    yield another
    for store in opened:
        await store.close()


@pytest.fixture
async def store(workers: Callable[[], SessionStore], server: RedisServer) -> SessionStore:
    """One worker's store, with a session that it keeps."""
    store = workers()
    for key in (KEY, OTHER):
        await insert(store, key)
        await keeps(store, server, key)
    return store


async def insert(store: SessionStore, key: bytes, *, lifetime: timedelta = HOUR) -> None:
    index = Index(user=b"u", sid=None, due_at=None)
    await store.insert(key, record=b"record", tokens=b"tokens", expires_at=datetime.now(UTC) + lifetime, index=index)


async def until(happened: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await happened():
            await asyncio.sleep(0.01)


def looked_up(server: RedisServer) -> int:
    """Return how often Redis was asked for a record."""
    found = re.search(r"cmdstat_hget:calls=(\d+)", server.said("INFO", "commandstats"))
    return int(found[1]) if found else 0


async def keeps(store: SessionStore, server: RedisServer, key: bytes = KEY) -> None:
    """Wait until a hundred look-ups in a row ask Redis nothing."""

    async def nothing_asked() -> bool:
        await store.get(key)
        before = looked_up(server)
        for _ in range(100):
            assert await store.get(key)
        return looked_up(server) == before

    await until(nothing_asked)


async def finds(store: SessionStore, expected: Stored | None) -> None:
    """Wait until it finds this, and see that it goes on finding it."""

    async def found() -> bool:
        return await store.get(KEY) == expected

    await until(found)
    assert [await store.get(KEY) for _ in range(20)] == [expected] * 20


@pytest.mark.parametrize(
    "change",
    [
        ("DEL", NAME),
        ("UNLINK", NAME),
        ("FLUSHALL",),
        ("FLUSHDB", "ASYNC"),
        ("PEXPIRE", NAME, "1"),
        ("RENAME", NAME, "elsewhere"),
        ("EVAL", "redis.call('DEL', KEYS[1])", "1", NAME),
        ("HDEL", NAME, "r"),
    ],
    ids=lambda change: change[0],
)
async def test_an_end_by_anybody_is_over(server: RedisServer, store: SessionStore, change: tuple[str, ...]) -> None:
    """I1, SEC-075: a session that somebody takes away, by whatever command, is soon gone for who has kept it."""
    server.said(*change)
    await finds(store, None)


async def test_a_change_by_anybody_is_effective(server: RedisServer, store: SessionStore) -> None:
    """I1, SEC-075: what an operator or an attacker writes is what is read, not what was there before."""
    server.said("HSET", NAME, "r", PART)
    await finds(store, (b"forged", 9))
    await keeps(store, server)


async def test_what_another_worker_ends_is_over(
    workers: Callable[[], SessionStore], server: RedisServer, store: SessionStore
) -> None:
    """SES-6: an end that one worker has acknowledged is effective on the others, and what was not ended goes on."""
    other = workers()
    await keeps(other, server)
    await other.delete([KEY])
    assert await other.get(KEY) is None
    await finds(store, None)
    assert await store.get(OTHER) == (b"record", 1)


async def test_own_writes_are_read_at_once(server: RedisServer, store: SessionStore) -> None:
    """SES-6: what this worker has written is what it reads, however many read it meanwhile."""
    writing, reads = True, 0

    async def read() -> None:
        nonlocal reads
        while writing:
            assert await store.get(KEY)
            reads += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for _ in range(5):
            group.create_task(read())
        for version in range(1, ROUNDS):
            assert await store.replace(KEY, record=b"%d" % version, version=version, expires_at=later())
            assert await store.get(KEY) == (b"%d" % version, version + 1)
        writing = False
    assert reads > ROUNDS
    await store.delete([KEY])
    assert await store.get(KEY) is None


async def test_a_read_that_meets_a_change_is_not_kept(workers: Callable[[], SessionStore], store: SessionStore) -> None:
    """I1: while one worker writes and another reads without pause, no reader goes back, and none stays behind."""
    other = workers()
    seen: list[int] = [1]

    async def read() -> None:
        while seen[-1] < ROUNDS:
            stored = await store.get(KEY)
            assert stored
            assert stored[1] >= seen[-1], "an older record came back"
            seen.append(stored[1])
            await asyncio.sleep(0)

    async with asyncio.timeout(3 * PATIENCE), asyncio.TaskGroup() as group:
        group.create_task(read())
        for version in range(1, ROUNDS):
            assert await other.replace(KEY, record=b"newer", version=version, expires_at=later())
    await finds(store, (b"newer", ROUNDS))


async def test_what_has_expired_is_over(server: RedisServer, workers: Callable[[], SessionStore]) -> None:
    """SES-5: a session whose time Redis has ended is not kept beyond it."""
    store = workers()
    await insert(store, OTHER)
    await keeps(store, server, OTHER)
    await insert(store, KEY, lifetime=timedelta(seconds=0.5))
    await store.get(KEY)
    await finds(store, None)


async def test_what_is_kept_is_bounded(server: RedisServer, store: SessionStore) -> None:
    """REL-074: a worker keeps so many records and no more: for a new one the oldest goes."""
    keys = [b"%032d" % number for number in range(1, MOST_KEPT + 1)]
    server.said("EVAL", MANY, "0", str(len(keys)), PART)

    async def asks(key: bytes) -> int:
        before = looked_up(server)
        assert await store.get(key)
        return looked_up(server) - before

    async def the_oldest_went() -> bool:
        """Read them all; on a busy machine some are read while nothing can be kept, and are not."""
        for batch in range(0, len(keys), 32):
            await asyncio.gather(*(store.get(key) for key in keys[batch : batch + 32]))
        return [await asks(keys[-1]), await asks(KEY), await asks(keys[-1])] == [0, 1, 0]

    await until(the_oldest_went)
    await keeps(store, server, keys[-1])


@pytest.mark.parametrize("where", ["user", "database", "socket"])
async def test_each_way_to_a_server(server: RedisServer, workers: Callable[[str], SessionStore], where: str) -> None:
    """SES-6: records are kept whatever the address says: user and password, number of a database, socket."""
    server.said("ACL", "SETUSER", "ada", "on", ">open/sesame", "~entrada:*", "+@all")
    urls = {
        "user": server.url.replace("://", "://ada:open%2Fsesame@"),
        "database": f"{server.url}/3",
        "socket": f"unix://{server.options[1]}",
    }
    store = workers(urls[where])
    await insert(store, KEY)
    await keeps(store, server)


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def test_each_event_loop(server: RedisServer, tmp_path: Path, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """SES-6: records are kept, and forgotten, on the event loop of Python and on the one that servers prefer."""

    async def one_worker() -> None:
        store = open_store(server.url, data_dir=tmp_path, clock=system_clock)
        await insert(store, KEY)
        await keeps(store, server)
        server.said("DEL", NAME)
        await finds(store, None)
        await store.close()

    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(one_worker())


async def test_a_store_closes_at_any_moment(server: RedisServer, tmp_path: Path) -> None:
    """REL-060: whatever a store is doing to be told of changes, closed it has gone, with its connections."""
    tasks = len(asyncio.all_tasks())
    async with asyncio.timeout(3 * PATIENCE):
        for number in range(60):
            store = open_store(server.url, data_dir=tmp_path, clock=system_clock)
            assert await store.get(KEY) is None
            await asyncio.sleep(number / 4000)
            await store.close()
        assert len(asyncio.all_tasks()) == tasks

        async def nobody_connected() -> bool:
            return "connected_clients:1\r" in server.said("INFO", "clients")

        await until(nobody_connected)


def later() -> datetime:
    return datetime.now(UTC) + HOUR


@pytest.fixture(params=["-client|tracking", "-@connection +auth +select +ping", "RESP2"])
def silent(request: pytest.FixtureRequest, server: RedisServer, tmp_path: Path) -> Iterator[tuple[RedisServer, str]]:
    """A server that cannot tell of changes, or may not tell this user; and the address."""
    if request.param == "RESP2":
        with redis_server(tmp_path / "old", "--rename-command", "HELLO", "") as old:
            yield old, old.url
    else:
        rules = request.param.split()
        server.said("ACL", "SETUSER", "limited", "reset", "on", ">sesame", "~*", "&*", "+@all", *rules)
        yield server, server.url.replace("://", "://limited:sesame@")


async def test_a_server_that_does_not_tell(
    silent: tuple[RedisServer, str], workers: Callable[[str], SessionStore], caplog: pytest.LogCaptureFixture
) -> None:
    """SES-6: where Redis may not or cannot tell of changes each look-up asks, and the log says so, once."""
    server, url = silent
    store = workers(url)
    await insert(store, KEY)

    async def said() -> bool:
        assert await store.get(KEY) == (b"record", 1)
        return "sessions_not_kept" in caplog.text

    await until(said)
    before = looked_up(server)
    for _ in range(20):
        assert await store.get(KEY) == (b"record", 1)
    assert looked_up(server) == before + 20
    server.said("DEL", NAME)
    assert await store.get(KEY) is None
    assert caplog.text.count("sessions_not_kept") == 1
    assert "sesame" not in caplog.text
