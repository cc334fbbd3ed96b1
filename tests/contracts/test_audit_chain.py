"""What the chain of the audit log shows: rows edited, removed or moved, and ends that were set back (SEC-148)."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

from entrada.audit.log import AuditLog
from entrada.audit.pruning import prune
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import Anchor
from entrada.events import Event
from entrada.keyring import KeyRing, generate
from entrada.users.database import Database
from tests.contracts.audit_rows import CHANGED, SIGN_IN, checked, unguarded, written
from tests.contracts.databases import said
from tests.moved_clock import MovedClock


async def test_an_untouched_log_is_intact(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """Rows of both streams, from several commits, all hold together."""
    await asyncio.gather(*(trail.require(event) for event in [SIGN_IN, CHANGED] * 50))
    await written(trail, 3)
    report = await checked(database, ring)
    assert (report.rows, report.faults) == (103, [])
    assert [anchor.stream for anchor in report.anchors] == ["activity", "administration"]


FIRST, MIDDLE, LAST = 1, 3, 5
EDITED = (
    "action = 'sign_out'",
    "at = at + 1",
    "person = NULL, reason = 'other'",
    "address = '198.51.100.1'",
    "label = 'Nobody'",
    "details = '{}'",
    "mac = hash",
    "hash = mac",
    "stream = 'administration'",
)
ENDS = (
    "UPDATE entrada_audit_stream SET rows = 4, last_id = 4 WHERE name = 'activity'",
    "UPDATE entrada_audit_stream SET pruned_to = 2 WHERE name = 'activity'",
    "UPDATE entrada_audit_stream SET last_id = 0, rows = 0, mac = pruned_hash WHERE name = 'activity'",
)
TABLES = ("entrada_audit", "entrada_audit_stream")


def tampered() -> Iterator[tuple[str, ...]]:
    """Give what somebody may do to five rows and their end, each as its statements."""
    for row in (FIRST, MIDDLE, LAST):
        yield from ((f"UPDATE entrada_audit SET {edit} WHERE id = {row}",) for edit in EDITED)
        yield (f"DELETE FROM entrada_audit WHERE id = {row}",)
    yield from (exchanged(one, other) for one, other in ((1, 2), (2, 4), (1, 5), (4, 5)))
    yield from ((statement,) for statement in ("DELETE FROM entrada_audit WHERE id > 3", "DELETE FROM entrada_audit"))
    yield from ((statement,) for statement in ENDS)


def exchanged(one: int, other: int) -> tuple[str, ...]:
    """Return what has two rows change places with all their values."""
    return tuple(f"UPDATE entrada_audit SET id = {after} WHERE id = {before}"
                 for before, after in ((one, 99), (other, one), (99, other)))  # fmt: skip


async def test_a_changed_log_is_found_out(database: Database, trail: AuditTrail, ring: KeyRing) -> None:
    """A first, middle or last row that was edited, moved or removed, and a cut off or set-back end, are told."""
    await written(trail, 5)
    await unguarded(database, *(f"CREATE TABLE kept_{table} AS SELECT * FROM {table}" for table in TABLES))
    again = [each for table in TABLES
             for each in (f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM kept_{table}")]  # fmt: skip
    for statements in tampered():
        await unguarded(database, *statements)
        assert not (await checked(database, ring)).intact, statements
        await unguarded(database, *again)
        assert (await checked(database, ring)).intact, statements


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


async def test_prunings_at_the_same_time_count_each_row_once(
    database: Database, trail: AuditTrail, log: AuditLog, ring: KeyRing, clock: MovedClock
) -> None:
    """A command that prunes beside a worker leaves a log that can be checked, and each says what it took (AUD-1)."""
    await written(trail, 30)
    by = Event("audit_pruned", at=clock())
    befores = [SIGN_IN.at + timedelta(minutes=minute) for minute in (4, 8, 12, 16, 20)]
    gone = [prune(database, trail.keys, stream="activity", before=before, by=by) for before in befores]
    assert sum(await asyncio.gather(*gone)) == 20
    report = await checked(database, ring)
    assert report.faults == []
    assert sum(row.details["rows"] for row in (await log.page()).rows if row.action == "audit_pruned") == 20
