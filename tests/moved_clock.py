"""A clock that tests move by hand."""

import mmap
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


def shared_clock(path: str) -> Callable[[], datetime]:
    """Return a clock that whoever writes the file moves: eight bytes, the seconds to add to the machine's time."""
    with Path(path).open("r+b") as file:
        offset = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    return lambda: datetime.now(UTC) + timedelta(seconds=struct.unpack("d", offset[:8])[0])
