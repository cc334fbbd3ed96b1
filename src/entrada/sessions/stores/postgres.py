"""Sessions in PostgreSQL, for workers on any number of machines that have one anyway."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.sessions.stores.postgres_server import PostgresServer
from entrada.sessions.stores.store import CLOCK_SLACK, Index, Resealed, Stored
from entrada.store_url import StoreUrl

GET = "SELECT record, version FROM entrada_session WHERE key = $1"
GET_TOKENS = (
    "SELECT tokens, t.version FROM entrada_session_tokens t JOIN entrada_session USING (key)"
    " WHERE key = $1 AND expires_at > $2"
)
DELETE = "DELETE FROM entrada_session WHERE key = ANY($1)"
INSERT = (
    "INSERT INTO entrada_session (key, version, expires_at, record, user_hash, sid_hash) VALUES ($1, 1, $2, $3, $4, $5)"
)
INSERT_TOKENS = "INSERT INTO entrada_session_tokens (key, version, tokens, due_at) VALUES ($1, 1, $2, $3)"
REPLACE = (
    "UPDATE entrada_session SET record = $1, version = version + 1, expires_at = $2"
    " WHERE key = $3 AND version = $4 AND expires_at > $5"
)
REPLACE_TOKENS = (
    "UPDATE entrada_session_tokens t SET tokens = $1, version = version + 1, due_at = $2"
    " WHERE key = $3 AND version = $4"
    " AND EXISTS (SELECT 1 FROM entrada_session s WHERE s.key = t.key AND s.expires_at > $5)"
)
RESEAL = "UPDATE entrada_session SET record = $1 WHERE key = $2 AND version = $3"
RESEAL_TOKENS = "UPDATE entrada_session_tokens SET tokens = $1 WHERE key = $2 AND version = $3"
INDEX = "UPDATE entrada_session SET user_hash = $2, sid_hash = $3 WHERE key = $1"
POSTPONE = "UPDATE entrada_session_tokens SET due_at = $2 WHERE key = $1"
BY_USER = "SELECT key, record, version FROM entrada_session WHERE user_hash = $1 AND expires_at > $2 LIMIT $3"
BY_SID = "SELECT key FROM entrada_session WHERE sid_hash = $1 AND expires_at > $2"
DUE = (
    "SELECT key FROM entrada_session_tokens t JOIN entrada_session USING (key)"
    " WHERE due_at < $1 AND expires_at > $2 ORDER BY due_at LIMIT $3"
)
TAKE_LEASE = (
    "INSERT INTO entrada_lease AS held VALUES ($1, $2, clock_timestamp() + $3, nextval('entrada_fence'))"
    " ON CONFLICT (name) DO UPDATE"
    " SET holder = excluded.holder, until = excluded.until, fence = nextval('entrada_fence')"
    " WHERE held.until <= clock_timestamp() OR held.until > clock_timestamp() + $3 + $4"
    " OR held.holder = excluded.holder RETURNING fence"
)
EXTEND_LEASE = (
    "UPDATE entrada_lease SET until = clock_timestamp() + $3"
    " WHERE name = $1 AND holder = $2 AND until > clock_timestamp()"
)
DROP_LEASE = "DELETE FROM entrada_lease WHERE name = $1 AND holder = $2"
ADD_IF_ABSENT = (
    "INSERT INTO entrada_spent AS held VALUES ($1, $2)"
    " ON CONFLICT (key) DO UPDATE SET expires_at = excluded.expires_at WHERE held.expires_at <= $3"
)
SWEEP = tuple(  # an array, in the order of the index: otherwise the plan for all values reads the whole table
    f"DELETE FROM {table} WHERE key = ANY(ARRAY"  # noqa: S608
    f"(SELECT key FROM {table} WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED))"
    for table in ("entrada_session", "entrada_spent")
)
SWEEP_LEASES = (
    "DELETE FROM entrada_lease WHERE name = ANY(ARRAY"
    "(SELECT name FROM entrada_lease WHERE until <= now() ORDER BY until LIMIT $1 FOR UPDATE SKIP LOCKED))"
)
SCAN = (
    "SELECT key, record, s.version, tokens, t.version FROM entrada_session s JOIN entrada_session_tokens t USING (key)"
    " WHERE key > $1 AND expires_at > $2 ORDER BY key LIMIT $3"
)
SCANNED_AT_ONCE = 200


class PostgresStore:
    """A SessionStore in one database, for as many workers as it has connections for."""

    def __init__(self, url: StoreUrl, *, clock: Clock) -> None:
        """Connect to nothing yet."""
        self._server = PostgresServer(url)
        self._clock = clock

    async def prepare(self) -> None:
        """Bring the tables up; SettingsRefused when they are of a newer release."""
        await self._server.prepare()

    async def get(self, key: bytes) -> Stored | None:
        """Return the record, or None when there is none."""
        return await self._one(GET, key)

    async def get_tokens(self, key: bytes) -> Stored | None:
        """Return the tokens of a session that is there and has not expired."""
        return await self._one(GET_TOKENS, key, self._clock())

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

        async def work(connection: Any) -> None:
            async with connection.transaction():
                if replacing:
                    await connection.execute(DELETE, sorted(replacing))
                await connection.execute(INSERT, key, expires_at, record, index.user, index.sid)
                await connection.execute(INSERT_TOKENS, key, tokens, index.due_at)

        async def unless_done(connection: Any) -> None:
            """Do it, unless only the answer was lost: those replaced have ended, and nobody would have the new one."""
            if await connection.fetchrow(GET, key) != (record, 1):
                await work(connection)

        await self._server.run(work, after_loss=unless_done)

    async def replace(self, key: bytes, *, record: bytes, version: int, expires_at: datetime) -> bool:
        """Put a new record in place of `version`; False when that is not the present one."""
        return await self._changed(REPLACE, record, expires_at, key, version, self._clock())

    async def replace_tokens(self, key: bytes, *, tokens: bytes, version: int, due_at: datetime | None) -> bool:
        """Put new tokens in place of `version`; False when that is not the present one."""
        return await self._changed(REPLACE_TOKENS, tokens, due_at, key, version, self._clock())

    async def reseal(self, rows: Sequence[Resealed]) -> None:
        """Put these parts in place of those of the same versions, in one transaction."""
        ordered = sorted(rows, key=lambda row: row.key)
        records = [(row.record[0], row.key, row.record[1]) for row in ordered if row.record]
        tokens = [(row.tokens[0], row.key, row.tokens[1]) for row in ordered if row.tokens]

        async def work(connection: Any) -> None:
            async with connection.transaction():
                await connection.executemany(RESEAL, records)
                await connection.executemany(RESEAL_TOKENS, tokens)

        await self._server.run(work)

    async def delete(self, keys: Sequence[bytes]) -> None:
        """Delete these sessions, both parts, in one statement."""
        await self._changed(DELETE, sorted(keys))

    async def index(self, indexes: Mapping[bytes, Index]) -> None:
        """Let these sessions be found by this, in one transaction."""
        rows = sorted(indexes.items())

        async def work(connection: Any) -> None:
            async with connection.transaction():
                await connection.executemany(INDEX, [(key, index.user, index.sid) for key, index in rows])
                await connection.executemany(POSTPONE, [(key, index.due_at) for key, index in rows])

        await self._server.run(work)

    async def by_user(self, user: bytes, *, limit: int) -> list[tuple[bytes, Stored]]:
        """Return key and record of at most `limit` living sessions of this user."""
        rows = await self._all(BY_USER, user, self._clock(), limit)
        return [(key, (record, version)) for key, record, version in rows]

    async def by_sid(self, sid: bytes) -> list[bytes]:
        """Return the keys of the living sessions of this `sid`."""
        return [key for (key,) in await self._all(BY_SID, sid, self._clock())]

    async def due(self, *, before: datetime, limit: int) -> list[bytes]:
        """Return the keys of at most `limit` living sessions due before then, soonest first."""
        return [key for (key,) in await self._all(DUE, before, self._clock(), limit)]

    async def postpone(self, key: bytes, *, due_at: datetime | None) -> None:
        """Let the session be due then."""
        await self._changed(POSTPONE, key, due_at)

    async def take_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> int | None:
        """Hold `name` alone for `lifetime` by the server's clock; None when somebody else does."""
        fence: int | None = await self._server.run(
            lambda connection: connection.fetchval(TAKE_LEASE, name, holder, lifetime, CLOCK_SLACK)
        )
        return fence

    async def extend_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> bool:
        """Hold it for `lifetime` from now; False when it was lost."""
        return await self._changed(EXTEND_LEASE, name, holder, lifetime)

    async def drop_lease(self, name: bytes, *, holder: bytes) -> None:
        """Let go of a lease, if this holder has it."""
        await self._changed(DROP_LEASE, name, holder)

    async def add_if_absent(self, key: bytes, *, lifetime: timedelta) -> bool:
        """Remember `key` for `lifetime`; True for exactly one caller, on whichever worker, until it is forgotten."""
        now = self._clock()
        return await self._changed(ADD_IF_ABSENT, key, now + lifetime, now)

    async def delete_expired(self, *, limit: int) -> int:
        """Delete at most `limit` of what has expired, of each kind, passing by what another worker deletes."""
        now = self._clock()
        swept = sum([await self._count(sweep, now, limit) for sweep in SWEEP])
        return swept + await self._count(SWEEP_LEASES, limit)

    async def scan(self) -> AsyncIterator[tuple[bytes, Stored, Stored]]:
        """Give key, record and tokens of each living session, in the order of their keys."""
        after = b""
        while rows := await self._all(SCAN, after, self._clock(), SCANNED_AT_ONCE):
            for key, record, version, tokens, tokens_version in rows:
                yield key, (record, version), (tokens, tokens_version)
            after = rows[-1][0]

    async def close(self) -> None:
        """Let go of all connections."""
        await self._server.close()

    async def _one(self, query: str, *values: Any) -> Stored | None:
        row = await self._server.run(lambda connection: connection.fetchrow(query, *values), only_reads=True)
        if row is None:
            return None
        part, version = row
        if not isinstance(part, bytes) or not isinstance(version, int):
            raise StoreUnavailable("session store: PostgreSQL: a row is not ours")
        return part, version

    async def _all(self, query: str, *values: Any) -> list[Any]:
        rows: list[Any] = await self._server.run(lambda connection: connection.fetch(query, *values), only_reads=True)
        return rows

    async def _changed(self, statement: str, *values: Any) -> bool:
        return await self._count(statement, *values) == 1

    async def _count(self, statement: str, *values: Any) -> int:
        """Return how many rows a statement has changed."""
        status: str = await self._server.run(lambda connection: connection.execute(statement, *values))
        return int(status.rpartition(" ")[2])
