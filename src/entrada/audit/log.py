"""Reading the log: pages, newest first, of all or of what a filter lets through; what came since; counts by time.

Rows are in the order of their time, then id, and a page begins where the one before it ended (keyset), so page 18 000
costs what the first one does. Each filter but the text has an index in that order.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from entrada.audit.merging import ABOUT, EQUAL, MOST_ACTIONS, Ways, conditions, merged, of_actions
from entrada.audit.rows import Stream
from entrada.events import EventName, Outcome
from entrada.users.database import Database
from entrada.users.tables import EPOCH, MICROSECOND, audit, audit_streams, users

MOST_AT_ONCE = 500  # rows of a page
MOST_OFFSET = 10_000  # rows that a page may be told to skip; who wants to go deeper goes on by a cursor
MOST_COUNTED = 10_000  # rows that a filter's count goes to
MOST_SEARCHED = 50_000  # rows that one page of a search for text looks at
EXPORTED_AT_ONCE = 2_000
Values = dict[str, Any]
CURSOR = re.compile(r"([0-9a-f]{1,14})-([0-9a-f]{1,15})", re.ASCII)  # till the year 4253; ids of 60 bits


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of the log. `user` is None for nobody, and for a person who was deleted; `label` stays."""

    id: int
    stream: str
    at: datetime
    action: str
    outcome: str
    reason: str | None
    tenant_id: str | None
    person: UUID | None
    user_key: str | None
    label: str | None
    resource: str | None
    details: Mapping[str, Any]
    address: str | None
    user_agent: str | None
    correlation_id: str | None
    uti: str | None
    user: "Known | None"

    def plain(self) -> dict[str, Any]:
        """Return the row as JSON can say it."""
        values = {name: getattr(self, name) for name in SHOWN}
        person = str(self.person) if self.person else None
        return values | {"at": self.at.isoformat(), "person": person, "details": dict(self.details)}

    @property
    def cursor(self) -> str:
        """Where the page goes on that ends with this row."""
        return str(Cursor(self.at, self.id))


SHOWN = tuple(each.name for each in fields(Recorded) if each.name != "user")
"""The columns of a row, in the order of its fields; what makes the chain is not read."""
DETAILS = SHOWN.index("details")


@dataclass(frozen=True, slots=True)
class Known:
    """A person of a row who is in the directory now, under their present name."""

    id: UUID
    name: str
    email: str | None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the log."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - EPOCH) // MICROSECOND:x}-{self.id:x}"

    @classmethod
    def parse(cls, written: str) -> "Cursor":
        """Read what `str` has written; ValueError for anything else."""
        found = CURSOR.fullmatch(written)
        if found is None:
            raise ValueError("cursor: not one that a page of the log has given")
        return cls(EPOCH + int(found[1], 16) * MICROSECOND, int(found[2], 16))


@dataclass(frozen=True, slots=True)
class Filter:
    """What rows are wanted; all of what is given must hold. `until` is not included."""

    actions: Sequence[EventName] = ()
    outcome: Outcome | None = None
    person: UUID | None = None
    """Who did it."""
    about: UUID | None = None
    """Who did it or to whom it was done."""
    tenant_id: str | None = None
    address: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    stream: Stream | None = None
    correlation_id: str | None = None
    text: str | None = None
    """In label, resource, reason, correlation id, uti or details, in any case."""

    def conditions(self) -> list[ColumnElement[bool]]:
        """Return all but the text as conditions."""
        found = [audit.c[name] == value for name in EQUAL if (value := getattr(self, name)) is not None]
        if self.stream is not None:  # written out: only so the index of the few is used
            found.append(audit.c.stream == literal(self.stream, String, literal_execute=True))
        if self.actions:
            found.append(audit.c.action.in_(self.actions) if self.actions[1:] else audit.c.action == self.actions[0])
        if self.about is not None:
            found.append(or_(*_ways(self.about)))
        if self.since is not None:
            found.append(audit.c.at >= self.since)
        if self.until is not None:
            found.append(audit.c.at < self.until)
        return found


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `next` is where older ones begin, None when there are none."""

    rows: Sequence[Recorded]
    next: str | None


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are; when `more`, at least so many."""

    rows: int
    more: bool = False


