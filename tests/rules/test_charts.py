"""The console's charts are drawings of whole numbers, whatever these are."""

from datetime import UTC, datetime, timedelta

import pytest

from entrada.web.console.charts import HEIGHT, Chart, Series, nice

DAYS = [f"{datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=day):%-d %b}" for day in range(30)]


def chart(values: list[int | None], **more: object) -> Chart:
    return Chart("sign-ins", "Sign-ins", DAYS, [Series("Signed in", values)], **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 11, 99, 101, 999_999, 1_000_001])
def test_the_top_of_a_scale(most: int) -> None:
    """It reaches what there is, and its half is a whole number."""
    assert nice(most) >= most
    assert nice(most) % 2 == 0


def test_nothing_at_all() -> None:
    """A month without an event is an empty chart with a scale, and a table of noughts."""
    empty = chart([0] * 30)
    assert (list(empty.bars), empty.scale) == ([], ("2", "1", "0"))
    assert {value for _, (value,) in empty.rows} == {"0"}


def test_one_beside_a_million() -> None:
    """One event is seen, though another day had a million; numbers are in groups of three digits."""
    towering = chart([1] * 29 + [1_000_000])
    bars = list(towering.bars)
    assert len(bars) == 30
    assert min(bar.height for bar in bars) >= 1
    assert bars[-1].height == HEIGHT
    assert towering.scale[0] == "1\u202f000\u202f000"
    assert bars[-1].told == "30 Oct: 1\u202f000\u202f000 Signed in"


def test_what_is_not_known() -> None:
    """A line has a gap where nothing is known, and one span alone is as wide as it lasts."""
    broken = chart([None] * 10 + [5] + [None] * 17 + [1, 2], kind="line")
    assert list(broken.lines) == ["M100 16.67 L110 16.67", "M285 83.33 L295 66.67"]
    assert [values for _, values in broken.rows][2] == ["not known"]
    assert list(chart([None] * 30, kind="line").lines) == []
