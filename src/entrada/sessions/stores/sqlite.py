"""Sessions in one SQLite file, shared by any number of processes of one machine.

Reads go by primary key over one open connection on the event loop, which takes microseconds in WAL mode; writes go
over another connection on a worker thread, one at a time, and are on the disk when they return.
"""

import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.sessions.stores.sqlite_file import OpenFile, open_file, unavailable
from entrada.sessions.stores.store import CLOCK_SLACK, Index, Resealed, Stored
from entrada.sqlite_files import WRITE_PATIENCE, transaction

T = TypeVar("T")

GET = "SELECT record, version FROM session WHERE key = ?"
GET_TOKENS = "SELECT tokens, t.version FROM session_tokens t JOIN session USING (key) WHERE key = ? AND expires_at > ?"
REPLACE = (
    "UPDATE session SET record = ?, version = version + 1, expires_at = ?"
    " WHERE key = ? AND version = ? AND expires_at > ?"
)
REPLACE_TOKENS = (
    "UPDATE session_tokens SET tokens = ?, version = version + 1 WHERE key = ? AND version = ?"
    " AND EXISTS (SELECT 1 FROM session s WHERE s.key = session_tokens.key AND s.expires_at > ?)"
)
RESEAL = "UPDATE session SET record = ? WHERE key = ? AND version = ?"
RESEAL_TOKENS = "UPDATE session_tokens SET tokens = ? WHERE key = ? AND version = ?"
INDEX = "UPDATE session_index SET user = ?, sid = ?, due_at = ? WHERE key = ?"
POSTPONE = "UPDATE session_index SET due_at = ? WHERE key = ?"
BY_USER = (
    "SELECT key, record, version FROM session_index JOIN session USING (key) WHERE user = ? AND expires_at > ? LIMIT ?"
)
BY_SID = "SELECT key FROM session_index JOIN session USING (key) WHERE sid = ? AND expires_at > ?"
DUE = (
    "SELECT key FROM session_index JOIN session USING (key) WHERE due_at < ? AND expires_at > ? ORDER BY due_at LIMIT ?"
)
FREE_LEASE = "DELETE FROM lease WHERE name = ? AND (until <= ? OR until > ? OR holder = ?)"
TAKE_LEASE = "INSERT INTO lease (name, holder, until) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING RETURNING fence"
EXTEND_LEASE = "UPDATE lease SET until = ? WHERE name = ? AND holder = ? AND until > ?"
SWEEP = tuple(
    f"DELETE FROM {table} WHERE {key} IN (SELECT {key} FROM {table} WHERE {end} <= ? LIMIT ?)"  # noqa: S608
    for table, key, end in (
        ("session", "key", "expires_at"),
        ("spent", "key", "expires_at"),
        ("lease", "name", "until"),
    )
)
ADD_IF_ABSENT = (
    "INSERT INTO spent VALUES (?, ?)"
    " ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE spent.expires_at <= ?"
)
SCAN = (
    "SELECT key, record, session.version, tokens, t.version FROM session JOIN session_tokens t USING (key)"
    " WHERE key > ? AND expires_at > ? ORDER BY key LIMIT ?"
)
STILL_THERE = 0.5  # seconds until somebody who reads looks again whether the file is the one that was opened
MOST_SEEN = 4096  # records of about 600 bytes
SCANNED_AT_ONCE = 200  # a few milliseconds and about a megabyte


