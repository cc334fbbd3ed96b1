"""Time as an argument: nothing in the library asks the machine for the time but the functions here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

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


def in_seconds(clock: Clock) -> Callable[[], float]:
    """Return what tells the time of this clock in seconds since 1970, without a datetime where none is needed."""
    if isinstance(clock, Steady):
        return clock.seconds
    return time.time if clock is system_clock else lambda: clock().timestamp()
