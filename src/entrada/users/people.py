"""Finding people: by id, address or object id, and page by page."""

from base64 import b64encode
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Select, func, literal, or_, select, tuple_

from entrada.users.database import Database
from entrada.users.directory import folded
from entrada.users.person import Person, called, person_of
from entrada.users.place import ORDERS, Order, Place
from entrada.users.spellings import spellings
from entrada.users.tables import devices, photos, role_grants, users

MOST_AT_ONCE = 200  # people of a page
MOST_OFFSET = 10_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which people; all of what is given must hold."""

    text: str | None = None
    """In name, username, address, department or job title, in any case."""
    is_active: bool | None = None
    is_admin: bool | None = None
    role: str | None = None
    """One that was granted here."""
    tenant_id: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return them in SQL."""
        equal = ("is_active", "is_admin", "tenant_id")
        found = [users.c[name] == value for name in equal if (value := getattr(self, name)) is not None]
        if self.text:
            columns = ("name", "username", "email", "department", "job_title")
            written = [(users.c[name], text) for name in columns for text in spellings(self.text)]
            found.append(or_(*(column.icontains(text, autoescape=True) for column, text in written)))
        if self.role is not None:
            found.append(users.c.id.in_(select(role_grants.c.user_id).where(role_grants.c.role == self.role)))
        return found


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Some people in their order; `next` is where the page after begins, None when there is none."""

    people: Sequence[Person]
    next: str | None


class People:
    """Reads one users' database. Every method raises StoreUnavailable when that does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_id(self, person_id: UUID) -> Person | None:
        """Return the person of this id."""
        found = await self._found(select(users).where(users.c.id == person_id))
        return found[0] if found else None

    async def by_object_id(self, tenant_id: str, object_id: str) -> Person | None:
        """Return the person of this object id in this tenant."""
        who = (users.c.tenant_id == tenant_id) & (users.c.object_id == object_id)
        found = await self._found(select(users).where(who))
        return found[0] if found else None

    async def by_email(self, email: str) -> Sequence[Person]:
        """Return all who have this address, in whatever case: an address is nobody's own for ever (SEC-120)."""
        return await self._found(select(users).where(users.c.email_folded == folded(email)))

    async def by_address(self, address: str) -> Sequence[Person]:
        """Return all who have this e-mail address or user name; of the two, the authority may have told only one."""
        written = folded(address)
        either = (users.c.email_folded == written) | (func.lower(users.c.username) == written)
        return await self._found(select(users).where(either))

    async def names(self, ids: Collection[UUID], *, tenant_id: str | None = None) -> Mapping[UUID, str]:
        """Return what these people are called, of those who are in the directory; of one tenant, if one is given."""
        asked = select(users.c.id, users.c.name, users.c.username, users.c.email).where(users.c.id.in_(ids))
        asked = asked if tenant_id is None else asked.where(users.c.tenant_id == tenant_id)
        rows = await self._database.read_at_once(lambda connection: connection.execute(asked).all())
        return {row.id: called(row) for row in rows}

    async def page(
        self,
        wanted: Wanted = Wanted(),
        *,
        order: Order = "newest",
        limit: int = 50,
        after: str | None = None,
        offset: int = 0,
    ) -> PeoplePage:
        """Return people in this order, behind the place `after`: the `next` of the page before.

        ValueError for a limit beyond 200, an offset beyond 10 000, and an `after` that no page in this order has given.
        """
        if not 1 <= limit <= MOST_AT_ONCE:
            raise ValueError(f"limit: from 1 to {MOST_AT_ONCE}")
        if not 0 <= offset <= MOST_OFFSET:
            raise ValueError(f"offset: from 0 to {MOST_OFFSET}; go deeper by the `next` of the page before")
        place = None if after is None else Place.parse(after, order=order)
        column, descending = ORDERS[order]
        by = (users.c[column], users.c.id)

        def work(connection: Connection) -> list[Person]:
            asked = select(users).where(*wanted.conditions())
            if place is not None:
                asked = asked.where(_behind(place))
            asked = asked.order_by(*(each.desc() if descending else each for each in by))
            return _people(connection, asked.limit(limit + 1).offset(offset))

        found = await self._database.read_at_once(work)
        return PeoplePage(found[:limit], str(Place.of(found[limit - 1], order)) if len(found) > limit else None)

    async def count(self, wanted: Wanted = Wanted()) -> int:
        """Return how many there are."""
        counted = select(func.count()).select_from(users).where(*wanted.conditions())
        return await self._database.read_at_once(lambda connection: connection.scalar(counted)) or 0

    async def exported(self, person: Person) -> dict[str, Any]:
        """Return all that the directory has of a person, as JSON can say it."""
        theirs = select(devices).where(devices.c.user_id == person.id).order_by(devices.c.first_seen_at)
        kept = select(photos.c.kind, photos.c.data).where(photos.c.user_id == person.id)
        seen, photo = await self._database.read_at_once(
            lambda connection: (connection.execute(theirs).all(), connection.execute(kept).one_or_none())
        )
        columns = ("user_agent", "first_seen_at", "last_seen_at")
        return {
            **{field.name: _plain(getattr(person, field.name)) for field in fields(person)},
            "photo": {"kind": photo.kind, "base64": b64encode(photo.data).decode()} if photo else None,
            "devices": [{name: _plain(getattr(row, name)) for name in columns} for row in seen],
        }

    async def _found(self, asked: Select[Any]) -> list[Person]:
        return await self._database.read_at_once(lambda connection: _people(connection, asked))


def _people(connection: Connection, asked: Select[Any]) -> list[Person]:
    rows = connection.execute(asked).all()
    granted: dict[UUID, set[str]] = {}
    theirs = select(role_grants.c.user_id, role_grants.c.role)
    for user_id, role in connection.execute(theirs.where(role_grants.c.user_id.in_([row.id for row in rows]))):
        granted.setdefault(user_id, set()).add(role)
    return [person_of(row, frozenset(granted.get(row.id, ()))) for row in rows]


def _behind(place: Place) -> ColumnElement[bool]:
    column, descending = ORDERS[place.order]
    begin = tuple_(literal(place.value, users.c[column].type), literal(place.id, users.c.id.type))
    here = tuple_(users.c[column], users.c.id)
    return here < begin if descending else here > begin


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    return str(value) if isinstance(value, UUID) else value
