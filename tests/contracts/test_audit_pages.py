"""How the audit log is read, in each database that it may be in: pages, filters, counts (SEC-142, ADM-2)."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog
from entrada.audit.recorded import Recorded
from entrada.audit.trail import AuditTrail
from entrada.events import Event
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.contracts.audit_rows import CHANGED, SIGN_IN, written
from tests.contracts.test_directory import ADA, CONTOSO
from tests.moved_clock import MovedClock


async def test_pages_follow_each_other(trail: AuditTrail, log: AuditLog) -> None:
    """By cursor or offset, each row comes once, newest first, also where many have the same time (SEC-142)."""
    await asyncio.gather(*(trail.require(replace(SIGN_IN, reason=f"r{number}")) for number in range(25)))
    seen: list[int] = []
    after: str | None = None
    for _ in range(3):
        page = await log.page(limit=10, after=after)
        seen += [row.id for row in page.rows]
        after = page.next
    assert after is None
    assert seen == list(range(25, 0, -1))
    by_offset = [row.id for start in (0, 10, 20) for row in (await log.page(limit=10, offset=start)).rows]
    assert by_offset == seen
    assert [row.id for row in await log.since(22)] == [23, 24, 25]
    assert await log.last_id() == 25


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 501}, {"offset": -1}, {"offset": 10_001}, {"after": "x"},
                                   {"after": "-"}, {"after": "ffffffffffffffffffff-1"}], ids=str)  # fmt: skip
async def test_pages_are_bounded(log: AuditLog, asked: dict[str, Any]) -> None:
    """A page beyond the bounds, or a cursor of somebody's own making, is refused in words (SEC-142)."""
    with pytest.raises(ValueError, match=next(iter(asked)).replace("after", "cursor")):
        await log.page(**asked)


async def test_filters(database: Database, trail: AuditTrail, log: AuditLog, clock: MovedClock) -> None:
    """Rows are found by who, about whom, what, how it ended, when, from where, and by words (ADM-2)."""
    ada = await Directory(database).signed_in(ADA, clock())
    await trail.require(SIGN_IN)
    failed = Event("sign_in_failed", at=SIGN_IN.at + timedelta(hours=1), address="203.0.113.9", reason="100%_sure")
    await trail.require(failed)
    await trail.require(replace(CHANGED, user_key=None, label="Root", resource=f"user:{ada.id}"))

    async def found(**values: Any) -> set[str]:
        wanted = Filter(**values)
        rows = {row.action for row in (await log.page(wanted)).rows}
        assert (await log.total(wanted)).rows == len(rows)
        assert {row.action async for row in log.everything(wanted)} == rows
        return rows

    assert await found() == {"sign_in", "sign_in_failed", "user_changed"}
    assert await found(person=ada.id) == {"sign_in"}
    assert await found(about=ada.id) == {"sign_in", "user_changed"}
    assert await found(actions=("sign_in",)) == {"sign_in"}
    assert await found(actions=("sign_in", "user_changed")) == {"sign_in", "user_changed"}
    assert await found(outcome="failure") == {"sign_in_failed"}
    assert await found(address="203.0.113.9") == {"sign_in_failed"}
    assert await found(since=failed.at) == {"sign_in_failed"}
    assert await found(until=failed.at) == {"sign_in", "user_changed"}
    assert await found(stream="administration") == {"user_changed"}
    assert await found(tenant_id=CONTOSO, correlation_id="c0ffee") == {"sign_in"}
    assert await found(text="LOVELACE") == {"sign_in"}
    assert await found(text="100%_S") == {"sign_in_failed"}
    assert await found(text="%") == {"sign_in_failed"}
    assert await found(text="' OR 1=1 --") == set()
    await trail.require(Event("alert", at=SIGN_IN.at, label="Éva Ñandú 100%"))
    assert await found(text="éva ñ") == await found(text="ÑANDÚ 100%") == {"alert"}
    assert await found(text="éva_ñ") == set()


