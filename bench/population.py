"""Many people signed in: sessions by number, in every store, sealed and signed as the application does it.

The store's own `insert` makes the first; the others are written in bulk, in the same layout, because a million inserts
that each wait for a disk or a server take a quarter of an hour. `filled` proves by look-ups that the two are alike.
"""

import base64
import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from bench.signed_in import PERSON
from bench.sizes import size
from entrada.keyring import KeyRing
from entrada.sessions import held
from entrada.sessions.held import HeldTokens
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.names import Names
from entrada.sessions.record import SessionRecord, encode
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores import redis_scripts, sqlite
from entrada.sessions.stores.redis_parts import packed
from entrada.sessions.stores.store import Index, SessionStore

DAY = timedelta(days=1)
SHORT = timedelta(hours=2)
EVERY = 200  # one session in so many lives for two hours only, and is there to be swept
BATCH = 2_000
BY_INSERT = size(1_000, 3)
TOKENS = 5_500  # bytes: what MSAL's cache of one person has
FEW_TOKENS = 500  # of those beyond the first 100 000: a million times 5.5 kB is not what is measured
WITH_ALL_TOKENS = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """One session as a store takes it."""

    key: bytes
    record: bytes = field(repr=False)
    tokens: bytes = field(repr=False)
    expires_at: datetime
    index: Index


class Population:
    """Everybody, by number. Session `n` is due a second after the one before."""

    def __init__(self, ring: KeyRing, *, now: datetime) -> None:
        self._sealer = Sealer(ring)
        self._names = Names(ring)
        self._active = ring.active.id
        self._now = now
        self._noise = os.urandom(1 << 20)
        self._due_from = now + timedelta(minutes=30)

    def session_id(self, number: int) -> str:
        """Return the id that this session's cookie would hold."""
        return base64.urlsafe_b64encode(blake2b(number.to_bytes(8, "big"), digest_size=32).digest())[:43].decode()

    def key(self, number: int) -> bytes:
        """Return what the store calls this session."""
        return self._names.keys(self.session_id(number))[0]

    def lasting(self, number: int) -> int:
        """Return this number, or the next of a session that lives for a day."""
        return number if number % EVERY else number + 1

    def due_at(self, number: int) -> datetime:
        """Return when this session's tokens want renewal: so many are due before it."""
        return self._due_from + timedelta(seconds=number)

    def row(self, number: int) -> Row:
        """Return one session."""
        key, seconds = self.key(number), int(self._now.timestamp())
        expires_at = self._now + (DAY if number % EVERY else SHORT)
        record = SessionRecord(
            user=PERSON,
            created_at=seconds,
            last_seen_at=seconds,
            idle_expires_at=int(expires_at.timestamp()),
            expires_at=int(expires_at.timestamp()),
            found_by=self._active,
        )
        size, start = TOKENS if number < WITH_ALL_TOKENS else FEW_TOKENS, number % (1 << 19)
        blob = held.encode(HeldTokens(self._noise[start : start + size]))
        return Row(
            key=key,
            record=self._sealer.sign(encode(record), purpose="session-record", bound_to=key),
            tokens=self._sealer.seal(blob, purpose="session-tokens", bound_to=(key, PERSON.key.encode())),
            expires_at=expires_at,
            index=Index(
                user=blake2b(number.to_bytes(8, "big"), digest_size=32, person=b"user").digest(),
                sid=None,
                due_at=self.due_at(number),
            ),
        )


Bulk = Callable[[Sequence[Row]], Awaitable[None]]


async def filled(
    store: SessionStore, sessions: Sessions, people: Population, numbers: range, *, bulk: Bulk, title: str
) -> None:
    """Put these sessions into the store, and look some of them up; RuntimeError when one is not found."""
    single = range(numbers.start, min(numbers.stop, BY_INSERT))
    for row in map(people.row, single):
        await store.insert(row.key, record=row.record, tokens=row.tokens, expires_at=row.expires_at, index=row.index)
    for batch in _batches(range(numbers.start + len(single), numbers.stop)):
        await bulk([people.row(number) for number in batch])
        print(f"\r  {title}: {batch[-1] + 1:,} sessions", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    for number in (numbers.start, numbers[len(numbers) // 2], numbers[-1]):
        session = await sessions.load(people.session_id(number))
        if session is None or await sessions.tokens(session) is None:
            raise RuntimeError(f"{title}: session {number} is not there")


def _batches(numbers: range) -> Iterator[range]:
    for start in range(numbers.start, numbers.stop, BATCH):
        yield range(start, min(start + BATCH, numbers.stop))


def into_store(store: SessionStore) -> Bulk:
    """Insert one by one: for a store that nothing is faster for."""

    async def bulk(rows: Sequence[Row]) -> None:
        for row in rows:
            await store.insert(
                row.key, record=row.record, tokens=row.tokens, expires_at=row.expires_at, index=row.index
            )

    return bulk


def into_sqlite(path: str) -> Bulk:
    """Write a batch in one transaction that does not wait for the disk."""

    async def bulk(rows: Sequence[Row]) -> None:
        ordered = sorted(rows, key=lambda row: row.key)
        values = [(row.key, row.expires_at.timestamp(), row.record) for row in ordered]
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.executescript("PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO session (key, version, expires_at, record) VALUES (?, 1, ?, ?)", values)
            connection.executemany(
                "INSERT INTO session_tokens VALUES (?, 1, ?)", [(row.key, row.tokens) for row in ordered]
            )
            connection.executemany(sqlite.INDEX, [(row.index.user, None, _due(row), row.key) for row in ordered])
            connection.execute("COMMIT")

    return bulk


def into_redis(client: Any) -> Bulk:
    """Run the store's own scripts, a batch of them on one way."""

    async def bulk(rows: Sequence[Row]) -> None:
        insert, enter = await client.script_load(redis_scripts.INSERT), await client.script_load(redis_scripts.ENTER)
        pipeline = client.pipeline(transaction=False)
        for row in rows:
            ends, left = row.expires_at.timestamp(), _milliseconds(row.expires_at - datetime.now(UTC))
            parts = [packed(part, 1) for part in (row.record, row.tokens)]
            user, key = row.index.user, row.key.hex()
            pipeline.evalsha(enter, 1, f"entrada:user:{user.hex()}", ends, row.key, left + _milliseconds(DAY))
            pipeline.evalsha(insert, 1, f"entrada:session:{key}", *parts, ends, user, b"", left)
            pipeline.evalsha(enter, 1, "entrada:due", _due(row), row.key, _milliseconds(90 * DAY))
        await pipeline.execute()

    return bulk


def into_postgres(connection: Any) -> Bulk:
    """Copy a batch into both tables in one transaction."""
    session = ("key", "version", "expires_at", "record", "user_hash")
    tokens = ("key", "version", "tokens", "due_at")

    async def bulk(rows: Sequence[Row]) -> None:
        ordered = sorted(rows, key=lambda row: row.key)
        people = [(row.key, 1, row.expires_at, row.record, row.index.user) for row in ordered]
        theirs = [(row.key, 1, row.tokens, row.index.due_at) for row in ordered]
        async with connection.transaction():
            await connection.copy_records_to_table("entrada_session", records=people, columns=session)
            await connection.copy_records_to_table("entrada_session_tokens", records=theirs, columns=tokens)

    return bulk


def _due(row: Row) -> float:
    return row.index.due_at.timestamp() if row.index.due_at else 0.0


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
