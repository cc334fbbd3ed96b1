"""Log lines that strangers can cause: at most so many of a kind in a minute; the rest is counted, and told in one line.

Without this, whoever sends refused requests all day writes our log all day: disks fill, and what matters drowns.
Metrics count each of them all the same.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from entrada.logs import log

Write = Callable[..., Any]

MOST = 20  # of a kind in a minute, in each worker: enough to see what is going on
MINUTE = 60.0
TELL_EVERY = timedelta(minutes=1)


class _Kind:
    __slots__ = ("left_out", "since", "written")

    def __init__(self, since: float) -> None:
        self.since = since
        self.written = 0
        self.left_out = 0


class PacedLines:
    """The lines of one worker. A kind is a word of ours out of a closed set, never anything of a request."""

    def __init__(self, now: Callable[[], float], *, most: int = MOST) -> None:
        self._now = now
        self._most = most
        self._kinds: dict[str, _Kind] = {}

    def write(self, write: Write, event: str, *, kind: str, **values: Any) -> None:
        """Write a line of this kind by `write`, a method of the logger, if this minute has room for it."""
        now = self._now()
        known = self._kinds.setdefault(kind, _Kind(now))
        if now - known.since >= MINUTE:
            self._begin_anew(kind, known, now)
        if known.written >= self._most:
            known.left_out += 1
            return
        known.written += 1
        write(event, **values)

    async def tell(self) -> None:
        """Say how many lines were left out in minutes that are over."""
        now = self._now()
        for kind, known in self._kinds.items():
            if now - known.since >= MINUTE:
                self._begin_anew(kind, known, now)

    def close(self) -> None:
        """Say how many were left out and not told yet."""
        for kind, known in self._kinds.items():
            self._begin_anew(kind, known, self._now())

    def _begin_anew(self, kind: str, known: _Kind, now: float) -> None:
        if known.left_out:
            log.warning("lines_left_out", kind=kind, number=known.left_out, seconds=round(now - known.since))
        known.since, known.written, known.left_out = now, 0, 0
