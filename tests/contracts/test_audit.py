"""What the audit log promises of its rows, in each database that it may be in (SEC-145, SEC-148)."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from entrada.audit.chain import ChainKeys
from entrada.audit.log import AuditLog
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import Report, verify
from entrada.errors import StoreUnavailable
from entrada.keyring import KeyRing, generate
from entrada.users.database import Database
from entrada.users.directory import Directory
from tests.contracts.audit_rows import CHANGED, SIGN_IN, checked, written
from tests.contracts.databases import said
from tests.contracts.test_directory import ADA, CONTOSO
from tests.moved_clock import MovedClock
from tests.processes import together


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


async def test_people_are_found_by_their_index(database: Database, trail: AuditTrail) -> None:
    """However many people the rows of one append are about, none is looked for by going through the directory, and what
    one tenant's people are called says nothing of another's with the same ids (REL-071, SEC-120)."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> None:
        if "FROM entrada_user " in statement:
            asked.append((statement, parameters))

    listen(Engine, "before_cursor_execute", note)
    people = [f"{CONTOSO}:{number}" for number in range(3)] + [f"https://id.example|{number}" for number in range(3)]
    await asyncio.gather(*(trail.require(replace(SIGN_IN, user_key=key)) for key in people))
    remove(Engine, "before_cursor_execute", note)
    assert asked
    async with database.unit_of_work(read_only=True) as connection:
        if connection.dialect.name != "sqlite":  # an empty table tells PostgreSQL's planner nothing
            return
        for statement, parameters in asked:
            plan = str((await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all())
            assert re.search(r"SEARCH entrada_user USING INDEX \w+ \(\w+=\? AND \w+=\?\)", plan), plan
