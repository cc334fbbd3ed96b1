"""How often something may be done in this process: in bursts up to a number, and steadily at a rate."""

from entrada.clock import Clock
from entrada.errors import TooMany


class Pace:
    """A bucket that fills at `per_second` up to `burst`."""

    def __init__(self, *, per_second: float, burst: int, clock: Clock) -> None:
        self._per_second = per_second
        self._burst = burst
        self._clock = clock
        self._left = float(burst)
        self._at = clock().timestamp()

    def take(self) -> None:
        """Take one; TooMany when none is left."""
        now = self._clock().timestamp()
        self._left = min(self._burst, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = now
        if self._left < 1:
            raise TooMany("more than this process takes", retry_after=1)
        self._left -= 1
