"""The people who have signed in here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.errors import SignInRefused
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.person import Person, person_of
from entrada.users.tables import role_grants, users


class Directory:
    """Knows people by tenant and object id, or by issuer and subject; never by a name or an address (SEC-120)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(self, user: User) -> Person | None:
        """Return the person as they are now, with the roles granted here; None when they never signed in."""
        async with self._database.unit_of_work(read_only=True) as connection:
            return await find(connection, is_person(user))

    async def signed_in(self, user: User, at: datetime) -> Person:
        """Create the person at the first sign-in, update them at later ones, and return them.

        What an administrator wrote stays, and so does an address when this time none is told. SignInRefused when they
        are inactive; StoreUnavailable when the database does not answer.
        """
        shown = _shown(user) | {"last_sign_in_at": at, "updated_at": at}

        async def work(connection: AsyncConnection) -> Person:
            known = await find(connection, is_person(user))
            if known is None:
                created = {"id": uuid4(), "is_active": True, "created_at": at, **_identity(user), **shown}
                return person_of((await connection.execute(insert(users).values(created).returning(users))).one())
            if not known.is_active:
                raise SignInRefused(f"user {known.id} is inactive")
            values = {name: value for name, value in shown.items() if name not in known.edited}
            changed = update(users).where(users.c.id == known.id).values(values).returning(users)
            return person_of((await connection.execute(changed)).one(), known.grants)

        return await self._database.run(work)

    async def told(self, user: User, profile: Mapping[str, str | None], *, at: datetime) -> None:
        """Keep what the authority's profile of a person says, by column; what an administrator wrote stays.

        Nothing is kept of somebody who is not known any more. StoreUnavailable when the database does not answer.
        """

        async def work(connection: AsyncConnection) -> None:
            known = await find(connection, is_person(user), lock=True)
            if known is None:
                return
            new = {name: value for name, value in profile.items() if name not in known.edited}
            values: dict[str, Any] = {name: value for name, value in new.items() if value != getattr(known, name)}
            if "email" in values:
                values["email_folded"] = folded(values["email"])
            if values:
                values["updated_at"] = at
                await connection.execute(update(users).where(users.c.id == known.id).values(values))

        await self._database.run(work)

    async def deactivate(self, user: User) -> bool:
        """Let this person sign in no more; False when nobody is known by their key."""
        inactive = update(users).where(is_person(user)).values(is_active=False)
        async with self._database.unit_of_work() as connection:
            return (await connection.execute(inactive)).rowcount > 0

    async def tenants(self) -> list[str]:
        """Return every tenant of which anybody is known."""
        wanted = select(users.c.tenant_id).where(users.c.tenant_id.is_not(None)).distinct()
        async with self._database.unit_of_work(read_only=True) as connection:
            return list(await connection.scalars(wanted))

    async def of_tenant(
        self, tenant_id: str, *, limit: int, after: UUID | None = None
    ) -> dict[UUID, tuple[User, datetime]]:
        """Return at most `limit` people of a tenant by our ids, after that one, each with their last sign-in."""
        wanted = select(users).where(users.c.tenant_id == tenant_id, users.c.object_id.is_not(None))
        if after is not None:
            wanted = wanted.where(users.c.id > after)
        async with self._database.unit_of_work(read_only=True) as connection:
            rows = (await connection.execute(wanted.order_by(users.c.id).limit(limit))).all()
        return {row.id: (person_of(row).user, row.last_sign_in_at) for row in rows}


async def find(connection: AsyncConnection, who: ColumnElement[bool], *, lock: bool = False) -> Person | None:
    """Return the one person of this condition, with their grants; `lock`: nobody changes them meanwhile."""
    asked = select(users).where(who)
    row = (await connection.execute(asked.with_for_update() if lock else asked)).one_or_none()
    if row is None:
        return None
    roles = await connection.scalars(select(role_grants.c.role).where(role_grants.c.user_id == row.id))
    return person_of(row, frozenset(roles))


def folded(email: str | None) -> str | None:
    """Return an address as it is looked up: in whatever case it was written."""
    return email.strip().lower() if email else None


def _shown(user: User) -> dict[str, str | None]:
    """Return the columns that the authority has something to say about at each sign-in."""
    address = {"email": user.email, "email_folded": folded(user.email)} if user.email else {}
    return {"name": user.name, "username": user.username, **address}


def _identity(user: User) -> dict[str, str | None]:
    """Return the columns that say who this is; object and tenant id only together."""
    in_tenant = bool(user.tenant_id and user.object_id)
    return {
        "tenant_id": user.tenant_id if in_tenant else None,
        "object_id": user.object_id if in_tenant else None,
        "issuer": user.issuer,
        "subject": user.subject,
    }


def is_person(user: User) -> ColumnElement[bool]:
    """Say which row is this person's, by the same rule as `User.key`."""
    if user.tenant_id and user.object_id:
        return and_(users.c.tenant_id == user.tenant_id, users.c.object_id == user.object_id)
    return and_(users.c.object_id.is_(None), users.c.issuer == user.issuer, users.c.subject == user.subject)
