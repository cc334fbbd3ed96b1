"""A server that does not answer is not asked by everybody: whoever comes is told at once, and one at a time tries."""

import time
from collections.abc import Callable

from entrada.errors import StoreUnavailable

FAILURES = 5  # one after the other; a single broken connection says nothing of the server
PAUSE = 0.5  # seconds between two tries: the service is back that soon after the server


class Circuit:
    """Open while the server does not answer. What it answers, if only to refuse, is an answer."""

    def __init__(self, *, failures: int = FAILURES, now: Callable[[], float] = time.monotonic) -> None:
        self._most = failures
        self._now = now
        self._failures = 0
        self._closed_until = 0.0

    def enter(self) -> None:
        """Let a caller through; StoreUnavailable while the server does not answer and somebody has just tried."""
        if self._failures < self._most:
            return
        now = self._now()
        if now < self._closed_until:
            raise StoreUnavailable("session store: did not answer lately, and is not asked by each request meanwhile")
        self._closed_until = now + PAUSE  # whoever comes next waits for what this one finds

    def answered(self) -> None:
        """Note that the server answers."""
        self._failures = 0

    def failed(self) -> None:
        """Note that it did not."""
        self._failures += 1
        if self._failures >= self._most:
            self._closed_until = self._now() + PAUSE
