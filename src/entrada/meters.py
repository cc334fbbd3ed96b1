"""What is counted while it happens: whole numbers by a word of ours, and how long things took.

Adding is all that the one who counts does; `entrada.web.monitoring.metrics` reads when somebody asks. Words are a
closed set, or at most a hundred: whatever comes beyond is counted as `other`, so that no stranger can fill memory or
a dashboard.
"""

import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

OTHER = "other"
MOST_WORDS = 100
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0)
"""The bounds of waits: from what nobody notices to the longest that anything here waits."""


class Counts:
    """How often each of some words was counted; those in `known` begin at 0, and when `closed` there are no others."""

    def __init__(self, known: Iterable[str] = (), *, closed: bool = True) -> None:
        self._counts = dict.fromkeys(known, 0)
        self._closed = closed

    def add(self, word: str) -> None:
        """Count one."""
        if word not in self._counts and (self._closed or len(self._counts) >= MOST_WORDS):
            word = OTHER
        self._counts[word] = self._counts.get(word, 0) + 1

    @property
    def read(self) -> Mapping[str, int]:
        """The counts as they are now."""
        return dict(self._counts)


class Waits:
    """How long something took, in seconds, counted by bounds; each bound includes itself."""

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(self.bounds) + 1)
        self.total = 0.0
        """All of them together, in seconds."""

    def add(self, seconds: float) -> None:
        """Count one wait."""
        self._counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    @property
    def counts(self) -> tuple[int, ...]:
        """How many were no longer than each bound and longer than the one before; the last: longer than any."""
        return tuple(self._counts)

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count how long the block takes, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(time.monotonic() - began)
