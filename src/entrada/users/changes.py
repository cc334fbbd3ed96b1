"""What administrators change of people, each inside a unit of work that says in the audit log what it did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.errors import ChangedMeanwhile, LastAdmin, NotAllowed, NotFound
from entrada.users.directory import find
from entrada.users.person import Person
from entrada.users.tables import role_grants, users

WRITABLE = ("name", "department", "job_title")
"""What an administrator may write over; sign-ins leave it alone from then on."""
LONGEST = 256
RIGHTS = "the rights of an administrator"


async def locked(connection: AsyncConnection, person_id: UUID, *, version: int | None = None) -> Person:
    """Return the person, whom nobody changes before this unit of work is over.

    NotFound when there is nobody, ChangedMeanwhile when they are not of this version any more.
    """
    person = await find(connection, users.c.id == person_id, lock=True)
    if person is None:
        raise NotFound("nobody has this id")
    if version is not None and person.version != version:
        raise ChangedMeanwhile(f"version {version} was read, {person.version} is there")
    return person


async def hold(connection: AsyncConnection, person_id: UUID, *, by: UUID, promoted: bool) -> None:
    """Let nobody change these two before this unit of work is over; NotAllowed when `by` has lost their rights.

    Of two administrators who shut each other out at the same moment, one does (SEC-141). `promoted`: that they
    administer by `is_admin`.
    """
    both = select(users.c.id, users.c.is_active, users.c.is_admin).where(users.c.id.in_({person_id, by}))
    rows = (await connection.execute(both.order_by(users.c.id).with_for_update())).all()
    if not any(row.id == by and row.is_active and (row.is_admin or not promoted) for row in rows):
        raise NotAllowed(RIGHTS)


async def keep_an_admin(connection: AsyncConnection, leaving: Person) -> None:
    """LastAdmin when nobody else is an active administrator; of two who leave at once, one stays (SEC-141)."""
    if not (leaving.is_admin and leaving.is_active):
        return
    active = select(users.c.id).where(users.c.is_admin, users.c.is_active).order_by(users.c.id).with_for_update()
    if set(await connection.scalars(active)) <= {leaving.id}:
        raise LastAdmin


async def write(connection: AsyncConnection, person: Person, values: Mapping[str, Any], *, at: datetime) -> None:
    """Write these columns, and count it as a change."""
    edited = person.edited | {name for name in values if name in WRITABLE}
    changed = {**values, "edited": " ".join(sorted(edited)), "version": person.version + 1, "updated_at": at}
    await connection.execute(update(users).where(users.c.id == person.id).values(changed))


async def grant(connection: AsyncConnection, person: Person, role: str, *, at: datetime, by: str) -> None:
    """Grant a role that they have not got yet."""
    row = {"user_id": person.id, "role": role, "granted_at": at, "granted_by": by[:LONGEST]}
    await connection.execute(insert(role_grants).values(row))
    await write(connection, person, {}, at=at)


async def revoke(connection: AsyncConnection, person: Person, role: str, *, at: datetime) -> None:
    """Take a role back."""
    theirs = (role_grants.c.user_id == person.id) & (role_grants.c.role == role)
    await connection.execute(delete(role_grants).where(theirs))
    await write(connection, person, {}, at=at)


async def remove(connection: AsyncConnection, person: Person) -> None:
    """Forget the person, their devices and their roles."""
    await connection.execute(delete(users).where(users.c.id == person.id))
