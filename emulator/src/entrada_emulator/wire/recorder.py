"""The requests the emulator received, for tests to look at through the control API, and for the flow inspector."""

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

from entrada_emulator.faults import EndpointName
from entrada_emulator.inspector.notes import Notes

KEPT = 1000  # a long demonstration must not grow without end
KEPT_BYTES = 32_000_000  # nor may a thousand requests as large as they may be


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a request came: its number in this run, and the seconds since the start, which no moved clock changes."""

    number: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How a request was answered."""

    status: int
    seconds: float
    """When the answer was complete, as in `Arrival`."""
    location: str = field(default="", repr=False)
    cookies: tuple[str, ...] = field(default=(), repr=False)
    """The `Set-Cookie` headers."""
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the token and the device code endpoint said; of others nothing is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One request and how it was answered. Values are in clear: they belong to emulated people."""

    at: datetime
    endpoint: EndpointName
    method: str
    path: str
    query: dict[str, str] = field(repr=False)
    form: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    arrival: Arrival
    answered: Answered
    notes: Notes = field(repr=False)
    size: int
    """Bytes that it takes, about."""

    @property
    def status(self) -> int:
        """The status of the answer."""
        return self.answered.status


class Recorder:
    """The latest requests, and how many there were per endpoint."""

    def __init__(self, *, stopwatch: Callable[[], float] = time.monotonic) -> None:
        self._requests: deque[Recorded] = deque()
        self._bytes = 0
        self._numbers = count(1)
        self._stopwatch = stopwatch
        self._began = stopwatch()
        self.counts: Counter[str] = Counter()
        self.changes = 0
        """Grows with whatever is recorded or forgotten: somebody who looks knows by it that there is news."""

    def arrival(self) -> Arrival:
        """The number and the moment of a request that has just come."""
        return Arrival(next(self._numbers), self.seconds())

    def seconds(self) -> float:
        """The seconds since the start."""
        return self._stopwatch() - self._began

    def add(self, request: Recorded) -> None:
        """Keeps one; the oldest make room."""
        self._requests.append(request)
        self._bytes += request.size
        self.counts[request.endpoint] += 1
        self.changes += 1
        while len(self._requests) > KEPT or (self._bytes > KEPT_BYTES and len(self._requests) > 1):
            self._bytes -= self._requests.popleft().size

    def requests(self, endpoint: str | None = None) -> tuple[Recorded, ...]:
        """The requests, oldest first, of one endpoint or of all."""
        return tuple(r for r in self._requests if endpoint in {None, r.endpoint})

    def clear(self) -> None:
        """Forgets them and the counts."""
        self._requests.clear()
        self._bytes = 0
        self.counts.clear()
        self.changes += 1
