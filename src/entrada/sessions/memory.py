"""Sessions in this process's memory: for development and tests; a restart forgets them all."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice

from entrada.clock import Clock
from entrada.sessions.store import Stored


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Stored = field(repr=False)
    tokens: Stored = field(repr=False)
    expires_at: datetime


class MemoryStore:
    """A SessionStore of one process and one event loop: no method suspends, so each is atomic."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[bytes, _Entry] = {}
        self._spent: dict[bytes, datetime] = {}

    async def get(self, key: bytes) -> Stored | None:
        """Return the record, or None when there is none."""
        entry = self._sessions.get(key)
        return entry.record if entry else None

    async def get_tokens(self, key: bytes) -> Stored | None:
        """Return the tokens of a session that is there and has not expired."""
        entry = self._living(key)
        return entry.tokens if entry else None

    async def insert(
        self, key: bytes, *, record: bytes, tokens: bytes, expires_at: datetime, replacing: Sequence[bytes] = ()
    ) -> None:
        """Add a session with both parts at version 1 and delete those it replaces."""
        for old in replacing:
            self._sessions.pop(old, None)
        self._sessions[key] = _Entry(record=(record, 1), tokens=(tokens, 1), expires_at=expires_at)

    async def replace(self, key: bytes, *, record: bytes, version: int, expires_at: datetime) -> bool:
        """Put a new record in place of `version`; False when that is not the present one."""
        entry = self._living(key)
        if entry is None or entry.record[1] != version:
            return False
        self._sessions[key] = replace(entry, record=(record, version + 1), expires_at=expires_at)
        return True

    async def replace_tokens(self, key: bytes, *, tokens: bytes, version: int) -> bool:
        """Put new tokens in place of `version`; False when that is not the present one."""
        entry = self._living(key)
        if entry is None or entry.tokens[1] != version:
            return False
        self._sessions[key] = replace(entry, tokens=(tokens, version + 1))
        return True

    async def delete(self, keys: Sequence[bytes]) -> None:
        """Delete these sessions, both parts."""
        for key in keys:
            self._sessions.pop(key, None)

    async def add_if_absent(self, key: bytes, *, lifetime: timedelta) -> bool:
        """Remember `key` for `lifetime`; True for exactly one caller until it is forgotten."""
        now = self._clock()
        if key in self._spent and now < self._spent[key]:
            return False
        self._spent[key] = now + lifetime
        return True

    async def delete_expired(self, *, limit: int) -> int:
        """Delete at most `limit` of what has expired, of each kind, and return how many there were."""
        now = self._clock()
        sessions = list(islice((key for key, entry in self._sessions.items() if entry.expires_at <= now), limit))
        spent = list(islice((key for key, until in self._spent.items() if until <= now), limit))
        for key in sessions:
            del self._sessions[key]
        for key in spent:
            del self._spent[key]
        return len(sessions) + len(spent)

    async def scan(self) -> AsyncIterator[tuple[bytes, bytes, bytes]]:
        """Give key, record and tokens of each living session."""
        for key in tuple(self._sessions):
            if entry := self._living(key):
                yield key, entry.record[0], entry.tokens[0]

    async def close(self) -> None:
        """Forget everything."""
        self._sessions.clear()
        self._spent.clear()

    def _living(self, key: bytes) -> _Entry | None:
        entry = self._sessions.get(key)
        return entry if entry and self._clock() < entry.expires_at else None
