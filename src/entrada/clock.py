"""Time as an argument: nothing in the library asks the machine for the time but the functions here."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Gives the present time, aware and in UTC."""


def system_clock() -> datetime:
    """Return the machine's present time, in UTC."""
    return datetime.now(UTC)


def steady(clock: Clock, *, monotonic: Callable[[], float] = time.monotonic) -> Clock:
    """Return a clock that does not follow `clock` back: when that is set back, this one goes on from where it was.

    For lifetimes that nobody may lengthen by setting a clock (REL-046). It holds as long as the process runs.
    """
    reached, at = clock(), monotonic()

    def now() -> datetime:
        nonlocal reached, at
        told, passed = clock(), monotonic()
        since = reached + timedelta(seconds=passed - at)
        if told < since:
            return since
        reached, at = told, passed
        return told

    return now
