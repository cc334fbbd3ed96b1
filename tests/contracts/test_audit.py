"""What the audit log promises, in each database that it may be in (SEC-145, SEC-148)."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.event import listen, remove

from entrada.audit.chain import ChainKeys
from entrada.audit.log import AuditLog, Filter
from entrada.audit.pruning import prune
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import Anchor, Report, verify
from entrada.errors import StoreUnavailable
from entrada.events import Event
from entrada.keyring import KeyRing, generate
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.contracts.databases import said
from tests.contracts.test_directory import ADA, CONTOSO
from tests.moved_clock import MovedClock
from tests.processes import together

SIGN_IN = Event(
    "sign_in",
    at=MovedClock()(),
    user_key=ADA.key,
    tenant_id=CONTOSO,
    address="192.0.2.7",
    user_agent="Firefox",
    correlation_id="c0ffee",
    uti="Xq1-uti",
    details={"way": "code"},
)
CHANGED = Event("user_changed", at=MovedClock()(), user_key=ADA.key, label="Ada", resource="user:x", details={"a": 1})


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(generate())


@pytest.fixture
async def trail(database: Database, ring: KeyRing, clock: MovedClock) -> AsyncIterator[AuditTrail]:
    writer = AuditTrail(database, ring, clock=clock)
    yield writer
    await writer.aclose()


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database)


async def written(trail: AuditTrail, number: int, event: Event = SIGN_IN) -> None:
    """Write so many events, a minute apart."""
    for minute in range(number):
        await trail.require(replace(event, at=event.at + timedelta(minutes=minute), reason=f"n{minute}"))


async def checked(database: Database, ring: KeyRing, *anchors: Anchor) -> Report:
    return await verify(database, ChainKeys(ring), anchors=anchors)


async def unguarded(database: Database, *statements: str) -> None:
    """Do what somebody can do who owns the tables: the guards go first."""
    async with database.unit_of_work() as connection:
        if connection.dialect.name == "sqlite":
            for when in ("update", "delete"):
                await connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS entrada_audit_no_{when}")
        else:
            await connection.exec_driver_sql("ALTER TABLE entrada_audit DISABLE TRIGGER USER")
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def test_an_event_is_kept_as_it_was_told(
    database: Database, trail: AuditTrail, log: AuditLog, clock: MovedClock
) -> None:
    """A row says who, what, how it ended, from where, when, and by which ids Entra knows it (AUD-1, BEY-9)."""
    ada = await Directory(database).signed_in(ADA, clock())
    await trail.require(SIGN_IN)
    (row,) = (await log.page()).rows
    assert (row.action, row.outcome, row.at, row.stream) == ("sign_in", "success", SIGN_IN.at, "activity")
    assert (row.person, row.user_key, row.tenant_id) == (ada.id, ADA.key, CONTOSO)
    assert row.label == "Ada Lovelace (ada@contoso.com)"
    assert (row.address, row.user_agent, row.correlation_id, row.uti) == ("192.0.2.7", "Firefox", "c0ffee", "Xq1-uti")
    assert row.details == {"way": "code"}
    assert row.user
    assert (row.user.id, row.user.email) == (ada.id, "ada@contoso.com")


async def test_who_is_deleted_stays_readable(database: Database, trail: AuditTrail, log: AuditLog, ring: KeyRing,
                                             clock: MovedClock) -> None:  # fmt: skip
    """Rows of a deleted person have a null user and the label that they had; the chain holds (ADM-1)."""
    await Directory(database).signed_in(ADA, clock())
    await trail.require(SIGN_IN)
    await said(database, "DELETE FROM entrada_user")
    (row,) = (await log.page()).rows
    assert (row.user, row.label) == (None, "Ada Lovelace (ada@contoso.com)")
    assert (await checked(database, ring)).intact


async def test_hostile_text_is_kept_readable(
    trail: AuditTrail, log: AuditLog, database: Database, ring: KeyRing
) -> None:
    """NUL, line ends, half surrogates and floods of text are cleaned and cut, and the row is written (SEC-147)."""
    nasty = 'a\0b\r\n\ud800<script>"\x1b[31m' + "x" * 5000
    event = replace(SIGN_IN, user_agent=nasty, label=nasty, reason=nasty, resource=nasty, details={nasty: nasty})
    await trail.require(event)
    (row,) = (await log.page()).rows
    assert row.user_agent
    assert "\0" not in row.user_agent
    assert "\n" not in row.user_agent
    assert len(row.user_agent) <= 256
    assert (await checked(database, ring)).intact


async def test_no_secret_is_written(trail: AuditTrail, log: AuditLog) -> None:
    """What looks like a token or has a secret's name is hidden, wherever it stands (SEC-146)."""
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2lnbmF0dXJl"
    await trail.require(
        replace(SIGN_IN, reason=token, user_agent=f"Bearer {token}", details={"code": "4/abc", "x": token})
    )
    (row,) = (await log.page()).rows
    assert "eyJ" not in repr(row)
    assert "4/abc" not in repr(row)


