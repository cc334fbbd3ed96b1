"""How many of something in how long: `50/hour`, and whether one more fits. Pure rules; the time is an argument.

Counting is by sliding windows: those of the running window, and of the one before as many as its share that still
reaches into the last `seconds`. So nobody gets twice the quota by asking at the end of one window and the start of the
next, and three numbers are all that is held of a window.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
TEXT = re.compile(r"([1-9][0-9]{0,8})/(second|minute|hour|day)")
FIELDS = 3
"""What is held of one window: its number since 1970, what came in it, and what came in the one before."""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `quota` within `seconds`."""

    quota: int
    seconds: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> "Rate":
        """Return the rate of a text such as `50/hour`; ValueError for any other."""
        match = TEXT.fullmatch(text)
        if match is None:
            raise ValueError(text)
        return cls(int(match[1]), UNITS[match[2]], match[2])

    def times(self, factor: int) -> "Rate":
        """Return this rate, so many times as generous."""
        return Rate(self.quota * factor, self.seconds, self.unit)


Counts = list[int]
"""What is held of one client: FIELDS numbers for each rate."""


def nothing(rates: Sequence[Rate]) -> Counts:
    """Return the counts of somebody who has not come yet."""
    return [0] * (FIELDS * len(rates))


def spend(counts: Counts, rates: Sequence[Rate], *, now: float, cost: int = 1) -> bool:
    """Count `cost` more, if all rates have room for it; say whether they had. A negative cost gives back."""
    for place, rate in enumerate(rates):
        if cost > 0 and _used(counts, place, rate, now) + cost > rate.quota:
            return False
    for place in range(len(rates)):
        counts[FIELDS * place + 1] = max(0, counts[FIELDS * place + 1] + cost)
    return True


def left(counts: Counts, rates: Sequence[Rate], *, now: float) -> list[int]:
    """Return how many more each rate has room for."""
    return [max(0, int(rate.quota - _used(counts, place, rate, now))) for place, rate in enumerate(rates)]


def wait(counts: Counts, rates: Sequence[Rate], *, now: float) -> int:
    """Return after how many seconds one more fits, at least one."""
    waits = [_wait(counts, place, rate, now) for place, rate in enumerate(rates)]
    return max(1, math.ceil(max(waits)))


def _used(counts: Counts, place: int, rate: Rate, now: float) -> float:
    """Return how many came within the last `seconds`, having moved the window on to now."""
    at, seconds = FIELDS * place, rate.seconds
    number = int(now // seconds)
    if counts[at] != number:
        counts[at + 2] = counts[at + 1] if counts[at] == number - 1 else 0
        counts[at], counts[at + 1] = number, 0
    before = counts[at + 2]
    return counts[at + 1] + before * (1 - now % seconds / seconds) if before else counts[at + 1]


def _wait(counts: Counts, place: int, rate: Rate, now: float) -> float:
    if _used(counts, place, rate, now) + 1 <= rate.quota:
        return 0.0
    came, before = counts[FIELDS * place + 1], counts[FIELDS * place + 2]
    passed = now % rate.seconds
    if came + 1 <= rate.quota:  # the window before slides out while this one runs
        return rate.seconds * (1 - (rate.quota - 1 - came) / before) - passed
    return rate.seconds - passed + rate.seconds * (1 - (rate.quota - 1) / came)
