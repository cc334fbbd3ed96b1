"""What filters of the audit log that meet cost at most, and that nothing is left out for it (ADM-2, REL-071)."""

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection
from sqlalchemy.event import listen, remove

from entrada.audit.filters import Filter
from entrada.audit.log import AuditLog
from entrada.audit.trail import AuditTrail
from entrada.events import Event
from entrada.users.database import Database
from tests.contracts.audit_rows import CHANGED, SIGN_IN, written
from tests.contracts.test_directory import CONTOSO

HERE, THERE = "192.0.2.1", "192.0.2.2"
FAILED = replace(SIGN_IN, name="sign_in_failed", user_key=None)
WALK = re.compile(r"SEARCH entrada_audit USING (COVERING )?INDEX entrada_audit_(by|of)_\w+ \(.*at\)?>.* AND .*at\)?<.*")
BY_ID = re.compile(r"SEARCH entrada_audit USING INTEGER PRIMARY KEY .*")


async def log_of(trail: AuditTrail, *kinds: Event) -> None:
    """Write these, a second apart."""
    await asyncio.gather(
        *(trail.require(replace(kind, at=SIGN_IN.at + timedelta(seconds=at))) for at, kind in enumerate(kinds))
    )


async def all_pages(log: AuditLog, wanted: Filter, *, limit: int = 50) -> tuple[list[int], int]:
    """Return the ids of all rows, page by page, and on how many pages they were; each says how far it has looked."""
    ids, pages, after = list[int](), 0, None
    while pages == 0 or after:
        page = await log.page(wanted, limit=limit, after=after)
        assert (page.looked_until is None) == (len(page.rows) == limit or page.next is None)
        assert page.looked_until is None or all(row.at >= page.looked_until for row in page.rows)
        ids, pages, after = [*ids, *(row.id for row in page.rows)], pages + 1, page.next
    return ids, pages


async def test_filters_that_have_hardly_anything_in_common(database: Database, trail: AuditTrail) -> None:
    """REL-071: a page looks at a bounded number of rows, says until when, and goes on there; no row is left out."""
    here, there = replace(SIGN_IN, address=HERE), replace(FAILED, address=THERE)
    rare = replace(FAILED, address=HERE)
    await log_of(trail, rare, *(here, there) * 400, rare, *(here, there) * 300, rare)
    log, wanted = AuditLog(database, looks_at=500), Filter(address=HERE, outcome="failure")
    assert await all_pages(log, wanted) == ([1403, 802, 1], 2)
    assert [row.id async for row in log.everything(wanted)] == [1403, 802, 1]
    first, total = await log.page_and_total(wanted)
    assert [row.id for row in first.rows] == [1403, 802]
    assert first.looked_until is not None
    assert (total.rows, total.more) == (2, True)
    nothing = await AuditLog(database).page(Filter(address=THERE, outcome="success"))
    assert (nothing.rows, nothing.next, nothing.looked_until) == ([], None, None)


async def test_what_one_filter_leaves_out_for_long_is_leapt_over(database: Database, trail: AuditTrail) -> None:
    """REL-071: rows are found at once behind a run of others that one of the filters, whichever, has none of."""
    here, there = replace(SIGN_IN, address=HERE), replace(SIGN_IN, address=THERE)
    failed = replace(FAILED, address=HERE)
    await log_of(trail, failed, failed, *(here,) * 600, *(replace(failed, address=THERE),) * 600, *(there,) * 600)
    log = AuditLog(database, looks_at=500)  # either filter by itself lets more through
    page = await log.page(Filter(address=HERE, outcome="failure"))
    assert ([row.id for row in page.rows], page.next) == ([2, 1], None)


