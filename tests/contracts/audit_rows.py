"""Rows of the audit log for its tests, and what somebody can do who owns its tables."""

from dataclasses import replace
from datetime import timedelta

from entrada.audit.chain import ChainKeys
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import Anchor, Report, verify
from entrada.events import Event
from entrada.keyring import KeyRing
from entrada.users.database import Database
from tests.contracts.test_directory import ADA, CONTOSO
from tests.moved_clock import MovedClock

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
