"""Which rows of the log are wanted, and between which places of it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from entrada.audit.rows import Stream
from entrada.events import EventName, Outcome
from entrada.users.spellings import spellings
from entrada.users.tables import EPOCH, MICROSECOND

EQUAL = ("correlation_id", "person", "address", "tenant_id", "outcome")
"""What is asked of a column by itself; each has an index."""
MOST_ACTIONS = 8  # each is looked for by itself; of more, some are frequent, and then the order of time finds them soon
CURSOR = re.compile(r"([0-9a-f]{1,14})-([0-9a-f]{1,15})", re.ASCII)  # till the year 4253; ids of 60 bits


@dataclass(frozen=True, slots=True, order=True)
class Cursor:
    """A place in the log; what is newer is greater."""

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


NEWEST = Cursor(datetime.max.replace(tzinfo=UTC), 1 << 60)
OLDEST = Cursor(datetime.min.replace(tzinfo=UTC), 0)


class Form(NamedTuple):
    """What a filter asks for, without the values: for each form there are statements, made once."""

    equal: tuple[str, ...] = ()
    about: bool = False
    actions: int = 0
    stream: Stream | None = None
    text: int = 0
    """In how many spellings."""

    @property
    def leads(self) -> tuple[str, ...]:
        """Return what there is an index of, each of which leads to all rows that are wanted, and others."""
        found = [*self.equal, *(["about"] if self.about else [])]
        if 1 <= self.actions <= MOST_ACTIONS:
            found.append("actions")
        if self.stream == "administration":  # the other one is nearly all of the log
            found.append("administration")
        return tuple(found) or ("time",)

    @property
    def is_led_to(self) -> bool:
        """Whether there is an index that leads to these rows and no others."""
        beside = self.text or self.stream == "activity" or self.actions > MOST_ACTIONS
        return len(self.leads) == 1 and not beside


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

    @property
    def form(self) -> Form:
        """Return the form, without `since` and `until`, which are places."""
        equal = tuple(name for name in EQUAL if getattr(self, name) is not None)
        return Form(equal, self.about is not None, len(set(self.actions)), self.stream, len(self._spellings))

    @property
    def values(self) -> dict[str, Any]:
        """Return the values that belong to the form, by the names that statements have for them."""
        found: dict[str, Any] = {name: value for name in EQUAL if (value := getattr(self, name)) is not None}
        found |= {f"action_{number}": name for number, name in enumerate(sorted(set(self.actions)))}
        if self.about is not None:
            found |= {"who": self.about, "whom": f"user:{self.about}"}
        return found | {f"text_{n}": re.sub(r"([/%_])", r"/\1", text) for n, text in enumerate(self._spellings)}

    @property
    def _spellings(self) -> tuple[str, ...]:
        return spellings(self.text) if self.text else ()

    def between(self, after: Cursor | None) -> tuple[Cursor, Cursor]:
        """Return where the wanted rows begin, which is not included, and the oldest place at which one may be."""
        newest = Cursor(self.until, 0) if self.until else NEWEST
        return min(newest, after or NEWEST), Cursor(self.since, 0) if self.since else OLDEST