@pytest.mark.parametrize("limit", [7, 60])
async def test_whatever_meets_all_of_it_comes_once(database: Database, trail: AuditTrail, limit: int) -> None:
    """ADM-2: any filters beside each other let the same rows through by pages, by offset, exported and counted."""
    kinds = [
        replace(kind, address=address, tenant_id=tenant, reason=f"n{number}")
        for number, kind in enumerate((SIGN_IN, FAILED, CHANGED))
        for address in (HERE, THERE)
        for tenant in (CONTOSO, None)
    ]
    await log_of(trail, *(kinds[number * number % 13 % 12] for number in range(700)))
    log, rows = AuditLog(database, looks_at=250), [row async for row in AuditLog(database).everything()]
    assert len(rows) == 700
    asked: tuple[dict[str, Any], ...] = (
        {"address": HERE, "outcome": "failure"}, {"tenant_id": CONTOSO, "actions": ("sign_in", "user_changed")},
        {"stream": "activity", "address": THERE}, {"stream": "administration", "tenant_id": CONTOSO, "address": HERE},
        {"stream": "activity"}, {"text": "N1", "address": HERE}, {"text": "%"},
        {"outcome": "success", "address": THERE, "since": rows[600].at, "until": rows[50].at},
        {"actions": (
            "sign_in", "sign_out", "step_up", "alert", "audit_gap", "user_deleted", "user_erased", "new_device",
            "role_granted",
        )},
    )  # fmt: skip
    for values in asked:
        wanted = Filter(**values)
        right = [row.id for row in rows if lets_through(values, row)]
        assert (await all_pages(log, wanted, limit=limit))[0] == right, values
        assert [row.id async for row in log.everything(wanted)] == right, values
        assert [row.id for row in (await AuditLog(database).page(wanted, limit=9, offset=40)).rows] == right[40:49]
        total = await log.total(wanted)
        assert (total.rows == len(right)) if not total.more else (total.rows <= len(right)), values


def lets_through(values: dict[str, Any], row: Any) -> bool:
    """Say whether all that is given holds for a row."""
    equal = ("address", "outcome", "tenant_id", "stream")
    return (
        all(getattr(row, name) == values[name] for name in equal if name in values)
        and row.action in values.get("actions", (row.action,))
        and (values.get("text") or "").lower() in row.reason
        and values.get("since", row.at) <= row.at
        and ("until" not in values or row.at < values["until"])
    )


async def plans(database: Database, log: AuditLog, wanted: Filter) -> list[list[str]]:
    """Return what SQLite is going to do for the second page; of PostgreSQL nothing, which has too few rows."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "entrada_audit" in statement:
            asked.append((statement, parameters))

    after = (await log.page()).rows[0].cursor
    engine = await database.read_at_once(lambda connection: connection.engine)
    listen(engine, "before_cursor_execute", note)
    await log.page(wanted, after=after)
    remove(engine, "before_cursor_execute", note)
    assert asked
    if engine.dialect.name != "sqlite":
        return []

    def explained(connection: Connection) -> list[list[str]]:
        plans = (connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {one}", values) for one, values in asked)
        return [[step[3] for step in plan] for plan in plans]

    return await database.read_at_once(explained)


FILTERS = (
    Filter(), Filter(outcome="failure"), Filter(address="x"), Filter(since=SIGN_IN.at, until=SIGN_IN.at),
    Filter(person=UUID(int=1)), Filter(about=UUID(int=1)), Filter(tenant_id=CONTOSO), Filter(correlation_id="x"),
    Filter(stream="administration"), Filter(actions=("sign_in",)), Filter(actions=("user_changed", "user_deleted")),
    Filter(about=UUID(int=1), actions=("sign_in",)), Filter(about=UUID(int=1), outcome="success"),
    Filter(about=UUID(int=1), tenant_id=CONTOSO), Filter(actions=("sign_in",), outcome="failure"),
    Filter(actions=("user_changed", "user_deleted"), tenant_id=CONTOSO, since=SIGN_IN.at),
    Filter(stream="administration", tenant_id=CONTOSO), Filter(stream="activity"), Filter(text="nowhere"),
    Filter(text="nowhere", person=UUID(int=1)),
)  # fmt: skip


@pytest.mark.parametrize("analyzed", [False, True], ids=["no statistics", "statistics"])
async def test_no_page_sorts_or_reads_the_whole_log(
    database: Database, trail: AuditTrail, log: AuditLog, *, analyzed: bool
) -> None:
    """However deep a page is, whatever filters it and whatever statistics say: each walk is along one index, bounded.

    REL-071. Where walks are put together, a page of each is sorted, no more.
    """
    await written(trail, 60)
    if analyzed:
        async with database.unit_of_work() as connection:
            await connection.exec_driver_sql("ANALYZE entrada_audit")
    for wanted in FILTERS:
        for plan in await plans(database, log, wanted):
            steps = [step for step in plan if re.search(r"\bentrada_audit\b", step)]
            walks = [step for step in steps if WALK.fullmatch(step)]
            assert walks, (wanted, plan)
            assert all(BY_ID.fullmatch(step) for step in steps if step not in walks), (wanted, plan)
            assert not any("TEMP B-TREE" in step for step in plan) or "MATERIALIZE anon_1" in plan, (wanted, plan)
