"""What happened in spans of time, in numbers: spans that are over are counted once, and again when they have changed.

A month of a million rows takes a second to count, so each worker remembers what it has counted. Nothing is out of date
for that: ids follow each other in the order of writing, so before an answer the rows that are new are looked at, and
each span into which one falls is forgotten. A span under way is always counted.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.clock import Clock
from entrada.events import EventName
from entrada.users.database import Database
from entrada.users.tables import audit, audit_streams

COUNTED: tuple[EventName, ...] = (
    "sign_in", "sign_in_failed", "step_up", "sign_out", "session_ended", "renewal_failed", "access_denied",
)  # fmt: skip
MOST_REMEMBERED = 20_000  # spans; some 500 bytes each
DAY = timedelta(days=1)
AHEAD = 29 * DAY  # what the overview shows first, without today
AHEAD_EVERY = timedelta(minutes=1)  # the first time as long after a worker's start; then it looks into a dictionary
MOST_FOLLOWED = 200_000  # new rows that are looked at; beyond, to count anew costs no more


class Between(NamedTuple):
    """A span of time; `end` is not in it."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted in one span."""

    counts: Mapping[EventName, int]
    """By what happened; what did not is left out."""
    people: int
    """How many different people did the first of the actions."""
    first_id: int | None
    """The oldest of the rows: while it is one of those that the log lets go of, the count is changing."""


class SpanCounts:
    """Counts what happens in one users' database. StoreUnavailable when it does not answer."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[tuple[str | None, Between], Count] = {}
        self._seen = 0
        self._one_at_a_time = asyncio.Lock()  # who comes meanwhile finds what the first has counted

    async def between(
        self, begin: datetime, until: datetime, *, every: timedelta, tenant_id: str | None
    ) -> Sequence[tuple[datetime, Count]]:
        """Return when each span begins, and its count, of one tenant or of all; the last may end early."""
        async with self._one_at_a_time, self._database.unit_of_work(read_only=True) as connection:
            await self._forget_what_changed(connection)
            spans = [Between(at, min(at + every, until)) for at in _steps(begin, until, every)]
            found = [(span.begin, await self._of(connection, span, every, tenant_id)) for span in spans]
            while len(self._known) > MOST_REMEMBERED:
                del self._known[next(iter(self._known))]
            return found

    async def ahead(self) -> None:
        """Count the month that is over, for whoever looks at it first; a day at a time, so that nobody waits for all.

        Nothing is asked for a day that is remembered.
        """
        today = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        for at in _steps(today - AHEAD, today, DAY):
            if (None, Between(at, at + DAY)) not in self._known:
                await self.between(at, at + DAY, every=DAY, tenant_id=None)

    async def _of(self, connection: AsyncConnection, span: Between, every: timedelta, tenant_id: str | None) -> Count:
        key = tenant_id, span
        count = self._known.get(key) or await self._count(connection, span, tenant_id)
        if span.end - span.begin == every and span.end <= self._clock():
            self._known[key] = count
        return count

    async def _forget_what_changed(self, connection: AsyncConnection) -> None:
        """Forget each span that has other rows than when it was counted: new ones, or some were let go.

        What an erasure blanks is nothing that is counted here.
        """
        heads = select(func.max(audit_streams.c.last_id), func.max(audit_streams.c.pruned_to))
        last_id, pruned_to = (await connection.execute(heads)).one()
        begin = await self._changed_since(connection, last_id or 0)
        self._known = {
            key: count
            for key, count in self._known.items()
            if (begin is None or key[1].end <= begin) and (count.first_id is None or count.first_id > pruned_to)
        }
        self._seen = last_id or 0

    async def _changed_since(self, connection: AsyncConnection, last_id: int) -> datetime | None:
        """Return the time from which on there may be changes; None when there are none."""
        if not 0 <= last_id - self._seen <= MOST_FOLLOWED:  # less than nothing: restored from a backup
            self._known.clear()
        if not self._known or last_id == self._seen:
            return None
        # By id, and so written: the least time of all could be looked for among the times, of all rows.
        new = select(audit.c.at).where(audit.c.id > self._seen).order_by(audit.c.id).limit(MOST_FOLLOWED).subquery()
        earliest: datetime | None = await connection.scalar(select(func.min(new.c.at)))
        return earliest

    async def _count(self, connection: AsyncConnection, span: Between, tenant_id: str | None) -> Count:
        within = [
            audit.c.at >= span.begin,
            audit.c.at < span.end,
            *([audit.c.tenant_id == tenant_id] if tenant_id else []),
        ]
        by_action = select(audit.c.action, func.count(), func.min(audit.c.id)).where(
            audit.c.action.in_(COUNTED), *within
        )
        rows = (await connection.execute(by_action.group_by(audit.c.action))).all()
        if not rows:
            return Count({}, 0, None)
        did = audit.c.action == COUNTED[0], audit.c.person.is_not(None)
        people = select(audit.c.person).where(*did, *within).distinct()
        number = await connection.scalar(select(func.count()).select_from(people.subquery()))
        return Count({row[0]: row[1] for row in rows}, number or 0, min(row[2] for row in rows))


def _steps(begin: datetime, until: datetime, every: timedelta) -> Iterator[datetime]:
    while begin < until:
        yield begin
        begin += every
