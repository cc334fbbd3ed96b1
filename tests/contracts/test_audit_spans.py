"""Numbers by time, in each database: quick however long the log is, and never other than what the log says (ADM-4)."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from entrada_emulator.pytest_plugin import Entra
from sqlalchemy.event import listen, remove

from entrada.audit.log import AuditLog
from entrada.audit.pruning import prune
from entrada.audit.spans import SpanCounts
from entrada.audit.trail import AuditTrail
from entrada.errors import StoreUnavailable
from entrada.events import Event
from entrada.users.database import Database
from tests.contracts.audit_rows import SIGN_IN
from tests.contracts.test_administration import BOB, ROOT, Office
from tests.contracts.test_directory import ADA, CONTOSO
from tests.front_door import running
from tests.journeys.test_people_change import house_of
from tests.moved_clock import MovedClock

DAY = timedelta(days=1)
TODAY = SIGN_IN.at.replace(hour=0)
BEGIN = TODAY - 9 * DAY


@pytest.fixture
def spans(database: Database, clock: MovedClock) -> SpanCounts:
    return SpanCounts(database, clock=clock)


@pytest.fixture
async def office(database: Database, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Office]:
    made = Office(database, tmp_path, clock)
    yield made
    await made.trail.aclose()


async def by_day(spans: SpanCounts, *, until: datetime, tenant_id: str | None = None) -> list[tuple[int, int, int]]:
    """Return sign-ins, failures and people of each of ten days."""
    counted = await spans.between(BEGIN, until, every=DAY, tenant_id=tenant_id)
    assert [at for at, _ in counted] == [BEGIN + day * DAY for day in range(10)]
    return [(each.counts.get("sign_in", 0), each.counts.get("sign_in_failed", 0), each.people) for _, each in counted]


@asynccontextmanager
async def noted(database: Database) -> AsyncIterator[list[str]]:
    """Give the statements that read rows of the log while the block lasts."""
    asked: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT") and "entrada_audit " in statement:
            asked.append(statement)

    async with database.unit_of_work(read_only=True) as connection:
        engine = connection.engine.sync_engine
    listen(engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        remove(engine, "before_cursor_execute", note)


async def happens(trail: AuditTrail, *events: Event, days_ago: int = 0) -> None:
    for event in events:
        await trail.require(replace(event, at=event.at - days_ago * DAY))


async def test_what_is_over_is_counted_once_and_changes_are_seen(
    database: Database, office: Office, spans: SpanCounts, clock: MovedClock
) -> None:
    """A row is counted at once, whenever it is from; a day that is over costs nothing more until it has another row."""
    failed = Event("sign_in_failed", at=SIGN_IN.at, tenant_id=CONTOSO)
    changed = Event("user_changed", at=SIGN_IN.at)
    for user in (ADA, BOB):
        await office.directory.signed_in(user, clock())
    await happens(office.trail, SIGN_IN, SIGN_IN, replace(SIGN_IN, user_key=BOB.key), changed, days_ago=2)
    await happens(office.trail, SIGN_IN, failed)
    now = clock() + timedelta(minutes=1)
    quiet = [(0, 0, 0)] * 7
    async with noted(database) as asked:
        assert await by_day(spans, until=now) == [*quiet, (3, 0, 2), (0, 0, 0), (1, 1, 1)]
        first = len(asked)
        assert await by_day(spans, until=now) == [*quiet, (3, 0, 2), (0, 0, 0), (1, 1, 1)]
        assert (first, len(asked) - first) == (12, 2)  # today alone: how often, and how many
        await happens(office.trail, failed, days_ago=1)  # as of a database that was away
        await happens(office.trail, SIGN_IN)
        assert await by_day(spans, until=now) == [*quiet, (3, 0, 2), (0, 1, 0), (2, 1, 1)]
        assert len(asked) == first + 2 + 1 + 4


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
async def test_days_are_those_of_utc_wherever_the_machine_stands(
    office: Office, spans: SpanCounts, monkeypatch: pytest.MonkeyPatch, zone: str
) -> None:
    """Clocks go back, or are a quarter of an hour beside the hour: a day has 24 hours all the same, none twice."""
    first = datetime(2026, 10, 25, tzinfo=UTC)  # when summer time ends in Berlin, at 01:00
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        edges = first, first + timedelta(hours=1), first + DAY - timedelta(microseconds=1), first + DAY
        for at in edges:
            await office.trail.require(replace(SIGN_IN, at=at))
        days = await spans.between(first, first + 2 * DAY, every=DAY, tenant_id=None)
        hours = await spans.between(first, first + DAY, every=timedelta(hours=1), tenant_id=None)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert [(at, count.counts["sign_in"]) for at, count in days] == [(first, 3), (first + DAY, 1)]
    assert [place for place, (_, count) in enumerate(hours) if count.counts] == [0, 1, 23]
    assert len(hours) == 24


async def test_a_month_is_counted_before_anybody_asks(
    database: Database, office: Office, spans: SpanCounts, clock: MovedClock
) -> None:
    """ADM-4: then only today is counted for who looks first; what changes is counted anew, the rest is left alone."""
    await happens(office.trail, SIGN_IN, days_ago=29)
    await happens(office.trail, SIGN_IN, SIGN_IN, days_ago=2)
    await happens(office.trail, SIGN_IN)
    await spans.ahead()
    async with noted(database) as asked:
        await spans.ahead()
        assert asked == []
        month = await spans.between(TODAY - 29 * DAY, clock() + timedelta(minutes=1), every=DAY, tenant_id=None)
        assert [count.counts.get("sign_in", 0) for _, count in month] == [1, *[0] * 26, 2, 0, 1]
        assert len(asked) == 2
    await happens(office.trail, SIGN_IN, days_ago=1)
    assert [each[0] for each in await by_day(spans, until=clock() + timedelta(minutes=1))][-3:] == [2, 1, 1]
    await spans.ahead()


async def test_who_has_an_overview_counts_in_the_background(entra: Entra, tmp_path: Path) -> None:
    """ADM-4: each worker does so, where there is administration at all."""
    for admin in (True, False):
        async with running(entra, tmp_path / str(admin), admin=admin) as door:
            assert ("audit_numbers" in house_of(door.app).chores.names) is admin


async def test_a_tenant_has_its_own_numbers(office: Office, spans: SpanCounts, clock: MovedClock) -> None:
    """What was counted of one tenant is told of no other, nor of all."""
    elsewhere = replace(SIGN_IN, tenant_id=str(uuid4()), user_key=None)
    await happens(office.trail, SIGN_IN, elsewhere, elsewhere, days_ago=1)
    now = clock()
    for _ in range(2):
        assert [(await by_day(spans, until=now, tenant_id=tenant))[-2][0]
                for tenant in (None, CONTOSO, elsewhere.tenant_id, str(uuid4()))] == [3, 1, 2, 0]  # fmt: skip


async def test_rows_that_went_are_counted_no_longer(
    database: Database, office: Office, spans: SpanCounts, clock: MovedClock
) -> None:
    """Days before the log's beginning are empty, as soon as they are; an erasure takes names away, no numbers."""
    bob = await office.directory.signed_in(BOB, clock())
    for day in (5, 1):
        await happens(office.trail, SIGN_IN, replace(SIGN_IN, user_key=BOB.key), days_ago=day)
    now = clock()
    assert (await by_day(spans, until=now))[4] == (2, 0, 1)  # the other is in no directory
    assert (await by_day(spans, until=now))[8] == (2, 0, 1)
    await office.admin.erase(bob.id, by=ROOT)
    assert (await by_day(spans, until=now))[8] == (2, 0, 1)
    by = Event("audit_pruned", at=clock())
    assert await prune(database, office.trail.keys, stream="activity", before=TODAY - 3 * DAY, by=by) == 2
    assert [day[0] for day in await by_day(spans, until=now)] == [0] * 8 + [2, 0]
    assert (await AuditLog(database).total()).rows > 2


async def test_nothing_is_told_while_the_database_is_away(
    database: Database, office: Office, clock: MovedClock, spans: SpanCounts
) -> None:
    """What is remembered is no answer by itself: without the database nobody knows whether it holds."""
    await happens(office.trail, SIGN_IN, days_ago=1)
    await by_day(spans, until=clock())
    async with database.unit_of_work() as connection:
        await connection.exec_driver_sql("ALTER TABLE entrada_audit_stream RENAME TO elsewhere")
    with pytest.raises(StoreUnavailable):
        await by_day(spans, until=clock())
    async with database.unit_of_work() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO entrada_audit_stream")
    assert (await by_day(spans, until=clock()))[-2][0] == 1
