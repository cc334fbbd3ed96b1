"""The emulator's clock: the real one, shifted by what the control API asked for."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def real_time() -> datetime:
    """The time of this machine, UTC."""
    return datetime.now(UTC)


class Clock:
    """Tells the emulator's time and can be moved; everything that expires asks it."""

    def __init__(self, real: Callable[[], datetime] = real_time) -> None:
        self._real = real
        self.offset = timedelta()

    def now(self) -> datetime:
        """The emulated time, aware, UTC."""
        return self._real() + self.offset

    def move(self, by: timedelta) -> None:
        """Shifts the emulated time; a negative value goes back."""
        self.offset += by

    def reset(self) -> None:
        """Goes back to the real time."""
        self.offset = timedelta()
