"""Where the next page of people begins, as it is written into its address."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from entrada.users.place import LONGEST_PLACE, Order, Place

SOMEBODY = UUID("aa9ba0ad-0000-4000-8000-0123456789ab")
NAME = "\N{GRINNING FACE}" * 256  # the longest that a name may be


@pytest.mark.parametrize(
    ("order", "value"),
    [("newest", datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)), ("last_seen", datetime(1970, 1, 1, tzinfo=UTC)),
     ("name", ""), ("name", NAME), ("name", "o'Brien \N{LATIN SMALL LETTER E WITH ACUTE}")],
)  # fmt: skip
def test_a_place_is_read_as_it_was_written(order: Order, value: datetime | str) -> None:
    """Whatever a person's column had, exactly, in characters that an address takes."""
    place = Place(order, value, SOMEBODY)
    assert Place.parse(str(place), order=order) == place
    assert len(str(place)) <= LONGEST_PLACE


@pytest.mark.parametrize("written", [
    "", "x", str(SOMEBODY), f"newest.{'f' * 15}.{SOMEBODY.hex}", f"newest..{SOMEBODY.hex}", f"newest.-1.{SOMEBODY.hex}",
    f"newest.1.{SOMEBODY.hex[1:]}", f"newest.1.{SOMEBODY.hex}\n", f"oldest.1.{SOMEBODY.hex}",
    f"newest.٣.{SOMEBODY.hex}",
    f"name.AA.{SOMEBODY.hex}", f"name.A.{SOMEBODY.hex}", f"name._w.{SOMEBODY.hex}", f"name.{'YQ' * 800}.{SOMEBODY.hex}",
], ids=ascii)  # fmt: skip
def test_what_is_no_place_of_this_order_is_refused(written: str) -> None:
    """Of another order, too long, or not ours: a NUL and half a character among it."""
    with pytest.raises(ValueError, match="after: "):
        Place.parse(written, order="name" if written.startswith("name") else "newest")