def lets_through(wanted: Filter, row: Recorded) -> bool:
    """Say whether a row is one of those, but for who it is about."""
    equal = (name for name in ("outcome", "person", "tenant_id", "stream") if getattr(wanted, name) is not None)
    return (
        all(getattr(row, name) == getattr(wanted, name) for name in equal)
        and row.action in (wanted.actions or (row.action,))
        and (wanted.since or row.at) <= row.at
        and (wanted.until is None or row.at < wanted.until)
    )


async def found_by_pages(log: AuditLog, wanted: Filter, right: list[Recorded]) -> None:
    """Hold the pages by cursor, by offset, and all rows in one go, against what is right."""
    seen: list[Recorded] = []
    after = None
    while len(seen) < len(right):
        page = await log.page(wanted, limit=5, after=after)
        seen, after = [*seen, *page.rows], page.next
    assert (seen, after) == (right, None)
    assert list((await log.page(wanted, limit=7, offset=3)).rows) == right[3:10]
    assert [row async for row in log.everything(wanted)] == right


async def test_several_actions(trail: AuditTrail, log: AuditLog) -> None:
    """ADM-2: rows of several actions come in the order of time, each once, by pages, within a time, exported."""
    kinds = (SIGN_IN, CHANGED, replace(SIGN_IN, name="sign_out"))
    for minute in range(24):
        await trail.require(replace(kinds[minute % 3], at=SIGN_IN.at + minute // 3 * timedelta(minutes=1)))
    everything = list((await log.page(limit=100)).rows)
    for wanted in (
        Filter(actions=("sign_in", "sign_out")),
        Filter(actions=("user_changed", "sign_out", "sign_in", "sign_in")),
        Filter(actions=("sign_out", "user_deleted"), since=SIGN_IN.at + timedelta(minutes=2)),
        Filter(actions=("sign_out", "sign_in"), until=SIGN_IN.at + timedelta(minutes=6), outcome="success"),
        Filter(actions=("user_deleted", "user_erased")),
    ):
        await found_by_pages(log, wanted, [row for row in everything if lets_through(wanted, row)])


async def test_what_is_about_somebody(database: Database, trail: AuditTrail, log: AuditLog, clock: MovedClock) -> None:
    """What they did and what was done to them, each row once, in order, by pages, narrowed, exported (ADM-2)."""
    ada = await Directory(database).signed_in(ADA, clock())
    to_ada = replace(CHANGED, user_key=None, resource=f"user:{ada.id}")
    kinds = (SIGN_IN, to_ada, replace(to_ada, user_key=ADA.key), replace(SIGN_IN, user_key=None), CHANGED)
    for minute in range(30):
        kind = kinds[minute % 5]
        await trail.require(replace(kind, at=SIGN_IN.at + minute // 3 * timedelta(minutes=1), reason=f"n{minute % 2}"))

    def theirs(row: Any) -> bool:
        return row.person == ada.id or row.resource == f"user:{ada.id}"

    everything = [row for row in (await log.page(limit=100)).rows if theirs(row)]
    assert len(everything) == 24
    for narrower in (
        {},
        {"outcome": "success"},
        {"actions": ("user_changed",)},
        {"since": SIGN_IN.at + timedelta(minutes=4)},
        {"until": SIGN_IN.at + timedelta(minutes=4), "outcome": "success"},
        {"actions": ["sign_in", "user_changed"], "tenant_id": CONTOSO},
        {"actions": []},
        {"stream": "administration", "person": ada.id},
    ):
        wanted = Filter(about=ada.id, **narrower)
        await found_by_pages(log, wanted, [row for row in everything if lets_through(wanted, row)])
    odd = [row async for row in log.everything(Filter(about=ada.id, text="N1"))]
    assert odd == [row for row in everything if row.reason == "n1"]


async def test_counts(trail: AuditTrail, log: AuditLog) -> None:
    """Alerts get how many rows of each kind there are within a time."""
    await written(trail, 90)
    begin = SIGN_IN.at
    counted = await log.counts(("sign_in", "sign_out"), since=begin, until=begin + timedelta(minutes=80))
    assert counted == {"sign_in": 80}
