"""Reading the log: pages, newest first, of all or of what a filter lets through; what came since; counts by time.

Rows are in the order of their time, then id, and a page begins where the one before it ended (keyset), so page 18 000
costs what the first one does. Each filter but the text has an index in that order.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from entrada.audit import statements
from entrada.audit.filters import Cursor, Filter
from entrada.audit.looking import Looking
from entrada.audit.recorded import Recorded, recorded
from entrada.events import EventName
from entrada.users.database import Database
from entrada.users.tables import audit, audit_streams

MOST_AT_ONCE = 500  # rows of a page
MOST_OFFSET = 10_000  # rows that a page may be told to skip; who wants to go deeper goes on by a cursor
LOOKS_AT = 25_000  # rows; a tenth of a second, or two
MOST_COUNTED = 1_000  # rows that a filter's count goes to; ten times as many take longer than the page
EXPORTED_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, newest first; `next` is where older ones begin, None when there are none.

    Where several filters meet, a page may be short, or empty, and still go on: `looked_until` then says to which time
    it has looked.
    """

    rows: Sequence[Recorded]
    next: str | None
    looked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows there are; when `more`, at least so many."""

    rows: int
    more: bool = False


class AuditLog:
    """Reads the log of one users' database. Every method raises StoreUnavailable when that does not answer."""

    def __init__(self, database: Database, *, looks_at: int = LOOKS_AT) -> None:
        """Read this database; a page looks at so many rows where several filters meet, or hardly more."""
        self._database = database
        self._looks_at = looks_at

    async def page(
        self, wanted: Filter = Filter(), *, limit: int = 50, after: str | None = None, offset: int = 0
    ) -> Page:
        """Return the newest rows, or those that are older than the cursor `after`.

        ValueError for a cursor that is none, a limit beyond 500 or an offset beyond 10 000.
        """
        return await self._page(wanted, _place(limit, after, offset), limit, skipped=offset)

    async def page_and_total(
        self, wanted: Filter = Filter(), *, limit: int = 50, after: str | None = None, offset: int = 0
    ) -> tuple[Page, Total]:
        """Return a page as `page` does, and how many rows there are in all as `total` does, at the same moment."""
        place = _place(limit, after, offset)

        def work(connection: Connection) -> tuple[Page, Total]:
            looking = Looking(connection, wanted, place)
            page = self._found(looking, limit, skipped=offset)
            if page.next is None and place is None and not offset:
                return page, Total(len(page.rows))
            total = _total(connection, wanted, looking if place is None else Looking(connection, wanted))
            return page, Total(max(total.rows, len(page.rows)), more=total.more)

        return await self._database.read_at_once(work)

    async def row(self, row_id: int) -> Recorded | None:
        """Return one row."""
        found = await self._read(statements.one_row(), {"id": row_id})
        return found[0] if found else None

    async def since(self, row_id: int, *, limit: int = MOST_AT_ONCE) -> Sequence[Recorded]:
        """Return the rows that were written after that one, in the order in which they were: for whoever follows."""
        return await self._read(statements.rows_since(), {"id": row_id, "most": limit})

    async def last_id(self) -> int:
        """Return the id of the newest row; 0 when there was never one."""
        asked = select(func.max(audit_streams.c.last_id))
        return await self._database.read_at_once(lambda connection: connection.scalar(asked)) or 0

    async def total(self, wanted: Filter = Filter()) -> Total:
        """Return how many rows there are: exactly without a filter, up to 1 000 with one.

        Where several meet no more than 250 rows are looked at.
        """
        return await self._database.read_at_once(
            lambda connection: _total(connection, wanted, Looking(connection, wanted))
        )

    async def counts(
        self, actions: Sequence[EventName], *, since: datetime, until: datetime
    ) -> Mapping[EventName, int]:
        """Return how many rows of each action there are from `since` till before `until`; without what has none."""
        found = audit.c.action.in_(actions), audit.c.at >= since, audit.c.at < until
        asked = select(audit.c.action, func.count()).where(*found).group_by(audit.c.action)
        rows = await self._database.read_at_once(lambda connection: connection.execute(asked).all())
        return {row[0]: row[1] for row in rows}

    async def everything(self, wanted: Filter = Filter()) -> AsyncIterator[Recorded]:
        """Give every row that the filter lets through, newest first, a few thousand read at a time."""
        place: Cursor | None = None
        while True:
            page = await self._page(wanted, place, EXPORTED_AT_ONCE)
            for row in page.rows:
                yield row
            if page.next is None:
                return
            place = Cursor.parse(page.next)

    async def _page(self, wanted: Filter, place: Cursor | None, limit: int, *, skipped: int = 0) -> Page:
        def work(connection: Connection) -> Page:
            return self._found(Looking(connection, wanted, place), limit, skipped=skipped)

        return await self._database.read_at_once(work)

    async def _read(self, asked: Select[Any], values: Mapping[str, Any]) -> list[Recorded]:
        return await self._database.read_at_once(
            lambda connection: list(map(recorded, connection.execute(asked, values)))
        )

    def _found(self, looking: Looking, limit: int, *, skipped: int = 0) -> Page:
        """Return up to `limit` rows, of what a bounded number of them lets be found."""
        rows = list[Recorded]()
        for stretch in looking.stretches(self._looks_at):
            begun = stretch
            if skipped and (there := looking.number(stretch, most=skipped)):
                skipped -= there
                begun = replace(stretch, newest=looking.last_place(stretch, most=there))
            if not skipped:
                rows += looking.rows(begun, most=limit + 1 - len(rows))
            if len(rows) > limit:
                return Page(rows[:limit], rows[limit - 1].cursor)
        return Page(rows, None) if stretch.is_last else Page(rows, str(stretch.oldest), stretch.oldest.at)


def _place(limit: int, after: str | None, offset: int) -> Cursor | None:
    if not 1 <= limit <= MOST_AT_ONCE:
        raise ValueError(f"limit: from 1 to {MOST_AT_ONCE}")
    if not 0 <= offset <= MOST_OFFSET:
        raise ValueError(f"offset: from 0 to {MOST_OFFSET}; go deeper by the cursor of the page before")
    return Cursor.parse(after) if after else None


def _total(connection: Connection, wanted: Filter, looking: Looking) -> Total:
    if wanted == Filter():
        return Total(int(connection.scalar(select(func.sum(audit_streams.c.rows))) or 0))
    stretch = next(looking.stretches())
    rows = looking.number(stretch, most=MOST_COUNTED + 1)
    return Total(min(rows, MOST_COUNTED), more=rows > MOST_COUNTED or not stretch.is_last)
