"""Numbers for charts: counted by whoever works, carried to each database, lost by no outage (ADM-4)."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest

from entrada.errors import StoreUnavailable
from entrada.flows.admin.tally import Tally
from entrada.keyring import KeyRing, generate
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from entrada.users.database import Database
from entrada.users.tallies import Tallies
from tests.contracts.databases import said
from tests.contracts.test_directory import ADA
from tests.moved_clock import MovedClock

BEGIN = datetime(2026, 1, 5, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def test_numbers_of_one_hour_are_added_up(database: Database) -> None:
    """Whoever adds, and however many at once: the sum of the hour, and of the day that it is in."""
    tallies = Tallies(database)
    async with anyio.create_task_group() as adding:
        for minute in range(8):
            adding.start_soon(lambda at=BEGIN + timedelta(minutes=minute): tallies.add({"renewals": 2}, at=at))
    await tallies.add({"renewals": 5, "sessions_of_hour": 1}, at=BEGIN + 25 * HOUR)
    within = {"since": BEGIN, "until": BEGIN + 3 * DAY}
    assert await tallies.sums("renewals", every=HOUR, **within) == {BEGIN: 16, BEGIN + 25 * HOUR: 5}  # type: ignore[arg-type]
    assert await tallies.sums("renewals", every=DAY, **within) == {BEGIN: 16, BEGIN + DAY: 5}  # type: ignore[arg-type]
    assert await tallies.sums("sessions_of_day", every=DAY, **within) == {}  # type: ignore[arg-type]


async def test_what_could_not_be_written_goes_with_the_next(database: Database, clock: MovedClock) -> None:
    """Nothing is counted twice, and nothing is lost while the table cannot be written."""
    count, tallies = [3], Tallies(database)
    tally = Tally(tallies, {"renewals": lambda: count[0]}, clock=clock)
    await tally.once()
    await tally.once()
    await said(database, "ALTER TABLE entrada_tally RENAME TO away")
    count[0] = 10
    with pytest.raises(StoreUnavailable):
        await tally.once()
    await said(database, "ALTER TABLE away RENAME TO entrada_tally")
    await tally.once()
    hour = clock().replace(minute=0)
    assert await tallies.sums("renewals", since=hour, until=hour + HOUR, every=HOUR) == {hour: 10}


async def test_a_session_counts_once_in_an_hour_and_once_in_a_day(tmp_path: Path, clock: MovedClock) -> None:
    """However often it is used; in the next hour it counts again, and in the next day."""
    ring = KeyRing.parse(generate())
    store = open_store("memory:", data_dir=tmp_path, clock=clock)
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    ids = [(await sessions.begin(ADA, tokens=b"t"))[0] for _ in range(3)]
    assert (sessions.in_use.of_hours, sessions.in_use.of_days) == (3, 3)
    for _ in range(5):
        clock.move(timedelta(minutes=10))
        await sessions.visit(ids[0])
    assert (sessions.in_use.of_hours, sessions.in_use.of_days) == (3, 3)
    clock.move(timedelta(minutes=20))
    await sessions.visit(ids[0])
    await sessions.visit(ids[0])
    assert (sessions.in_use.of_hours, sessions.in_use.of_days) == (4, 3)
    for _ in range(24):
        clock.move(timedelta(minutes=50))
        await sessions.visit(ids[0])
    assert sessions.in_use.of_days == 4
    await store.close()