async def test_an_untouched_log_is_intact(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """Rows of both streams, from several commits, all hold together."""
    await asyncio.gather(*(trail.require(event) for event in [SIGN_IN, CHANGED] * 50))
    await written(trail, 3)
    report = await checked(database, ring)
    assert (report.rows, report.faults) == (103, [])
    assert [anchor.stream for anchor in report.anchors] == ["activity", "administration"]


EDITED = [
    "UPDATE entrada_audit SET action = 'sign_out' WHERE id = 3",
    "UPDATE entrada_audit SET at = at + 1 WHERE id = 3",
    "UPDATE entrada_audit SET person = NULL, reason = 'other' WHERE id = 3",
    "UPDATE entrada_audit SET address = '198.51.100.1' WHERE id = 3",
    "UPDATE entrada_audit SET label = 'Nobody' WHERE id = 3",
    "UPDATE entrada_audit SET details = '{}' WHERE id = 3",
    "UPDATE entrada_audit SET mac = hash WHERE id = 3",
    "UPDATE entrada_audit SET stream = 'administration' WHERE id = 3",
    "DELETE FROM entrada_audit WHERE id = 3",
    "DELETE FROM entrada_audit WHERE id = 1",
    "DELETE FROM entrada_audit WHERE id = 5",
    "DELETE FROM entrada_audit",
    "UPDATE entrada_audit_stream SET rows = 4, last_id = 4 WHERE name = 'activity'",
    "UPDATE entrada_audit_stream SET pruned_to = 2 WHERE name = 'activity'",
    "UPDATE entrada_audit_stream SET last_id = 0, rows = 0, mac = pruned_hash WHERE name = 'activity'",
]


@pytest.mark.parametrize("statement", EDITED, ids=range(len(EDITED)))
async def test_a_changed_log_is_found_out(database: Database, trail: AuditTrail, ring: KeyRing, statement: str) -> None:
    """A row that was edited, moved or removed anywhere, and a set-back end, are told (SEC-148)."""
    await written(trail, 5)
    await unguarded(database, statement)
    assert not (await checked(database, ring)).intact


async def test_a_report_names_the_rows(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """The report says which row was edited, and which ones are gone."""
    await written(trail, 9)
    await unguarded(
        database,
        "UPDATE entrada_audit SET reason = 'x' WHERE id = 2",
        "DELETE FROM entrada_audit WHERE id IN (5, 6)",
    )
    found = {fault.row_id: fault.said for fault in (await checked(database, ring)).faults}
    assert "edited" in found[2]
    assert "is missing to 6: 2 removed" in found[5]
    assert set(found) == {None, 2, 5, 7}


async def test_exchanged_rows_are_found_out(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """Two rows that change places are told, also when all their values were moved (SEC-148)."""
    await written(trail, 5)
    await unguarded(
        database,
        "UPDATE entrada_audit SET id = 99 WHERE id = 2",
        "UPDATE entrada_audit SET id = 2 WHERE id = 4",
        "UPDATE entrada_audit SET id = 4 WHERE id = 99",
    )
    assert not (await checked(database, ring)).intact


async def test_who_writes_the_database_cannot_write_the_log(
    database: Database, trail: AuditTrail, ring: KeyRing, clock: MovedClock
) -> None:
    """A chain that somebody built anew without our keys is told, also after we went on writing (SEC-148)."""
    await written(trail, 3)
    other = AuditTrail(database, KeyRing.parse(generate()), clock=clock)
    anew = "UPDATE entrada_audit_stream SET last_id = 0, rows = 0, hash = pruned_hash, mac = pruned_hash"
    await unguarded(database, "DELETE FROM entrada_audit", anew)
    await written(other, 3)
    await other.aclose()
    assert not (await checked(database, ring)).intact
    await written(trail, 3)
    assert any("not as we left it" in fault.said for fault in (await checked(database, ring)).faults)


async def test_a_cut_off_end_stays_told(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """Rows cut off the end, with the end set back to fit, are told even after more was written (SEC-148)."""
    await written(trail, 5)
    back = "(SELECT hash FROM entrada_audit WHERE id = 3)"
    await unguarded(
        database,
        f"UPDATE entrada_audit_stream SET last_id = 3, rows = 3, hash = {back} WHERE name = 'activity'",
        "DELETE FROM entrada_audit WHERE id > 3",
    )
    assert not (await checked(database, ring)).intact
    await written(trail, 4)
    assert not (await checked(database, ring)).intact


async def test_an_anchor_shows_a_log_that_was_set_back(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """A whole older state of the database is told by an anchor that was kept elsewhere (SEC-148)."""
    await written(trail, 2)
    before = await said(database, "SELECT last_id, rows FROM entrada_audit_stream WHERE name = 'activity'")
    keep = "CREATE TABLE kept AS SELECT * FROM entrada_audit_stream"
    await said(database, keep)
    await written(trail, 2)
    anchor = (await checked(database, ring)).anchors[0]
    assert (await checked(database, ring, Anchor.parse(str(anchor)))).intact
    await unguarded(
        database,
        "DELETE FROM entrada_audit WHERE id > 2",
        "DELETE FROM entrada_audit_stream",
        "INSERT INTO entrada_audit_stream SELECT * FROM kept",
    )
    assert before == [(2, 2)]
    assert (await checked(database, ring)).intact  # nothing inside can tell
    assert not (await checked(database, ring, anchor)).intact


GUARDED = [
    "UPDATE entrada_audit SET action = 'sign_out'",
    "UPDATE entrada_audit SET label = 'Nobody'",
    "UPDATE entrada_audit SET details = NULL",
    "UPDATE entrada_audit SET who_seal = hash",
    "DELETE FROM entrada_audit WHERE id = 1",
]


@pytest.mark.parametrize("statement", GUARDED, ids=range(len(GUARDED)))
async def test_the_database_itself_refuses_changes(database: Database, trail: AuditTrail, statement: str) -> None:
    """The table takes new rows only: no change, no deletion (SEC-148)."""
    await written(trail, 2)
    with pytest.raises(StoreUnavailable):
        await said(database, statement)
    assert await said(database, "SELECT count(*) FROM entrada_audit WHERE action = 'sign_in'") == [(2,)]


async def test_a_rotated_key_takes_no_proof_away(
    database: Database, trail: AuditTrail, clock: MovedClock, ring: KeyRing
) -> None:
    """After a rotation and the old key's end the whole log is still checked, and an edit of old rows is told."""
    await written(trail, 3)
    await written(trail, 1, CHANGED)
    rotated = ring.with_waiting(KeyRing.parse(generate()).active).promoted()
    trail.use(rotated)
    await written(trail, 2)
    alone = rotated.without(ring.active.id)
    report = await checked(database, alone)
    assert (report.faults, report.under_lost_keys) == ([], 4)
    await unguarded(database, "UPDATE entrada_audit SET reason = 'x' WHERE id = 1")
    assert not (await checked(database, alone)).intact


async def test_a_pruned_log_stays_whole(database: Database, trail: AuditTrail, log: AuditLog, ring: KeyRing,
                                        clock: MovedClock) -> None:  # fmt: skip
    """What is old goes, a row says so, and what is left holds together; doing it again does no harm (AUD-1)."""
    await written(trail, 30)
    anchor = (await checked(database, ring)).anchors[0]
    before = SIGN_IN.at + timedelta(minutes=20)
    by = Event("audit_pruned", at=clock())
    assert await prune(database, trail.keys, stream="activity", before=before, by=by) == 20
    assert await prune(database, trail.keys, stream="activity", before=before, by=by) == 0
    report = await checked(database, ring, anchor)
    assert (report.rows, report.faults) == (11, [])
    rows = (await log.page()).rows
    (pruned,) = [row for row in rows if row.action == "audit_pruned"]
    assert pruned.details["rows"] == 20
    assert min(row.at for row in rows if row.action == "sign_in") == before
    assert (await log.total()).rows == 11
    await written(trail, 2)
    assert await prune(database, trail.keys, stream="activity", before=before + timedelta(days=9), by=by) == 12
    await written(trail, 1)
    assert (await checked(database, ring)).faults == []
    await unguarded(database, "DELETE FROM entrada_audit WHERE action = 'audit_pruned'")
    assert not (await checked(database, ring)).intact


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


async def test_counts_by_time(trail: AuditTrail, log: AuditLog) -> None:
    """Charts get how many rows of each kind there are in each span of time."""
    await written(trail, 90)
    begin, hour = SIGN_IN.at, timedelta(hours=1)
    counted = await log.counts(("sign_in", "sign_out"), since=begin, until=begin + timedelta(minutes=80), every=hour)
    assert counted == {(begin, "sign_in"): 60, (begin + hour, "sign_in"): 20}


async def test_what_is_appended_belongs_to_the_change(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """A change that is undone leaves no row, and a row that cannot be written undoes the change (SEC-149)."""
    with pytest.raises(StoreUnavailable):
        async with database.unit_of_work() as connection:
            await trail.append(connection, [CHANGED])
            await connection.exec_driver_sql("UPDATE entrada_audit SET action = 'x'")
    assert await said(database, "SELECT count(*) FROM entrada_audit") == [(0,)]
    assert (await checked(database, ring)).intact


def test_workers_write_one_chain(database_url: str) -> None:
    """Three processes that write at once make one chain, in which every row is there once (SEC-148)."""
    text = generate()
    source = """
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
    print("ready", flush=True)
    sys.stdin.readline()
    async def one(number):
        await trail.require(Event("sign_in", at=datetime.now(UTC), reason=f"{sys.argv[3]}-{number}"))
    for _ in range(4):
        await asyncio.gather(*(one(n + 10 * _) for n in range(10)))
    await trail.aclose()
    await database.close()
asyncio.run(main())
"""
    together(source, database_url, text, times=3)

    async def look() -> tuple[Report, int]:
        database = Database(database_url, data_dir=Path("unused"))
        await database.bring_up()
        report = await verify(database, ChainKeys(KeyRing.parse(text)))
        reasons = {row.reason async for row in AuditLog(database).everything()}
        await database.close()
        return report, len(reasons)

    report, reasons = asyncio.run(look())
    assert (report.rows, report.faults, reasons) == (120, [], 120)


async def test_no_page_sorts_or_reads_the_whole_log(database: Database, trail: AuditTrail, log: AuditLog) -> None:
    """However deep a page is and whatever filters it, its rows come from an index in their order (REL-071)."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "entrada_audit" in statement and "ORDER BY" in statement:
            asked.append((statement, parameters))

    await written(trail, 3)
    async with database.unit_of_work(read_only=True) as connection:
        engine = connection.engine.sync_engine
    listen(engine, "before_cursor_execute", note)
    after = (await log.page()).rows[0].cursor
    filters = (Filter(), Filter(outcome="failure"), Filter(address="x"), Filter(since=SIGN_IN.at, until=SIGN_IN.at))
    people = (Filter(person=UUID(int=1)), Filter(about=UUID(int=1)))
    others = (Filter(tenant_id=CONTOSO), Filter(correlation_id="x"), Filter(stream="administration"))
    for wanted in (*filters, *people, *others, Filter(actions=("sign_in",))):
        await log.page(wanted, after=after)
    remove(engine, "before_cursor_execute", note)
    assert len(asked) == 11
    if engine.dialect.name != "sqlite":  # three rows tell PostgreSQL's planner nothing; the bench measures it
        return
    async with database.unit_of_work(read_only=True) as connection:
        for statement, parameters in asked:
            plan = str((await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all())
            assert re.search("USING (COVERING )?INDEX entrada_audit_(by|of)_", plan)
            assert "TEMP B-TREE" not in plan or "LIST SUBQUERY" in plan  # then a page of each way is sorted, no more
            assert not re.search(r"SCAN entrada_audit(?! USING INDEX)", plan)


async def test_people_are_found_by_their_index(database: Database, trail: AuditTrail) -> None:
    """However many people the rows of one append are about, none is looked for by going through the directory, and what
    one tenant's people are called says nothing of another's with the same ids (REL-071, SEC-120)."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "FROM entrada_user " in statement:
            asked.append((statement, parameters))

    async with database.unit_of_work(read_only=True) as connection:
        engine = connection.engine.sync_engine
    listen(engine, "before_cursor_execute", note)
    people = [f"{CONTOSO}:{number}" for number in range(3)] + [f"https://id.example|{number}" for number in range(3)]
    await asyncio.gather(*(trail.require(replace(SIGN_IN, user_key=key)) for key in people))
    remove(engine, "before_cursor_execute", note)
    assert asked
    if engine.dialect.name != "sqlite":  # an empty table tells PostgreSQL's planner nothing
        return
    async with database.unit_of_work(read_only=True) as connection:
        for statement, parameters in asked:
            plan = str((await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all())
            assert re.search(r"SEARCH entrada_user USING INDEX \w+ \(\w+=\? AND \w+=\?\)", plan), plan
