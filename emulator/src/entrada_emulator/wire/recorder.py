"""The requests the emulator received, for tests to look at through the control API."""

from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime

from entrada_emulator.faults import EndpointName

KEPT = 1000  # a long demonstration must not grow without end


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
    status: int


class Recorder:
    """The latest requests, and how many there were per endpoint."""

    def __init__(self) -> None:
        self._requests: deque[Recorded] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()

    def add(self, request: Recorded) -> None:
        """Keeps one."""
        self._requests.append(request)
        self.counts[request.endpoint] += 1

    def requests(self, endpoint: str | None = None) -> tuple[Recorded, ...]:
        """The requests, oldest first, of one endpoint or of all."""
        return tuple(r for r in self._requests if endpoint in {None, r.endpoint})

    def clear(self) -> None:
        """Forgets them and the counts."""
        self._requests.clear()
        self.counts.clear()