class AuditLog:
    """Reads the log of one users' database. Every method raises StoreUnavailable when that does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, wanted: Filter = Filter(), *, limit: int = 50, after: str | None = None, offset: int = 0
    ) -> Page:
        """Return the newest rows, or those that are older than the cursor `after`.

        ValueError for a cursor that is none, a limit beyond 500 or an offset beyond 10 000.
        """
        if not 1 <= limit <= MOST_AT_ONCE:
            raise ValueError(f"limit: from 1 to {MOST_AT_ONCE}")
        if not 0 <= offset <= MOST_OFFSET:
            raise ValueError(f"offset: from 0 to {MOST_OFFSET}; go deeper by the cursor of the page before")
        place = Cursor.parse(after) if after else None
        if wanted.text:
            return await self._search(wanted, place, limit=limit, offset=offset)
        asked, values = _ordered(wanted, place, most=limit + 1 + offset)
        rows = await self._read(asked.limit(limit + 1).offset(offset), values)
        return Page(rows[:limit], rows[limit - 1].cursor if len(rows) > limit else None)

    async def row(self, row_id: int) -> Recorded | None:
        """Return one row."""
        found = await self._read(_rows().where(audit.c.id == row_id))
        return found[0] if found else None

    async def since(self, row_id: int, *, limit: int = MOST_AT_ONCE) -> Sequence[Recorded]:
        """Return the rows that were written after that one, in the order in which they were: for whoever follows."""
        return await self._read(_rows().where(audit.c.id > row_id).order_by(audit.c.id).limit(limit))

    async def last_id(self) -> int:
        """Return the id of the newest row; 0 when there was never one."""
        async with self._database.unit_of_work(read_only=True) as connection:
            return await connection.scalar(select(func.max(audit_streams.c.last_id))) or 0

    async def total(self, wanted: Filter = Filter()) -> Total:
        """Return how many rows there are: exactly without a filter, up to 10 000 with one."""
        async with self._database.unit_of_work(read_only=True) as connection:
            if wanted == Filter():
                return Total(int(await connection.scalar(select(func.sum(audit_streams.c.rows))) or 0))
            matching = [*wanted.conditions(), *([_has_text(wanted.text)] if wanted.text else [])]
            window = select(audit.c.id).where(*matching).limit(MOST_COUNTED + 1)
            if wanted.text:
                newest = _places(wanted, None).limit(MOST_SEARCHED).subquery()
                window = select(audit.c.id).join(newest, newest.c.id == audit.c.id).where(_has_text(wanted.text))
                window = window.limit(MOST_COUNTED + 1)
            count = await connection.scalar(select(func.count()).select_from(window.subquery())) or 0
        return Total(min(count, MOST_COUNTED), more=count > MOST_COUNTED)

    async def counts(
        self, actions: Sequence[EventName], *, since: datetime, until: datetime
    ) -> Mapping[EventName, int]:
        """Return how many rows of each action there are from `since` till before `until`; without what has none."""
        conditions = Filter(actions=actions, since=since, until=until).conditions()
        asked = select(audit.c.action, func.count()).where(*conditions).group_by(audit.c.action)
        async with self._database.unit_of_work(read_only=True) as connection:
            return {row[0]: row[1] for row in await connection.execute(asked)}

    async def everything(self, wanted: Filter = Filter()) -> AsyncIterator[Recorded]:
        """Give every row that the filter lets through, newest first, a few thousand read at a time."""
        place: Cursor | None = None
        while True:
            asked, values = _ordered(wanted, place, most=EXPORTED_AT_ONCE)
            rows = await self._read(asked.limit(EXPORTED_AT_ONCE), values)
            for row in rows:
                yield row
            if len(rows) < EXPORTED_AT_ONCE:
                return
            place = Cursor(rows[-1].at, rows[-1].id)

    async def _search(self, wanted: Filter, place: Cursor | None, *, limit: int, offset: int) -> Page:
        """Look through a bounded number of rows; a page may be short, or empty, and still go on."""
        looked_at = _places(wanted, place).limit(MOST_SEARCHED).subquery()
        last = select(looked_at.c.at, looked_at.c.id).order_by(looked_at.c.at, looked_at.c.id).limit(1)
        found = _rows().join(looked_at, looked_at.c.id == audit.c.id).where(_has_text(wanted.text or ""))
        rows = await self._read(_newest_first(found).limit(limit + 1).offset(offset))
        if len(rows) > limit:
            return Page(rows[:limit], rows[limit - 1].cursor)
        async with self._database.unit_of_work(read_only=True) as connection:
            count = await connection.scalar(select(func.count()).select_from(looked_at))
            end = (await connection.execute(last)).first() if count == MOST_SEARCHED else None
        return Page(rows, str(Cursor(end.at, end.id)) if end else None)

    async def _read(self, asked: Select[Any], values: Mapping[str, Any] = MappingProxyType({})) -> list[Recorded]:
        async with self._database.unit_of_work(read_only=True) as connection:
            return [_recorded(row) for row in await connection.execute(asked, values)]


def _rows() -> Select[Any]:
    known = (users.c.id.label("known_id"), users.c.name.label("known_name"), users.c.email.label("known_email"))
    return select(*(audit.c[name] for name in SHOWN), *known).select_from(
        audit.outerjoin(users, users.c.id == audit.c.person)
    )


def _newest_first(asked: Select[Any]) -> Select[Any]:
    return asked.order_by(audit.c.at.desc(), audit.c.id.desc())


def _places(wanted: Filter, place: Cursor | None) -> Select[Any]:
    """Ask for the places of what the filter, but for its text, lets through."""
    return _newest_first(select(audit.c.at, audit.c.id).where(*wanted.conditions(), *_older(place)))


def _ordered(wanted: Filter, after: Cursor | None, *, most: int) -> tuple[Select[Any], Values]:
    """Ask for rows, of which no more than `most` are looked at in the end; with the values of what is asked."""
    values: Values = {"most": most}
    times = Filter(since=wanted.since, until=wanted.until)
    if wanted.about is not None:
        others, actions = replace(wanted, about=None), 0
        values |= {"who": wanted.about, "whom": f"user:{wanted.about}"}
        if wanted.text:
            return _by_ways(ABOUT, _rest(others, after)), values
    elif 1 < len(set(wanted.actions)) <= MOST_ACTIONS and wanted == replace(times, actions=wanted.actions):
        others, actions = times, len(set(wanted.actions))
        values |= {f"action_{number}": name for number, name in enumerate(sorted(set(wanted.actions)))}
    else:
        return _newest_first(_rows().where(*_rest(wanted, after))), {}
    given, place = _given(others), {"at": after.at, "id": after.id} if after else {}
    made = _made(actions, tuple(given), stream=wanted.stream, goes_on=after is not None)
    return made, values | given | place


def _given(wanted: Filter) -> Values:
    """Return the values of BY_NAME."""
    found = {name: value for name in (*EQUAL, "since", "until") if (value := getattr(wanted, name)) is not None}
    if not wanted.actions:
        return found
    return found | ({"actions": wanted.actions} if wanted.actions[1:] else {"action": wanted.actions[0]})


@lru_cache(maxsize=256)
def _made(actions: int, given: tuple[str, ...], *, stream: Stream | None, goes_on: bool) -> Select[Any]:
    """Ask for what is about somebody, or for so many actions: made once, which takes longer than the database does."""
    ways = of_actions(actions) if actions else ABOUT
    return _by_ways(ways, conditions(given, stream=stream, goes_on=goes_on))


def _by_ways(ways: Ways, having: Sequence[ColumnElement[bool]]) -> Select[Any]:
    wanted = merged(ways, having)
    return _rows().join(wanted, wanted.c.id == audit.c.id).order_by(wanted.c.at.desc(), wanted.c.id.desc())


def _rest(wanted: Filter, after: Cursor | None) -> list[ColumnElement[bool]]:
    return [*wanted.conditions(), *_older(after), *([_has_text(wanted.text)] if wanted.text else [])]


def _ways(person: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """Return in which ways a row is about somebody: they did it, or it was done to them."""
    return audit.c.person == person, audit.c.resource == f"user:{person}"


def _older(place: Cursor | None) -> list[ColumnElement[bool]]:
    if place is None:
        return []
    begin = tuple_(literal(place.at, audit.c.at.type), literal(place.id, audit.c.id.type))
    return [tuple_(audit.c.at, audit.c.id) < begin]


def _has_text(text: str) -> ColumnElement[bool]:
    columns = ("label", "resource", "reason", "correlation_id", "uti", "details")
    return or_(*(audit.c[name].icontains(text, autoescape=True) for name in columns))


def _recorded(row: Sequence[Any]) -> Recorded:
    *values, known_id, name, email = row
    details = values[DETAILS]
    values[DETAILS] = json.loads(details) if details else {}
    values.append(Known(known_id, name, email) if known_id else None)
    return Recorded(*values)
