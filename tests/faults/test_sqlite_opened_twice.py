"""Two applications of one process on one SQLite file, and other processes that come and go beside them."""

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from entrada.sessions.stores.sqlite import SqliteStore
from entrada.sessions.stores.store import Index
from tests.moved_clock import MovedClock
from tests.processes import SOURCES

INDEX = Index(user=b"u", sid=None, due_at=None)
HOUR = timedelta(hours=1)
COMES_AND_GOES = """
import asyncio, sys
from pathlib import Path
from entrada.clock import system_clock
from entrada.sessions.stores.sqlite import SqliteStore
async def main():
    store = SqliteStore(Path(sys.argv[1]), clock=system_clock)
    await store.prepare()
    await store.close()
asyncio.run(main())
"""


def another_process(path: Path) -> None:
    """Let a process open the file and close it, which takes the write-ahead log away when nobody else has it open."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES}
    subprocess.run([sys.executable, "-c", COMES_AND_GOES, str(path)], env=environment, check=True, timeout=60)


async def test_the_second_takes_no_locks_from_the_first(tmp_path: Path) -> None:
    """REL-027, I1: opened and closed a second time in this process, the file stays whole when others close it."""
    clock, path = MovedClock(), tmp_path / "sessions.db"
    first = SqliteStore(path, clock=clock)
    second = SqliteStore(path, clock=clock)
    await first.prepare()
    await second.prepare()
    for number in range(3):
        key = bytes([number]) * 32
        await first.insert(key, record=b"record", tokens=b"tokens", expires_at=clock() + HOUR, index=INDEX)
        another_process(path)
        assert path.with_name("sessions.db-wal").exists()
        assert await first.get(key) == await second.get(key) == (b"record", 1)
    await second.close()
    await first.close()
    again = SqliteStore(path, clock=clock)
    assert [await again.get(bytes([number]) * 32) for number in range(3)] == [(b"record", 1)] * 3
    await again.close()
