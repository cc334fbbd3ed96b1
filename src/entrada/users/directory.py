"""The people who have signed in here."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, Row, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.errors import SignInRefused
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.tables import users


@dataclass(frozen=True, slots=True)
class Person:
    """One who has signed in here; `id` is ours and never changes, names are for display."""

    id: UUID
    name: str
    username: str
    email: str | None
    is_active: bool
    created_at: datetime
    last_sign_in_at: datetime


class Directory:
    """Knows people by tenant and object id, or by issuer and subject; never by a name or an address (SEC-120)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def is_inactive(self, user: User) -> bool:
        """Tell whether this person is known here and was made inactive; StoreUnavailable when that cannot be told."""
        async with self._database.unit_of_work(read_only=True) as connection:
            return (
                await connection.execute(select(users.c.is_active).where(is_person(user)))
            ).scalar_one_or_none() is False

    async def signed_in(self, user: User, at: datetime) -> Person:
        """Create the person at the first sign-in, update them at later ones, and return them.

        SignInRefused when they are inactive; StoreUnavailable when the database does not answer.
        """
        shown = {"name": user.name, "username": user.username, "email": user.email, "last_sign_in_at": at}

        async def work(connection: AsyncConnection) -> Person:
            known = (await connection.execute(select(users).where(is_person(user)))).one_or_none()
            if known is None:
                created = {"id": uuid4(), "is_active": True, "created_at": at, **_identity(user), **shown}
                return _person((await connection.execute(insert(users).values(created).returning(users))).one())
            if not known.is_active:
                raise SignInRefused(f"user {known.id} is inactive")
            changed = update(users).where(users.c.id == known.id).values(shown).returning(users)
            return _person((await connection.execute(changed)).one())

        return await self._database.run(work)

    async def of_tenant(
        self, tenant_id: str, *, limit: int, after: UUID | None = None
    ) -> dict[UUID, tuple[User, datetime]]:
        """Return at most `limit` people of a tenant by our ids, after that one, each with their last sign-in."""
        wanted = select(users).where(users.c.tenant_id == tenant_id, users.c.object_id.is_not(None))
        if after is not None:
            wanted = wanted.where(users.c.id > after)
        async with self._database.unit_of_work(read_only=True) as connection:
            rows = (await connection.execute(wanted.order_by(users.c.id).limit(limit))).all()
        return {row.id: (_user(row), row.last_sign_in_at) for row in rows}

    async def deactivate(self, user: User) -> bool:
        """Let this person sign in no more; False when nobody is known by their key."""
        inactive = update(users).where(is_person(user)).values(is_active=False)
        async with self._database.unit_of_work() as connection:
            return (await connection.execute(inactive)).rowcount > 0


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


def _user(row: Row[tuple[object, ...]]) -> User:
    """Return whom a row is of: who they are, and nothing that the authority has said beside."""
    return User(issuer=row.issuer, subject=row.subject, tenant_id=row.tenant_id, object_id=row.object_id)


def _person(row: Row[tuple[object, ...]]) -> Person:
    return Person(
        id=row.id,
        name=row.name,
        username=row.username,
        email=row.email,
        is_active=row.is_active,
        created_at=row.created_at,
        last_sign_in_at=row.last_sign_in_at,
    )
