"""The tenants that somebody has on-boarded, and what whoever runs the application has decided of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.errors import StoreUnavailable
from entrada.users.database import Database
from entrada.users.tables import tenants

Status = Literal["requested", "consented", "approved", "suspended"]
"""`requested`: by somebody who was not shown to be an administrator; `consented`: by one who was; the last two are the
operator's word."""
STATUSES: frozenset[str] = frozenset(get_args(Status))
LONGEST_CONTACT = 320  # characters, as of a mail address


@dataclass(frozen=True, slots=True)
class Tenant:
    """One tenant of the table."""

    tenant_id: str
    status: Status
    contact: str | None
    """The user name of who on-boarded it, for display; None when only the operator has named it."""
    onboarded_at: datetime | None
    changed_at: datetime
    """When its status changed last."""


class TenantTable:
    """Keeps the tenants in one users' database, by their GUIDs in lower case. StoreUnavailable when it is out of reach.

    A status that this release does not know is no answer either: nobody is let in by guessing.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def status(self, tenant_id: str) -> Status | None:
        """Return what is known of a tenant; None when nothing is."""
        async with self._database.unit_of_work(read_only=True) as connection:
            row = await _row(connection, tenant_id)
        return _tenant(row).status if row else None

    async def all(self) -> list[Tenant]:
        """Return every tenant, the latest change first."""
        wanted = select(tenants).order_by(tenants.c.changed_at.desc(), tenants.c.tenant_id)
        async with self._database.unit_of_work(read_only=True) as connection:
            return [_tenant(row) for row in await connection.execute(wanted)]

    async def suspended(self) -> list[Tenant]:
        """Return those that are suspended, in no order."""
        wanted = select(tenants).where(tenants.c.status == "suspended")
        async with self._database.unit_of_work(read_only=True) as connection:
            return [_tenant(row) for row in await connection.execute(wanted)]

    async def onboarded(self, tenant_id: str, *, contact: str, administrator: bool, at: datetime) -> Status:
        """Note that somebody of the tenant has on-boarded it; return its status then.

        What the operator has decided stays, and so does an administrator's word.
        """
        said: Status = "consented" if administrator else "requested"
        values = {"status": said, "contact": contact[:LONGEST_CONTACT], "onboarded_at": at, "changed_at": at}

        async def work(connection: AsyncConnection) -> Status:
            row = await _row(connection, tenant_id)
            if row is None:
                await connection.execute(insert(tenants).values(tenant_id=tenant_id, **values))
                return said
            known = _tenant(row).status
            if known != "requested" or not administrator:
                return known
            await connection.execute(update(tenants).where(tenants.c.tenant_id == tenant_id).values(values))
            return said

        return await self._database.run(work)

    async def decide(
        self,
        tenant_id: str,
        status: Literal["approved", "suspended"],
        *,
        at: datetime,
        beside: Callable[[AsyncConnection], Awaitable[None]] | None = None,
    ) -> None:
        """Note what the operator has decided, also of a tenant that nobody has on-boarded yet.

        What `beside` does is done with it, or neither.
        """
        decided = {"status": status, "changed_at": at}

        async def work(connection: AsyncConnection) -> None:
            changed = await connection.execute(update(tenants).where(tenants.c.tenant_id == tenant_id).values(decided))
            if not changed.rowcount:
                await connection.execute(insert(tenants).values(tenant_id=tenant_id, **decided))
            if beside is not None:
                await beside(connection)

        await self._database.run(work)


async def _row(connection: AsyncConnection, tenant_id: str) -> Row[tuple[object, ...]] | None:
    return (await connection.execute(select(tenants).where(tenants.c.tenant_id == tenant_id))).one_or_none()


def _tenant(row: Row[tuple[object, ...]]) -> Tenant:
    if row.status not in STATUSES:
        raise StoreUnavailable("users' database: a tenant has a status that this release does not know")
    return Tenant(row.tenant_id, row.status, row.contact, row.onboarded_at, row.changed_at)