class SqliteStore:
    """A SessionStore in one file. What it has acknowledged outlives kill -9 and, with an honest disk, a power cut."""

    def __init__(self, path: Path, *, clock: Clock, patience: float = WRITE_PATIENCE) -> None:
        """Name the file; `patience` is how many seconds a write waits for others here, and as long for other processes.

        Nothing is opened yet: SQLite wants no open file carried across a fork, and an application may never start.
        """
        self._clock = clock
        self._path = path.absolute()
        self._head: bytes | None = None
        self._seen: dict[bytes, Stored] = {}  # records as they are while nobody has changed anything
        self._there_until = 0.0
        self._patience = patience
        self._turn = anyio.Lock()
        self._thread = anyio.CapacityLimiter(1)

    @cached_property
    def _file(self) -> OpenFile:
        return open_file(self._path, patience=self._patience)

    async def prepare(self) -> None:
        """Open the file, which otherwise its first use does; SettingsRefused when it cannot be used."""
        _ = self._file

    async def get(self, key: bytes) -> Stored | None:
        """Return the record, or None when there is none; never suspends.

        What was read since the last change by anybody need not be read again.
        """
        self._see_that_it_is_there()
        head = self._file.index.head()  # before the statement: what is changed between them is read again the next time
        if head is None or head != self._head:
            self._seen, self._head = {}, head
        stored = self._seen.get(key)
        if stored is None and (stored := self._read(GET, (key,))) and len(self._seen) < MOST_SEEN:
            self._seen[key] = stored
        return stored

    async def get_tokens(self, key: bytes) -> Stored | None:
        """Return the tokens of a session that is there and has not expired; never suspends."""
        return self._read(GET_TOKENS, (key, self._clock().timestamp()))

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
        """Add a session with both parts at version 1 and delete those it replaces, in one transaction."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany("DELETE FROM session WHERE key = ?", [(old,) for old in replacing])
                connection.execute("INSERT INTO session VALUES (?, 1, ?, ?)", (key, expires_at.timestamp(), record))
                connection.execute("INSERT INTO session_tokens VALUES (?, 1, ?)", (key, tokens))
                connection.execute(INDEX, _columns(index, key))

        await self._write(work)

    async def replace(self, key: bytes, *, record: bytes, version: int, expires_at: datetime) -> bool:
        """Put a new record in place of `version`; False when that is not the present one."""
        values = (record, expires_at.timestamp(), key, version, self._clock().timestamp())
        return await self._write(lambda connection: connection.execute(REPLACE, values).rowcount) == 1

    async def replace_tokens(self, key: bytes, *, tokens: bytes, version: int, due_at: datetime | None) -> bool:
        """Put new tokens in place of `version`; False when that is not the present one."""
        values = (tokens, key, version, self._clock().timestamp())

        def work(connection: sqlite3.Connection) -> bool:
            with transaction(connection):
                replaced = connection.execute(REPLACE_TOKENS, values).rowcount == 1
                if replaced:
                    connection.execute(POSTPONE, (_seconds(due_at), key))
                return replaced

        return await self._write(work)

    async def reseal(self, rows: Sequence[Resealed]) -> None:
        """Put these parts in place of those of the same versions, in one transaction."""
        records = [(row.record[0], row.key, row.record[1]) for row in rows if row.record]
        tokens = [(row.tokens[0], row.key, row.tokens[1]) for row in rows if row.tokens]

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany(RESEAL, records)
                connection.executemany(RESEAL_TOKENS, tokens)

        await self._write(work)

    async def delete(self, keys: Sequence[bytes]) -> None:
        """Delete these sessions, both parts, in one transaction."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany("DELETE FROM session WHERE key = ?", [(key,) for key in keys])

        await self._write(work)

    async def index(self, indexes: Mapping[bytes, Index]) -> None:
        """Let these sessions be found by this, in one transaction."""

        def work(connection: sqlite3.Connection) -> None:
            with transaction(connection):
                connection.executemany(INDEX, [_columns(index, key) for key, index in indexes.items()])

        await self._write(work)

    async def by_user(self, user: bytes, *, limit: int) -> list[tuple[bytes, Stored]]:
        """Return key and record of at most `limit` living sessions of this user; never suspends."""
        rows = self._read_all(BY_USER, (user, self._clock().timestamp(), limit))
        return [(key, (record, version)) for key, record, version in rows]

    async def by_sid(self, sid: bytes) -> list[bytes]:
        """Return the keys of the living sessions of this `sid`; never suspends."""
        return [key for (key,) in self._read_all(BY_SID, (sid, self._clock().timestamp()))]

    async def due(self, *, before: datetime, limit: int) -> list[bytes]:
        """Return the keys of at most `limit` living sessions due before then, soonest first; never suspends."""
        return [key for (key,) in self._read_all(DUE, (before.timestamp(), self._clock().timestamp(), limit))]

    async def postpone(self, key: bytes, *, due_at: datetime | None) -> None:
        """Let the session be due then."""
        await self._write(lambda connection: connection.execute(POSTPONE, (_seconds(due_at), key)).rowcount)

    async def take_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> int | None:
        """Hold `name` alone for `lifetime`, of all processes; None when somebody else does."""
        now = self._clock()
        latest = (now + lifetime + CLOCK_SLACK).timestamp()

        def work(connection: sqlite3.Connection) -> int | None:
            with transaction(connection):
                connection.execute(FREE_LEASE, (name, now.timestamp(), latest, holder))
                row = connection.execute(TAKE_LEASE, (name, holder, (now + lifetime).timestamp())).fetchone()
                return row[0] if row else None

        return await self._write(work)

    async def extend_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> bool:
        """Hold it for `lifetime` from now; False when it was lost."""
        now = self._clock()
        values = ((now + lifetime).timestamp(), name, holder, now.timestamp())
        return await self._write(lambda connection: connection.execute(EXTEND_LEASE, values).rowcount) == 1

    async def drop_lease(self, name: bytes, *, holder: bytes) -> None:
        """Let go of a lease, if this holder has it."""
        drop = "DELETE FROM lease WHERE name = ? AND holder = ?"
        await self._write(lambda connection: connection.execute(drop, (name, holder)).rowcount)

    async def add_if_absent(self, key: bytes, *, lifetime: timedelta) -> bool:
        """Remember `key` for `lifetime`; True for exactly one caller of any process until it is forgotten."""
        now = self._clock()
        values = (key, (now + lifetime).timestamp(), now.timestamp())
        return await self._write(lambda connection: connection.execute(ADD_IF_ABSENT, values).rowcount) == 1

    async def delete_expired(self, *, limit: int) -> int:
        """Delete at most `limit` of what has expired, of each kind; short transactions let others write between."""
        now = self._clock().timestamp()

        def work(connection: sqlite3.Connection) -> int:
            with transaction(connection):
                return sum(connection.execute(sweep, (now, limit)).rowcount for sweep in SWEEP)

        return await self._write(work)

    async def scan(self) -> AsyncIterator[tuple[bytes, Stored, Stored]]:
        """Give key, record and tokens of each living session, in the order of their keys."""
        after = b""
        while rows := self._read_all(SCAN, (after, self._clock().timestamp(), SCANNED_AT_ONCE)):
            for key, record, version, tokens, tokens_version in rows:
                yield key, (record, version), (tokens, tokens_version)
            after = rows[-1][0]
            await anyio.lowlevel.checkpoint()

    async def close(self) -> None:
        """Wait for the last write and let go of the file."""
        async with self._turn:
            if "_file" in vars(self):
                self._file.close()

    def _read(self, query: str, values: tuple[bytes | float, ...]) -> Stored | None:
        self._see_that_it_is_there()
        try:
            row: Stored | None = self._file.cursor.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise unavailable(error) from None
        return row

    def _read_all(self, query: str, values: tuple[bytes | float, ...]) -> list[tuple[Any, ...]]:
        self._see_that_it_is_there()
        try:
            return self._file.reader.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise unavailable(error) from None

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do the work on a worker thread when it is our turn; a caller that is cancelled meanwhile still waits."""

        opened = self._file

        def run() -> T:
            self._check_it_is_there(opened.inode)
            try:
                return work(opened.writer)
            except sqlite3.Error as error:
                raise unavailable(error) from None

        try:
            with anyio.fail_after(self._patience):
                await self._turn.acquire()
        except TimeoutError:
            raise StoreUnavailable("session store: too many writes are waiting") from None
        try:
            return await anyio.to_thread.run_sync(run, limiter=self._thread)
        finally:
            self._turn.release()

    def _see_that_it_is_there(self) -> None:
        """Refuse, within a moment, to read a file that was removed or exchanged: others end sessions elsewhere."""
        if time.monotonic() >= self._there_until:
            self._check_it_is_there(self._file.inode)
            self._there_until = time.monotonic() + STILL_THERE

    def _check_it_is_there(self, inode: int) -> None:
        """Refuse to write into a file that was removed or exchanged under us: other processes would not see it."""
        try:
            if self._path.stat().st_ino == inode:
                return
        except OSError:
            pass
        raise StoreUnavailable(
            "session store: the file was removed or exchanged; restart to open the one that is there"
        )


def _columns(index: Index, key: bytes) -> tuple[bytes, bytes | None, float | None, bytes]:
    return index.user, index.sid, _seconds(index.due_at), key


def _seconds(time: datetime | None) -> float | None:
    return time.timestamp() if time else None
