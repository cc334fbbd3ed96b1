"""A place in a list of people: where the page after begins, whoever is still there by then."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from entrada.users.person import Person
from entrada.users.tables import EPOCH, MICROSECOND

Order = Literal["newest", "oldest", "name", "last_seen"]
ORDERS: Mapping[Order, tuple[str, bool]] = {
    "newest": ("created_at", True),
    "oldest": ("created_at", False),
    "name": ("name", False),
    "last_seen": ("last_sign_in_at", True),
}
"""The column of each order, and whether it begins with the greatest."""
LONGEST_PLACE = 1_500  # characters: a name has 256, each of which may be four bytes
WRITTEN = re.compile(r"([a-z_]{1,9})\.([0-9A-Za-z_-]*)\.([0-9a-f]{32})", re.ASCII)
TIME = re.compile(r"[0-9a-f]{1,14}", re.ASCII)  # microseconds, till the year 4253


@dataclass(frozen=True, slots=True)
class Place:
    """Behind one person in one order, as they stood there when the page was read."""

    order: Order
    value: datetime | str
    """What the order's column had."""
    id: UUID

    @classmethod
    def of(cls, person: Person, order: Order) -> "Place":
        """Return the place behind this person."""
        return cls(order, getattr(person, ORDERS[order][0]), person.id)

    def __str__(self) -> str:
        return f"{self.order}.{_written(self.value)}.{self.id.hex}"

    @classmethod
    def parse(cls, written: str, *, order: Order) -> "Place":
        """Read what `str` has written of this order; ValueError for anything else."""
        found = WRITTEN.fullmatch(written) if len(written) <= LONGEST_PLACE else None
        if found is None or found[1] != order:
            raise ValueError("after: not the `next` of a page in this order")
        return cls(order, _name(found[2]) if order == "name" else _time(found[2]), UUID(found[3]))


def _written(value: datetime | str) -> str:
    if isinstance(value, datetime):
        return f"{(value - EPOCH) // MICROSECOND:x}"
    return urlsafe_b64encode(value.encode()).rstrip(b"=").decode()


def _time(written: str) -> datetime:
    if not TIME.fullmatch(written):
        raise ValueError("after: has no time")
    return EPOCH + int(written, 16) * MICROSECOND


def _name(written: str) -> str:
    try:
        name = urlsafe_b64decode(written + "=" * (-len(written) % 4)).decode()
    except ValueError:  # what base64 and UTF-8 do not take
        raise ValueError("after: has no name") from None
    if "\0" in name:  # which PostgreSQL does not take
        raise ValueError("after: has no name")
    return name
