"""What the SQLite store promises between processes, after a crash, and of its file."""

import os
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.sqlite import SqliteStore
from entrada.sessions.stores.store import Index
from tests.contracts.opened_once import opened_once
from tests.descriptors import open_below, room_for
from tests.moved_clock import MovedClock
from tests.processes import start, together

KEY, INDEX = b"k" * 32, Index(user=b"u", sid=None, due_at=None)
HOUR = timedelta(hours=1)
PREAMBLE = """
import asyncio, sys
from datetime import datetime, timedelta, UTC
from pathlib import Path
from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.sqlite import SqliteStore
from entrada.sessions.stores.store import Index
KEY, INDEX = b"k" * 32, Index(user=b"u", sid=None, due_at=None)
later = datetime(2026, 1, 6, tzinfo=UTC)
def clock(): return datetime(2026, 1, 5, 9, tzinfo=UTC)
def wait():
    print("ready", flush=True)
    sys.stdin.readline()
"""


def test_workers_that_start_together_all_open_the_file(path: Path) -> None:
    """Six processes that make the same new file at once all succeed, and it is whole."""
    source = """
store = SqliteStore(Path(sys.argv[1]), clock=clock)
wait()
asyncio.run(store.prepare())
print("open")
"""
    printed = together(PREAMBLE + source, str(path), times=6)
    assert printed == ["open"] * 6
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_one_process_spends_a_transaction(path: Path, clock: MovedClock) -> None:
    """Of eight processes that spend the same twenty transactions at once, exactly one succeeds with each (SEC-014)."""
    source = """
async def main():
    store = SqliteStore(Path(sys.argv[1]), clock=clock)
    await store.prepare()
    wait()
    won = [n for n in range(20) if await store.add_if_absent(bytes([n]) * 32, lifetime=timedelta(hours=1))]
    print(*won)
asyncio.run(main())
"""
    printed = together(PREAMBLE + source, str(path), times=8)
    assert sorted(int(number) for line in printed for number in line.split()) == list(range(20))


