"""The way to PostgreSQL: a bounded pool, bounded statements, tables brought up once, and what may be tried again."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import chain
from typing import Any, TypeVar

import asyncpg

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.logs import log
from entrada.postgres_options import connect_options
from entrada.sessions.stores.circuit import Circuit
from entrada.store_url import StoreUrl

T = TypeVar("T")

CONNECTIONS = 10  # of one worker: PostgreSQL has a process for each, and a look-up holds one for half a millisecond
CONNECT_PATIENCE = 0.8  # seconds
STATEMENT_PATIENCE = 0.8
PATIENCE = 0.9  # seconds for a request's whole wait, so that it answers 503 within a second
TRIES = 4  # once, and three times more after a deadlock or a serialization failure
PAUSE = 0.02  # seconds at first, doubled each time, and a random part of it
BRING_UP_PATIENCE = 30.0  # seconds; another worker may be at it
LOCK = 0x656E7472616461  # "entrada": an advisory lock of our own
AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.ReadOnlySQLTransactionError)
FAULTS = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
NO_ANSWER = (asyncpg.PostgresConnectionError, OSError)
LOST = (
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what it says when a connection broke in the middle of an answer
    asyncpg.PostgresConnectionError,
    ConnectionError,
)
GONE = (*LOST, asyncpg.ReadOnlySQLTransactionError)
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE entrada_session (
            key bytea PRIMARY KEY, version bigint NOT NULL, expires_at timestamptz NOT NULL,
            record bytea NOT NULL, user_hash bytea NOT NULL, sid_hash bytea
        ) WITH (fillfactor = 85)""",
        "CREATE INDEX entrada_session_by_expiry ON entrada_session (expires_at)",
        "CREATE INDEX entrada_session_by_user ON entrada_session (user_hash)",
        "CREATE INDEX entrada_session_by_sid ON entrada_session (sid_hash) WHERE sid_hash IS NOT NULL",
        """CREATE TABLE entrada_session_tokens (
            key bytea PRIMARY KEY REFERENCES entrada_session (key) ON DELETE CASCADE,
            version bigint NOT NULL, tokens bytea NOT NULL, due_at timestamptz
        )""",
        "CREATE INDEX entrada_session_by_due ON entrada_session_tokens (due_at) WHERE due_at IS NOT NULL",
        "CREATE TABLE entrada_spent (key bytea PRIMARY KEY, expires_at timestamptz NOT NULL)",
        "CREATE INDEX entrada_spent_by_expiry ON entrada_spent (expires_at)",
        "CREATE SEQUENCE entrada_fence",
        """CREATE TABLE entrada_lease (
            name bytea PRIMARY KEY, holder bytea NOT NULL, until timestamptz NOT NULL, fence bigint NOT NULL
        )""",
        "CREATE INDEX entrada_lease_by_end ON entrada_lease (until)",
    ),
)
"""What brings the tables from one version to the next, oldest first: never changed once released, only added to."""


class PostgresServer:
    """Runs work on connections of one database."""

    def __init__(self, url: StoreUrl) -> None:
        self._url = url
        self._pool: Any = None
        self._opening = asyncio.Lock()
        self._circuit = Circuit()

    async def run(
        self,
        work: Callable[[Any], Awaitable[T]],
        *,
        only_reads: bool = False,
        after_loss: Callable[[Any], Awaitable[T]] | None = None,
    ) -> T:
        """Do the work, which must be one statement or one transaction, on a connection of the pool.

        Work that only reads waits for nobody: when it takes too long it is the server that does not answer.
        After a deadlock or a serialization failure it is done again: the database has undone it. So it is, by another
        connection, after a refusal to write, which a server that has become a replica answers. When the connection is
        lost, nobody knows whether it was done: then `after_loss` is, once, where it is given.
        """
        self._circuit.enter()
        try:
            async with asyncio.timeout(PATIENCE):
                done = await self._tried(work, after_loss)
        except TimeoutError:
            if only_reads:
                self._circuit.failed()
            raise StoreUnavailable("session store: PostgreSQL did not answer in time") from None
        except FAULTS as error:
            if isinstance(error, NO_ANSWER):
                self._circuit.failed()
            raise StoreUnavailable(f"session store: PostgreSQL: {said(error)}") from None
        self._circuit.answered()
        return done

    async def prepare(self) -> None:
        """Bring the tables up; a server that is down does not keep the application from starting."""
        try:
            async with asyncio.timeout(BRING_UP_PATIENCE):
                await self._opened()
        except (TimeoutError, *FAULTS) as error:
            log.warning("store_not_reached", reason=said(error))

    async def close(self) -> None:
        """Close all connections; those that do not end by themselves are cut."""
        if self._pool is not None:
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._pool.close()
            except (TimeoutError, *FAULTS):
                self._pool.terminate()

    async def _tried(self, work: Callable[[Any], Awaitable[T]], after_loss: Callable[[Any], Awaitable[T]] | None) -> T:
        for tried in range(1, TRIES):
            try:
                return await self._once(work)
            except LOST:
                if after_loss is None:
                    raise
                work, after_loss = after_loss, None
            except AGAIN:
                await asyncio.sleep(random.uniform(0, PAUSE * 2**tried))  # noqa: S311 no secret
        return await self._once(work)

    async def _once(self, work: Callable[[Any], Awaitable[T]]) -> T:
        pool = self._pool or await self._opened()
        async with pool.acquire() as connection:
            try:
                return await work(connection)
            except GONE:
                connection.terminate()
                await pool.expire_connections()  # the others lead to the same server: none of them is used again
                raise

    async def _opened(self) -> Any:
        async with self._opening:
            if self._pool is None:
                options = connect_options(self._url, connect=CONNECT_PATIENCE, statement=STATEMENT_PATIENCE)
                pool = await asyncpg.create_pool(min_size=0, max_size=CONNECTIONS, **options)
                try:
                    async with pool.acquire() as connection:
                        await _bring_up(connection)
                except BaseException:
                    pool.terminate()
                    raise
                self._pool = pool
            return self._pool


def said(error: BaseException) -> str:
    """Return the kind of error and its SQLSTATE; its text may hold the values of a statement."""
    code = getattr(error, "sqlstate", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


async def _bring_up(connection: Any) -> None:
    """Take the steps that were not taken, all or none, one worker at a time."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", LOCK, timeout=BRING_UP_PATIENCE)
        await connection.execute("CREATE TABLE IF NOT EXISTS entrada_session_schema (version integer NOT NULL)")
        version = await connection.fetchval("SELECT version FROM entrada_session_schema") or 0
        if version > len(STEPS):
            raise SettingsRefused(["store: a newer release of Entrada has its tables there; run that one"])
        if version < len(STEPS):
            for statement in chain.from_iterable(STEPS[version:]):
                await connection.execute(statement, timeout=BRING_UP_PATIENCE)
            await connection.execute("DELETE FROM entrada_session_schema")
            await connection.execute("INSERT INTO entrada_session_schema VALUES ($1)", len(STEPS))
