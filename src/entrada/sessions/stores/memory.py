"""Sessions in this process's memory: for development and tests; a restart forgets them all."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import islice

from entrada.clock import Clock
from entrada.sessions.stores.store import CLOCK_SLACK, Index, Resealed, Stored


@dataclass(frozen=True, slots=True)
class _Entry:
    record: Stored = field(repr=False)
    tokens: Stored = field(repr=False)
    expires_at: datetime
    index: Index


@dataclass(frozen=True, slots=True)
class _Lease:
    holder: bytes = field(repr=False)
    until: datetime


class MemoryStore:
    """A SessionStore of one process and one event loop: no method suspends, so each is atomic."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[bytes, _Entry] = {}
        self._spent: dict[bytes, datetime] = {}
        self._leases: dict[bytes, _Lease] = {}
        self._fence = 0

    async def prepare(self) -> None:
        """Nothing is needed."""

    async def get(self, key: bytes) -> Stored | None:
        """Return the record, or None when there is none."""
        entry = self._sessions.get(key)
        return entry.record if entry else None

    async def get_tokens(self, key: bytes) -> Stored | None:
        """Return the tokens of a session that is there and has not expired."""
        entry = self._living(key)
        return entry.tokens if entry else None

    async def insert(
        self,
        key: bytes,
        *,
        record: bytes,
        tokens: bytes,
        expires_at: datetime,
        index: Index,
        replacing: Sequence[bytes] = (),
    ) -> None:
        """Add a session with both parts at version 1 and delete those it replaces."""
        for old in replacing:
            self._sessions.pop(old, None)
        self._sessions[key] = _Entry(record=(record, 1), tokens=(tokens, 1), expires_at=expires_at, index=index)

    async def replace(self, key: bytes, *, record: bytes, version: int, expires_at: datetime) -> bool:
        """Put a new record in place of `version`; False when that is not the present one."""
        entry = self._living(key)
        if entry is None or entry.record[1] != version:
            return False
        self._sessions[key] = replace(entry, record=(record, version + 1), expires_at=expires_at)
        return True

    async def replace_tokens(self, key: bytes, *, tokens: bytes, version: int, due_at: datetime | None) -> bool:
        """Put new tokens in place of `version`; False when that is not the present one."""
        entry = self._living(key)
        if entry is None or entry.tokens[1] != version:
            return False
        index = replace(entry.index, due_at=due_at)
        self._sessions[key] = replace(entry, tokens=(tokens, version + 1), index=index)
        return True

    async def reseal(self, rows: Sequence[Resealed]) -> None:
        """Put these parts in place of those of the same versions."""
        for row in rows:
            if entry := self._sessions.get(row.key):
                record = row.record if row.record and row.record[1] == entry.record[1] else entry.record
                tokens = row.tokens if row.tokens and row.tokens[1] == entry.tokens[1] else entry.tokens
                self._sessions[row.key] = replace(entry, record=record, tokens=tokens)

    async def delete(self, keys: Sequence[bytes]) -> None:
        """Delete these sessions, both parts."""
        for key in keys:
            self._sessions.pop(key, None)

    async def index(self, indexes: Mapping[bytes, Index]) -> None:
        """Let these sessions be found by this."""
        for key, index in indexes.items():
            if entry := self._sessions.get(key):
                self._sessions[key] = replace(entry, index=index)

    async def by_user(self, user: bytes, *, limit: int) -> list[tuple[bytes, Stored]]:
        """Return key and record of at most `limit` living sessions of this user."""
        found = ((key, entry.record) for key, entry in self._all_living() if entry.index.user == user)
        return list(islice(found, limit))

    async def by_sid(self, sid: bytes) -> list[bytes]:
        """Return the keys of the living sessions of this `sid`."""
        return [key for key, entry in self._all_living() if entry.index.sid == sid]

    async def due(self, *, before: datetime, limit: int) -> list[bytes]:
        """Return the keys of at most `limit` living sessions due before then, soonest first."""
        due = [(at, key) for key, entry in self._all_living() if (at := entry.index.due_at) and at < before]
        return [key for _, key in nsmallest(limit, due)]

    async def postpone(self, key: bytes, *, due_at: datetime | None) -> None:
        """Let the session be due then."""
        if entry := self._sessions.get(key):
            self._sessions[key] = replace(entry, index=replace(entry.index, due_at=due_at))

    async def take_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> int | None:
        """Hold `name` alone for `lifetime`; None when somebody else does."""
        now, lease = self._clock(), self._leases.get(name)
        if lease and now < lease.until <= now + lifetime + CLOCK_SLACK and lease.holder != holder:
            return None
        self._leases[name] = _Lease(holder, now + lifetime)
        self._fence += 1
        return self._fence

    async def extend_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> bool:
        """Hold it for `lifetime` from now; False when it was lost."""
        now, lease = self._clock(), self._leases.get(name)
        if lease is None or lease.holder != holder or lease.until <= now:
            return False
        self._leases[name] = _Lease(holder, now + lifetime)
        return True

    async def drop_lease(self, name: bytes, *, holder: bytes) -> None:
        """Let go of a lease, if this holder has it."""
        if (lease := self._leases.get(name)) and lease.holder == holder:
            del self._leases[name]

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
        self._leases = {name: lease for name, lease in self._leases.items() if now < lease.until}
        return len(sessions) + len(spent)

    async def scan(self) -> AsyncIterator[tuple[bytes, Stored, Stored]]:
        """Give key, record and tokens of each living session."""
        for key in tuple(self._sessions):
            if entry := self._living(key):
                yield key, entry.record, entry.tokens

    async def close(self) -> None:
        """Forget everything."""
        self._sessions.clear()
        self._spent.clear()
        self._leases.clear()

    def _living(self, key: bytes) -> _Entry | None:
        entry = self._sessions.get(key)
        return entry if entry and self._clock() < entry.expires_at else None

    def _all_living(self) -> Iterator[tuple[bytes, _Entry]]:
        now = self._clock()
        return ((key, entry) for key, entry in self._sessions.items() if now < entry.expires_at)
