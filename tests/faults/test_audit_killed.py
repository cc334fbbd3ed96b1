"""The audit log when a process is killed and when its database is gone (AUD-1, SEC-149)."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from entrada.audit.chain import ChainKeys
from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog
from entrada.audit.recorder import STRANGERS_AT_ONCE, AuditRecorder
from entrada.audit.trail import MOST_WAITING, AuditTrail
from entrada.audit.verification import verify
from entrada.errors import StoreUnavailable
from entrada.events import Event
from entrada.keyring import KeyRing, generate
from entrada.users.database import Database
from tests.moved_clock import MovedClock
from tests.processes import start
from tests.servers import PostgresServer, postgres_server

WRITER = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from entrada.audit.trail import AuditTrail
from entrada.clock import system_clock
from entrada.events import Event
from entrada.keyring import KeyRing
from entrada.users.database import Database
async def main():
    database = Database(sys.argv[1], data_dir=Path("unused"))
    await database.bring_up()
    trail = AuditTrail(database, KeyRing.parse(sys.argv[2]), clock=system_clock)
    async def person(name):
        number = 0
        while True:
            reason = f"{name}-{number}"
            await trail.require(Event("sign_in", at=datetime.now(UTC), reason=reason))
            print(reason, flush=True)
            number += 1
    await asyncio.gather(*(person(f"{sys.argv[3]}-{n}") for n in range(20)))
asyncio.run(main())
"""
ACKNOWLEDGED = 150  # rows of each process before it is killed


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_nothing_acknowledged_is_lost_by_a_kill(kind: str, tmp_path: Path) -> None:
    """Two processes are killed in the middle of their writing: every row that was acknowledged is there, once, in an
    unbroken chain (REL-027)."""
    if kind == "postgresql":
        with postgres_server() as server:
            await _killed(server.url)
    else:
        await _killed(f"sqlite+aiosqlite:///{tmp_path}/entrada.db")


async def _killed(url: str) -> None:
    ring = generate()
    acknowledged = [line for lines in await asyncio.gather(_until_killed(url, ring, "a"), _until_killed(url, ring, "b"))
                    for line in lines]  # fmt: skip
    database = Database(url, data_dir=Path("unused"))
    await database.bring_up()
    written = [row.reason async for row in AuditLog(database).everything()]
    report = await verify(database, ChainKeys(KeyRing.parse(ring)))
    await database.close()
    assert len(acknowledged) >= 2 * ACKNOWLEDGED
    assert set(acknowledged) <= set(written)
    assert len(set(written)) == len(written)
    assert report.faults == []


async def _until_killed(url: str, ring: str, name: str) -> list[str]:
    """Return what a process said was written before it was killed while it was writing."""

    def run() -> list[str]:
        process = start(WRITER, url, ring, name)
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(ACKNOWLEDGED)]
        process.kill()
        rest = process.communicate(timeout=60)[0].split("\n")
        return [*lines, *filter(None, rest[:-1])]  # the last line may be half of one

    return await asyncio.to_thread(run)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    with postgres_server() as running:
        yield running


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


async def test_a_database_that_is_gone(server: PostgresServer, clock: MovedClock) -> None:
    """What must be written is refused; what can wait is written once, when the database is back (REL-020, SEC-149)."""
    database, ring = Database(server.url, data_dir=Path("unused")), KeyRing.parse(generate())
    await database.bring_up()
    trail = AuditTrail(database, ring, clock=clock)
    recorder = AuditRecorder(trail, clock=clock)
    await recorder(_event("sign_in", "before"))
    server.kill()
    with pytest.raises(StoreUnavailable):
        await recorder(_event("sign_in", "refused"))
    await recorder(_event("sign_out", "late"))
    assert trail.waiting == 1
    server.start()
    async with asyncio.timeout(60):
        while trail.waiting:
            await asyncio.sleep(0.1)
    await trail.aclose()
    written = [row.reason async for row in AuditLog(database).everything()]
    assert written.count("late") == 1
    assert "refused" not in written
    assert (await verify(database, ChainKeys(ring))).faults == []
    await database.close()


async def test_what_waits_is_bounded_and_told(tmp_path: Path, clock: MovedClock) -> None:
    """More than ten thousand events do not wait; those that found no room are counted, and a row says so (REL-050)."""
    database, ring = Database(None, data_dir=tmp_path), KeyRing.parse(generate())
    await database.bring_up()
    trail = AuditTrail(database, ring, clock=clock)
    too_many = MOST_WAITING + 7
    done = await asyncio.gather(*(trail.record(_event("sign_out", str(n)), patience=60) for n in range(too_many)))
    assert done.count(False) == 7
    log = AuditLog(database)
    (gap,) = (await log.page(Filter(actions=("audit_gap",)))).rows
    assert (gap.reason, gap.details) == ("lost", {"entries": 7})
    assert (await log.total()).rows == MOST_WAITING + 1
    await trail.aclose()
    await database.close()


async def test_a_strangers_flood_is_counted(tmp_path: Path, clock: MovedClock) -> None:
    """Failures that nobody in particular causes fill no table: beyond a burst they are counted and told (SEC-152)."""
    database, ring = Database(None, data_dir=tmp_path), KeyRing.parse(generate())
    await database.bring_up()
    trail = AuditTrail(database, ring, clock=clock)
    recorder = AuditRecorder(trail, clock=clock)
    flood = STRANGERS_AT_ONCE + 1000
    await asyncio.gather(*(recorder(Event("sign_in_failed", at=clock(), reason="x")) for _ in range(flood)))
    log = AuditLog(database)
    assert (await log.total()).rows == STRANGERS_AT_ONCE
    clock.move(timedelta(minutes=2))
    await recorder(_event("sign_out", "a person is never one of them"))
    (gap,) = (await log.page(Filter(actions=("audit_gap",)))).rows
    assert (gap.reason, gap.details) == ("flood", {"entries": 1000})
    await trail.aclose()
    await database.close()


def _event(name: str, reason: str) -> Event:
    return Event(name, at=MovedClock()(), user_key="i|s", reason=reason)  # type: ignore[arg-type]
