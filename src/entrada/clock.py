"""Time as an argument: nothing in the library asks the machine for the time but the functions here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

AGREES_WITHIN = 5.0  # seconds that a clock may have drifted apart from the monotonic one since it jumped ahead
MOST_JUMPS = 8  # that are remembered

Clock = Callable[[], datetime]
"""Gives the present time, aware and in UTC."""


def system_clock() -> datetime:
    """Return the machine's present time, in UTC."""
    return datetime.now(UTC)


class Steady:
    """A clock that does not follow another back: when that is set back, this one goes on from where it was.

    For lifetimes that nobody may lengthen by setting a clock (REL-046). It holds as long as the process runs.
    """

    __slots__ = ("_at", "_monotonic", "_reached", "_told")

    def __init__(self, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._told = in_seconds(clock)
        self._monotonic = monotonic
        self._reached, self._at = self._told(), monotonic()

    def __call__(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.fromtimestamp(self.seconds(), UTC)

    def seconds(self) -> float:
        """Return the time in seconds since 1970."""
        told, passed = self._told(), self._monotonic()
        since = self._reached + (passed - self._at)
        if told < since:
            return since
        self._reached, self._at = told, passed
        return told


class Corrected(Steady):
    """The same, but what jumped ahead and jumps back to where it would be now was wrong in between: that is followed.

    Else a worker whose clock was a day ahead for a minute would sign everybody out until it is started again.
    """

    __slots__ = ("_ahead", "_before_jumps")

    def __init__(self, clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock, monotonic=monotonic)
        self._ahead = self._reached - self._at  # of the monotonic clock
        self._before_jumps: list[float] = []

    def seconds(self) -> float:
        """Return the time in seconds since 1970."""
        told, passed = self._told(), self._monotonic()
        ahead = told - passed
        if ahead < self._ahead:
            before = [each for each in self._before_jumps if abs(ahead - each) <= AGREES_WITHIN]
            if not before:
                return passed + self._ahead
            del self._before_jumps[self._before_jumps.index(before[0]) :]
        elif ahead > self._ahead + AGREES_WITHIN:
            self._before_jumps = [*self._before_jumps[1 - MOST_JUMPS :], self._ahead]
        self._ahead = ahead
        return told


def in_seconds(clock: Clock) -> Callable[[], float]:
    """Return what tells the time of this clock in seconds since 1970, without a datetime where none is needed."""
    if isinstance(clock, Steady):
        return clock.seconds
    return time.time if clock is system_clock else lambda: clock().timestamp()
