"""Who was found to be somebody lately, and how often they have come: a look-up and a subtraction for each request.

No session id and no token is held: a session is known by Python's hash of its id, which is keyed anew in each process,
a bearer token by its principal. Nobody gets in by being known here; it only says which limit counts.
"""

import time
from collections.abc import Callable, Hashable

from entrada.rates import Rate

MOST = 50_000  # in each of two halves, of about 200 bytes each: 20 MB at most


class Allowance:
    """What a caller has left, until it is used up; then it is looked whether its time is over."""

    __slots__ = ("left", "since")

    def __init__(self, left: int, since: float) -> None:
        self.left = left
        self.since = since


class Callers:
    """Allowances by caller, in bounded memory."""

    def __init__(self, rate: Rate, *, now: Callable[[], float] = time.monotonic, most: int = MOST) -> None:
        self._rate = rate
        self._now = now
        self._most = most
        self._young: dict[Hashable, Allowance] = {}
        self._old: dict[Hashable, Allowance] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def find(self, caller: Hashable) -> Allowance | None:
        """Return the allowance of a caller who is known. It is for whoever asks to take from it."""
        return self._young.get(caller) or self._found_again(caller)

    def add(self, caller: Hashable) -> Allowance:
        """Return the allowance of a caller who was found to be somebody."""
        found = self.find(caller)
        if found is None:
            found = Allowance(self._rate.quota, self._now())
            self._keep(caller, found)
        return found

    def forget(self, caller: Hashable) -> None:
        """Let go of a caller who is nobody any more."""
        self._young.pop(caller, None)
        self._old.pop(caller, None)

    def wait(self, allowance: Allowance) -> int:
        """Return 0 for an allowance that is whole again, having taken one; else the seconds until it will be."""
        now = self._now()
        left = allowance.since + self._rate.seconds - now
        if left > 0:
            return int(left) + 1
        allowance.left, allowance.since = self._rate.quota - 1, now
        return 0

    def _found_again(self, caller: Hashable) -> Allowance | None:
        found = self._old.pop(caller, None)
        if found is not None:
            self._keep(caller, found)
        return found

    def _keep(self, caller: Hashable, allowance: Allowance) -> None:
        if len(self._young) >= self._most:
            self._old, self._young = self._young, {}
        self._young[caller] = allowance
