"""What the ledger of ended sessions promises, in each database that it may be in."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from entrada.errors import StoreUnavailable
from entrada.sessions.ended import EndedSessions
from entrada.users.database import Database
from entrada.users.ended_sessions import EndedSessionLedger
from tests.moved_clock import MovedClock

KEYS = [bytes([number]) * 32 for number in range(5)]
HOUR = timedelta(hours=1)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    sqlite = request.param == "sqlite"
    opened = Database(None if sqlite else request.getfixturevalue("schema_url"), data_dir=tmp_path)
    await opened.bring_up()
    yield opened
    await opened.close()


@pytest.fixture
def ledger(database: Database) -> EndedSessionLedger:
    return EndedSessionLedger(database)


async def test_what_one_notes_the_others_know(ledger: EndedSessionLedger, clock: MovedClock) -> None:
    """REL-015: an end is known to who notes it at once, to others at their next reading, to later ones at once."""
    here, there = EndedSessions(ledger, clock=clock), EndedSessions(ledger, clock=clock)
    await here.refresh()
    await there.refresh()
    await here.note({KEYS[0]: clock() + HOUR})
    assert here.has(KEYS[0])
    assert not there.has(KEYS[0])
    await there.refresh()
    assert there.has(KEYS[0])
    assert not there.has(KEYS[1])
    later = EndedSessions(ledger, clock=clock)
    await later.refresh()
    assert later.has(KEYS[0])


async def test_nobody_knows_before_the_first_reading(ledger: EndedSessionLedger, clock: MovedClock) -> None:
    """REL-015: until the ledger was read, the question has no answer, which is not "no"."""
    ended = EndedSessions(ledger, clock=clock)
    with pytest.raises(StoreUnavailable):
        ended.has(KEYS[0])
    await ended.refresh()
    assert not ended.has(KEYS[0])


async def test_the_same_end_noted_by_many(ledger: EndedSessionLedger, clock: MovedClock) -> None:
    """Workers that end the same sessions at once all succeed, and there is one line for each."""
    workers = [EndedSessions(ledger, clock=clock) for _ in range(4)]
    async with anyio.create_task_group() as group:
        for worker in workers:
            group.start_soon(worker.note, dict.fromkeys(KEYS, clock() + HOUR))
    lines = await ledger.noted(since=0.0, living_at=clock())
    assert sorted(line.key for line in lines) == KEYS
    assert {line.until for line in lines} == {clock() + HOUR}


async def test_what_need_not_be_remembered_is_forgotten(ledger: EndedSessionLedger, clock: MovedClock) -> None:
    """A line goes when its session would have ended by itself, from the ledger and from memory."""
    ended = EndedSessions(ledger, clock=clock)
    await ended.refresh()
    await ended.note({key: clock() + HOUR for key in KEYS[:3]} | {KEYS[3]: clock() + 3 * HOUR})
    clock.move(2 * HOUR)
    assert [await ledger.forget(before=clock(), limit=2), await ledger.forget(before=clock(), limit=2)] == [2, 1]
    for _ in range(121):  # by then all was read anew
        await ended.refresh()
    assert [ended.has(key) for key in KEYS] == [False, False, False, True, False]
    clock.move(2 * HOUR)
    await EndedSessions(ledger, clock=clock).refresh()
    assert await ledger.forget(before=clock(), limit=2) == 0


async def test_a_clock_that_is_ahead_forgets_no_end(ledger: EndedSessionLedger, clock: MovedClock) -> None:
    """REL-015, REL-046: what a worker two days ahead takes for long over, those who start after it still know."""
    clock.now = datetime.now(UTC)  # the ledger looks at its own clock, too
    ended = EndedSessions(ledger, clock=clock)
    await ended.refresh()
    await ended.note({KEYS[0]: clock() + HOUR})
    clock.move(timedelta(days=2))
    await EndedSessions(ledger, clock=clock).refresh()
    clock.move(-timedelta(days=2))
    later = EndedSessions(ledger, clock=clock)
    await later.refresh()
    assert later.has(KEYS[0])
