"""Time as an argument: nothing in the library asks the machine for the time but the one function here."""

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the present time, aware and in UTC."""


def system_clock() -> datetime:
    """Return the machine's present time, in UTC."""
    return datetime.now(UTC)
