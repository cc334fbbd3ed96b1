"""Looking for what a filter lets through, newest first, stretch by stretch, and never at too much at a time.

Where one index leads to the wanted rows and no others, there is one stretch. Where several filters meet, each index
leads to rows that the other filters refuse, and nobody knows beforehand how many: so each stretch goes by the index
that comes farthest back with the same number of rows. What one filter leaves out for long is leapt over so, and what
filters that have nothing in common let through in turns is looked at up to a number; then the page says so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from entrada.audit import statements
from entrada.audit.filters import Cursor, Filter
from entrada.audit.recorded import Recorded, recorded

FIRST = 250  # rows of the first stretch: enough for a page when a fifth of them fits
GROWTH = 8


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the log, and the index to go through it by."""

    lead: str
    newest: Cursor
    """What is older than this."""
    oldest: Cursor
    """From here on."""
    is_last: bool
    """Whether there is nothing beyond it."""


class Looking:
    """One look through the log for one filter, on a connection on which nothing changes meanwhile."""

    def __init__(self, connection: Connection, wanted: Filter, after: Cursor | None = None) -> None:
        self._connection = connection
        self._form = wanted.form
        self._values = wanted.values
        self._newest, self._oldest = wanted.between(after)
        self._first: Stretch | None = None

    def stretches(self, most: int = FIRST) -> Iterator[Stretch]:
        """Give one stretch after the other, until the log ends or `most` rows were looked at."""
        if self._form.is_led_to:
            yield Stretch(self._form.leads[0], self._newest, self._oldest, is_last=True)
            return
        rows, left = FIRST, most - FIRST
        stretch = self._first = self._first or self._farthest(self._newest, rows)
        yield stretch
        while left > 0 and not stretch.is_last:
            rows = min(rows * GROWTH, left, statements.LONGEST)
            left -= rows
            yield (stretch := self._farthest(stretch.oldest, rows))

    def rows(self, stretch: Stretch, *, most: int) -> list[Recorded]:
        """Return the newest rows of a stretch."""
        return list(map(recorded, self._asked(statements.rows, stretch, most)))

    def number(self, stretch: Stretch, *, most: int) -> int:
        """Return how many rows a stretch has, up to `most`."""
        return min(most, int(sum(self._asked(statements.number, stretch, most).one())))

    def last_place(self, stretch: Stretch, *, most: int) -> Cursor:
        """Return the place of the oldest of the newest rows of a stretch; there must be one."""
        return Cursor(*self._asked(statements.last_place, stretch, most).one())

    def _farthest(self, newest: Cursor, rows: int) -> Stretch:
        """Return the stretch that is gone through by looking at so many rows, or hardly more, which goes back most."""
        each = {f"rows_{ways}": max(1, rows // ways) - 1 for ways in range(1, 9)}
        reached: list[Cursor | None] = [None for _ in self._form.leads]
        values = self._values | _places(newest, self._oldest) | each
        for lead, at, row_id in self._connection.execute(statements.reach(self._form), values):
            reached[lead] = max(Cursor(at, row_id), reached[lead] or self._oldest)
        for lead, end in zip(self._form.leads, reached, strict=True):
            if end is None:
                return Stretch(lead, newest, self._oldest, is_last=True)
        end, lead = min(zip((end for end in reached if end), self._form.leads, strict=True))
        return Stretch(lead, newest, end, is_last=False)

    def _asked(self, statement: Any, stretch: Stretch, most: int) -> Any:
        fenced = self._connection.dialect.name == "postgresql" and not self._form.is_led_to
        values = self._values | _places(stretch.newest, stretch.oldest) | {"most": most}
        return self._connection.execute(statement(self._form, stretch.lead, fenced=fenced), values)


def _places(newest: Cursor, oldest: Cursor) -> dict[str, Any]:
    return {"newest_at": newest.at, "newest_id": newest.id, "oldest_at": oldest.at, "oldest_id": oldest.id}
