"""Which sessions have ended, whether or not the store still knows: a server that fails over may forget an end.

Redis acknowledges before its replica has heard, and starts again from what it last wrote down. An end that is lost so
would let a stolen cookie in again. Ends are therefore also written into a ledger that loses nothing, and every worker
reads it again and again; a look-up costs one question to a dictionary more.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.logs import log

OVERLAP = 15.0  # seconds: what was noted earlier may be committed later than what was noted after it
FORGOTTEN_AT_ONCE = 5000  # lines, by each worker, each time that all is read anew
ALL_ANEW_EVERY = 120  # readings; for whatever an overlap cannot cover, such as another server's clock


class Ended(Protocol):
    """One line of the ledger."""

    @property
    def key(self) -> bytes:
        """The session, as the store calls it."""
        ...

    @property
    def until(self) -> datetime:
        """When the session would have ended by itself: from then on nobody need remember it."""
        ...

    @property
    def noted_at(self) -> float:
        """By the ledger's own clock, in seconds."""
        ...


class Ledger(Protocol):
    """What loses nothing that it has acknowledged; each method raises StoreUnavailable when it does not answer."""

    async def note(self, ended: Mapping[bytes, datetime]) -> None:
        """Write down that these sessions have ended, and until when to remember it."""
        ...

    async def noted(self, *, since: float, living_at: datetime) -> Sequence[Ended]:
        """Return what was noted at or after `since`, and must be remembered still."""
        ...

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Forget at most `limit` that need not be remembered any more, by its own clock too; return how many."""
        ...


class EndedSessions:
    """What one worker knows of the ledger."""

    def __init__(self, ledger: Ledger, *, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock
        self._known: dict[bytes, datetime] | None = None
        self._pending: dict[bytes, datetime] = {}
        self._latest = 0.0
        self._readings = 0

    def has(self, key: bytes) -> bool:
        """Say whether this session has ended; StoreUnavailable while nothing is known, for then nobody can say."""
        if self._known is None:
            raise StoreUnavailable("which sessions have ended is not known: the users' database has not answered yet")
        return key in self._known

    async def note(self, ended: Mapping[bytes, datetime]) -> None:
        """Write down what the store has deleted. It never fails: what cannot be noted now is noted later."""
        if not ended:
            return
        self._pending |= ended
        if self._known is not None:
            self._known |= ended
        try:
            await self._note_pending()
        except StoreUnavailable as error:
            log.warning("end_not_noted_yet", sessions=len(self._pending), reason=str(error))

    async def refresh(self) -> None:
        """Note what waits, and read what others have noted; StoreUnavailable when the ledger does not answer."""
        await self._note_pending()
        now, all_anew = self._clock(), self._known is None or self._readings % ALL_ANEW_EVERY == 0
        since = 0.0 if all_anew else self._latest - OVERLAP
        lines = await self._ledger.noted(since=since, living_at=now)
        known = self._known or {}
        if all_anew:
            await self._ledger.forget(before=now, limit=FORGOTTEN_AT_ONCE)
            known = {key: until for key, until in known.items() if until > now}
        known |= {line.key: line.until for line in lines} | self._pending
        self._known = known
        self._latest = max((line.noted_at for line in lines), default=self._latest)
        self._readings += 1

    async def _note_pending(self) -> None:
        if pending := dict(self._pending):
            await self._ledger.note(pending)
            self._pending = {key: until for key, until in self._pending.items() if key not in pending}
