"""What one process has read of a SQLite file is not read again while nobody changes anything, and only then."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from entrada.sessions.stores.sqlite import SqliteStore
from entrada.sessions.stores.store import Index
from tests.moved_clock import MovedClock
from tests.processes import SOURCES

KEY, OTHER = b"k" * 32, b"o" * 32
INDEX = Index(user=b"u", sid=None, due_at=None)
HOUR = timedelta(hours=1)
ROUNDS = 300
WRITER = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=10)
for number in range(2, int(sys.argv[2]) + 2):
    connection.execute("UPDATE session SET version = ?", (number,))
    print(number, flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
async def store(tmp_path: Path, clock: MovedClock) -> AsyncIterator[SqliteStore]:
    """One worker's store, with a session that it has just looked up."""
    store = SqliteStore(tmp_path / "sessions.db", clock=clock)
    for key in (KEY, OTHER):
        await store.insert(key, record=b"record", tokens=b"tokens", expires_at=clock() + HOUR, index=INDEX)
        assert [await store.get(key) for _ in range(3)] == [(b"record", 1)] * 3
    yield store
    await store.close()


def by_another_process(path: Path, statement: str) -> None:
    code = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
    subprocess.run([sys.executable, "-c", code, str(path), statement], check=True, timeout=60)


def in_this_process(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(statement)
        connection.commit()


@pytest.mark.parametrize("change", [by_another_process, in_this_process])
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM session WHERE key = CAST('" + "k" * 32 + "' AS BLOB)", None),
        ("UPDATE session SET record = CAST('forged' AS BLOB)", (b"forged", 1)),
        ("UPDATE session SET version = 7", (b"record", 7)),
    ],
)
async def test_a_change_by_anybody_is_seen_at_once(
    store: SqliteStore, tmp_path: Path, change: Callable[[Path, str], None], statement: str, found: object
) -> None:
    """I1, SEC-075: an end, or what an operator or an attacker writes, is read by the very next look-up."""
    change(tmp_path / "sessions.db", statement)
    assert [await store.get(KEY) for _ in range(2)] == [found] * 2


async def test_a_second_store_of_this_process_is_seen(store: SqliteStore, tmp_path: Path, clock: MovedClock) -> None:
    """I1: two applications in one process see each other's changes; closing one leaves the other its file."""
    second = SqliteStore(tmp_path / "sessions.db", clock=clock)
    assert await second.get(KEY) == (b"record", 1)
    await second.delete([KEY])
    assert await store.get(KEY) is None
    await second.close()
    by_another_process(tmp_path / "sessions.db", "UPDATE session SET version = 9")
    assert (tmp_path / "sessions.db-wal").exists(), "the other process took the log away"
    assert await store.get(OTHER) == (b"record", 9)


async def test_nothing_older_than_what_was_acknowledged_is_read(store: SqliteStore, tmp_path: Path) -> None:
    """I1: after each change that a writer has acknowledged the next look-up finds it, hundreds of times in a row."""
    command = [sys.executable, "-c", WRITER, str(tmp_path / "sessions.db"), str(ROUNDS)]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES}
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:  # noqa: ASYNC220
        assert writer.stdin
        assert writer.stdout
        for line in writer.stdout:
            assert await store.get(KEY) == (b"record", int(line))
            assert await store.get(OTHER) == (b"record", int(line))
            writer.stdin.write("\n")
            writer.stdin.flush()
    assert await store.get(KEY) == (b"record", ROUNDS + 1)


async def test_what_is_undone_was_never_there(store: SqliteStore, tmp_path: Path) -> None:
    """I2: a transaction of somebody else's that is not committed shows nothing, before its end and after."""
    with closing(sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM session")
        assert await store.get(KEY) == (b"record", 1)
        other.execute("ROLLBACK")
    assert await store.get(KEY) == (b"record", 1)


async def test_own_changes_are_seen(store: SqliteStore, clock: MovedClock) -> None:
    """SES-6: what this worker has written is what it reads."""
    assert await store.replace(KEY, record=b"newer", version=1, expires_at=clock() + HOUR)
    assert await store.get(KEY) == (b"newer", 2)
    await store.delete([KEY])
    assert await store.get(KEY) is None