def test_no_process_loses_an_update(path: Path, clock: MovedClock) -> None:
    """Four processes add one to a record 25 times each, retrying when stale: it is 100 at the end (SES-6)."""
    source = """
async def main():
    store = SqliteStore(Path(sys.argv[1]), clock=clock)
    await store.prepare()
    wait()
    for _ in range(25):
        while True:
            data, version = await store.get(KEY)
            if await store.replace(KEY, record=b"%d" % (int(data) + 1), version=version, expires_at=later):
                break
asyncio.run(main())
"""

    async def main() -> None:
        store = SqliteStore(path, clock=clock)
        await store.insert(KEY, record=b"0", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
        await anyio.to_thread.run_sync(lambda: together(PREAMBLE + source, str(path), times=4))
        assert await store.get(KEY) == (b"100", 101)
        await store.close()

    anyio.run(main)


def test_an_end_wins_over_touches_of_other_processes(path: Path, clock: MovedClock) -> None:
    """While two processes write to a session as fast as they can, a third ends it: it stays ended (SEC-075)."""
    source = """
async def main():
    store = SqliteStore(Path(sys.argv[1]), clock=clock)
    await store.prepare()
    wait()
    if sys.argv[2] == "0":
        await asyncio.sleep(0.2)
        await store.delete([KEY])
        return print("ended", await store.get(KEY))
    writes = misses = version = 0
    while misses < 200:
        done = await store.replace(KEY, record=b"touched", version=version, expires_at=later)
        await store.replace_tokens(KEY, tokens=b"renewed", version=version, due_at=None)
        stored = await store.get(KEY)
        version = stored[1] if stored else version
        writes, misses = writes + done, misses + (stored is None)
    print("wrote" if writes else "idle")
asyncio.run(main())
"""

    async def main() -> None:
        store = SqliteStore(path, clock=clock)
        await store.insert(KEY, record=b"", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
        printed = await anyio.to_thread.run_sync(lambda: together(PREAMBLE + source, str(path), times=3))
        assert printed[0] == "ended None"
        assert "wrote" in printed[1:]
        assert await store.get(KEY) is None
        assert await store.get_tokens(KEY) is None
        await store.close()

    anyio.run(main)


def test_what_was_acknowledged_outlives_kill_9(path: Path, clock: MovedClock) -> None:
    """A process is killed right after its writes returned: all of them are there, and the file opens as it is."""
    source = """
import os, signal
async def main():
    store = SqliteStore(Path(sys.argv[1]), clock=clock)
    for n in range(20):
        await store.insert(bytes([n]) * 32, record=b"record", tokens=b"tokens", expires_at=later, index=INDEX)
    await store.delete([bytes([n]) * 32 for n in range(10)])
    os.kill(os.getpid(), signal.SIGKILL)
asyncio.run(main())
"""
    with start(PREAMBLE + source, str(path)) as worker:
        assert worker.wait(60) == -9

    async def main() -> None:
        store = SqliteStore(path, clock=clock)
        found = [await store.get(bytes([n]) * 32) for n in range(20)]
        assert found == [None] * 10 + [(b"record", 1)] * 10
        await store.close()

    anyio.run(main)


async def test_readers_do_not_wait_for_a_writer(path: Path, clock: MovedClock) -> None:
    """While another process holds the write lock, sessions are read as ever (REL-024)."""
    store = SqliteStore(path, clock=clock)
    await store.insert(KEY, record=b"record", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("DELETE FROM session")
    assert await store.get(KEY) == (b"record", 1)
    other.execute("COMMIT")
    assert await store.get(KEY) is None
    other.close()
    await store.close()


async def test_a_writer_waits_its_patience_and_then_says_unavailable(path: Path, clock: MovedClock) -> None:
    """Writes behind a lock that is not let go are each StoreUnavailable after a bounded wait, and undone (REL-024)."""
    store = SqliteStore(path, clock=clock, patience=0.2)
    await store.prepare()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    refused: list[str] = []

    async def insert() -> None:
        with pytest.raises(StoreUnavailable) as unavailable:
            await store.insert(KEY, record=b"record", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
        refused.append(str(unavailable.value))

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(40):
                group.start_soon(insert)
    assert len(refused) == 40
    assert any("SQLITE_BUSY" in detail for detail in refused)
    other.execute("COMMIT")
    assert await store.get(KEY) is None
    await store.insert(KEY, record=b"record", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
    assert await store.get(KEY) == (b"record", 1)
    other.close()
    await store.close()


async def test_a_cancelled_write_is_whole_and_the_next_one_goes_on(path: Path, clock: MovedClock) -> None:
    """A browser that goes away in the middle of a write leaves no half of it and no lock (REL-031)."""
    store = SqliteStore(path, clock=clock)
    for number in range(30):
        key = bytes([number]) * 32
        with anyio.move_on_after(0.0001 * number):
            await store.insert(key, record=b"record", tokens=b"tokens", expires_at=clock() + HOUR, index=INDEX)
        assert ((await store.get(key)) is None) == ((await store.get_tokens(key)) is None)
    await store.insert(KEY, record=b"record", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
    assert await store.get(KEY) == (b"record", 1)
    await store.close()


async def test_a_touch_that_cannot_be_written_is_let_be(path: Path, clock: MovedClock) -> None:
    """A store that takes no writes does not stop who is signed in, and is not asked at each request (REL-024)."""
    store, ring = SqliteStore(path, clock=clock, patience=0.2), KeyRing.parse(generate())
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    session_id, session = await sessions.begin(User(issuer="i", subject="s"), tokens=b"")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    clock.move(timedelta(minutes=1))
    assert not await sessions.touch(session)
    started = anyio.current_time()
    for _ in range(50):
        assert not await sessions.touch(session)
        assert await sessions.load(session_id)
    assert anyio.current_time() - started < 0.2 * 50
    other.execute("COMMIT")
    clock.move(timedelta(seconds=10))
    assert await sessions.touch(session)
    other.close()
    await store.close()


async def test_files_are_the_owners_only(tmp_path: Path, clock: MovedClock) -> None:
    """The directory that is made and all files of the store are readable by their owner only (SEC-176)."""
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        store = open_store("sqlite:", data_dir=data, clock=clock)
        await store.insert(KEY, record=b"record", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
    finally:
        os.umask(before)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in data.iterdir()}
    assert files == {"sessions.db": 0o600, "sessions.db-wal": 0o600, "sessions.db-shm": 0o600}
    await store.close()


async def test_rights_of_others_are_taken_away(path: Path, clock: MovedClock) -> None:
    """A file that others may read is the owner's only after the store has opened it (SEC-176)."""
    path.touch(0o644)
    await opened_once(path, clock)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_missing_directory_is_refused_plainly(tmp_path: Path, clock: MovedClock) -> None:
    """A path whose directory is not there is refused with the path and the mend, and no directory is made (REL-026)."""
    with pytest.raises(SettingsRefused, match=r"store: .*/gone/sessions\.db: No such file.*directory must exist"):
        await opened_once(tmp_path / "gone/sessions.db", clock)
    with pytest.raises(SettingsRefused, match=r"data_dir: .*/gone/data: No such file.*parent directory"):
        open_store("sqlite:", data_dir=tmp_path / "gone" / "data", clock=clock)
    assert not (tmp_path / "gone").exists()


async def test_a_file_that_is_no_database_is_refused_plainly(path: Path, clock: MovedClock) -> None:
    """A file of something else is refused and left as it is (REL-026)."""
    path.write_bytes(b"not a database, but something else entirely" * 100)
    with pytest.raises(SettingsRefused, match="is damaged or no SQLite file; restore it"):
        await opened_once(path, clock)
    assert path.read_bytes().startswith(b"not a database")


async def test_a_file_that_cannot_be_written_is_refused_plainly(path: Path, clock: MovedClock) -> None:
    """A database that SQLite takes for read-only is refused with its mend (REL-026)."""
    await opened_once(path, clock)
    with path.open("r+b") as file:  # file format, 1.3: a write version above 2 makes it read-only, for root too
        file.seek(18)
        file.write(b"\x03")
    with pytest.raises(SettingsRefused, match="cannot be written; give this process the right"):
        await opened_once(path, clock)


async def test_what_could_not_be_opened_whole_is_let_go_of(tmp_path: Path, path: Path, clock: MovedClock) -> None:
    """REL-026: wherever opening the file ends for want of descriptors, none of them stays open; later it opens."""
    room, refused = 0, list[SettingsRefused]()
    store = SqliteStore(path, clock=clock)
    while len(refused) == room < 20:
        room += 1
        with room_for(room):
            try:
                await store.prepare()
            except SettingsRefused as one:
                refused.append(one)  # it holds what was at hand when it was raised
        assert len(refused) < room or open_below(tmp_path) == []
    assert 3 < room < 20
    assert await store.get(KEY) is None
    await store.close()


async def test_pages_damaged_under_us_are_unavailable(path: Path, clock: MovedClock) -> None:
    """When the pages of the file turn to rubbish, a look-up is StoreUnavailable, never somebody's session (REL-026)."""
    writer = SqliteStore(path, clock=clock)
    for number in range(200):
        await writer.insert(bytes([number]) * 32, record=b"r" * 500, tokens=b"", expires_at=clock() + HOUR, index=INDEX)
    await writer.close()
    store = SqliteStore(path, clock=clock)
    await store.prepare()
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 100_000)
    with pytest.raises(StoreUnavailable):
        await store.get(bytes([7]) * 32)
    with pytest.raises(StoreUnavailable):
        await store.delete([bytes([7]) * 32])
    await store.close()


async def test_a_file_removed_under_us_takes_no_writes(path: Path, clock: MovedClock) -> None:
    """When the file was removed or exchanged nothing is acknowledged into the void (REL-026, SEC-188)."""
    store = SqliteStore(path, clock=clock)
    await store.prepare()
    path.unlink()
    with pytest.raises(StoreUnavailable, match="removed or exchanged"):
        await store.insert(KEY, record=b"record", tokens=b"", expires_at=clock() + HOUR, index=INDEX)
    path.touch()
    with pytest.raises(StoreUnavailable, match="removed or exchanged"):
        await store.add_if_absent(KEY, lifetime=HOUR)
    await store.close()


async def test_a_file_exchanged_under_us_is_not_read(path: Path, clock: MovedClock) -> None:
    """I1, I7, REL-026: a copy takes its place and one worker is started anew: what that ends the other serves no more,
    nor says that what that has begun is not there."""
    staying, copy, part = SqliteStore(path, clock=clock), path.with_name("copy.db"), b"a part"
    ends = clock() + HOUR
    await staying.insert(KEY, record=part, tokens=part, expires_at=ends, index=INDEX)
    with closing(sqlite3.connect(path)) as file:
        file.execute(f"VACUUM INTO '{copy}'")
    copy.replace(path)
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink()
    starting = SqliteStore(path, clock=clock)
    await starting.delete([KEY])
    await starting.insert(b"o" * 32, record=part, tokens=part, expires_at=ends, index=INDEX)
    with pytest.raises(StoreUnavailable, match="removed or exchanged"), anyio.fail_after(5):
        while await staying.get(KEY):
            await anyio.sleep(0.02)
    for asking in (staying.get, staying.get_tokens, staying.by_sid):
        with pytest.raises(StoreUnavailable, match="removed or exchanged"):
            await asking(b"o" * 32)
    await staying.close()
    await starting.close()


@pytest.mark.parametrize("name", ["", "sqlite", "http://localhost", "memory:x", "postgres:", "sqlit:x"])
def test_unknown_stores_are_refused_plainly(name: str, tmp_path: Path, clock: MovedClock) -> None:
    """A store that is not offered is a start error that names what is (SEC-184, SEC-188)."""
    with pytest.raises(SettingsRefused, match="store: must be memory:, sqlite:, sqlite:PATH"):
        open_store(name, data_dir=tmp_path, clock=clock)
