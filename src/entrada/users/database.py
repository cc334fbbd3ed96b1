"""The users' database: one unit of work at a time, and its schema brought up at start."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada import store_url
from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.files import own_directory
from entrada.logs import log
from entrada.store_url import StoreUrl
from entrada.users.connections import Connections
from entrada.users.tables import users
from entrada.users.upgrade import Schema, Told, schema_at

T = TypeVar("T")

FILE_NAME = "entrada.db"
TRIES = 4  # once, and three times more after the database has undone the work
PAUSE = 0.02  # seconds at first, doubled each time, and a random part of it


class Engine(Protocol):
    """One kind of database."""

    connections: Connections
    clock: str
    """The database's own time in seconds since 1970, in its SQL."""

    async def revision(self) -> str | None:
        """Return the last step of the schema that was taken, None before the first; nothing is made or changed.

        SettingsRefused when it cannot be used; other errors when it does not answer.
        """
        ...

    async def bring_up(self, told: Told, *, at_leisure: bool = False) -> None:
        """Bring the schema to this release's: of workers that start together one does it, the others wait.

        `at_leisure`: however long it takes; otherwise what takes too long for a start is refused.
        SettingsRefused when it cannot be used or a newer release wrote it; other errors when it does not answer.
        """
        ...

    async def at_once(self, work: Callable[[Connection], T], *, read_only: bool = False) -> T:
        """Do work that waits for nothing but this database, as one unit; what only reads sees one state of it."""
        ...

    async def close(self) -> None:
        """Let go of every connection."""
        ...

    def was_undone(self, error: Exception) -> bool:
        """Say whether the work may be done again: the database has undone it, and another time may let it be."""
        ...

    def said(self, error: Exception) -> str:
        """Say for the log what the database said, without anybody's data."""
        ...


class Undone(StoreUnavailable):
    """The database has undone the work for the sake of somebody else's, or because it may not write any more."""


class Database:
    """One users' database. Call `bring_up` before anything else, `close` at the end."""

    def __init__(self, url: str | None, *, data_dir: Path) -> None:
        """Name the database, or None for SQLite in `data_dir`; nothing is opened yet."""
        self._engine = _engine(url, data_dir)
        self._is_up = False
        self._bringing_up = asyncio.Lock()

    async def bring_up(self) -> None:
        """Bring the schema to this release's; SettingsRefused when it cannot be used or a newer release wrote it.

        A server that is down does not keep the application from starting: the schema is brought up when it answers.
        """
        try:
            await self._once_up()
        except StoreUnavailable as error:
            log.warning("users_database_not_reached", reason=str(error))

    async def schema(self) -> Schema:
        """Say how far the schema is, and change nothing; StoreUnavailable when the database does not answer."""
        try:
            return schema_at(await self._engine.revision())
        except (SQLAlchemyError, OSError) as error:
            raise self._unavailable(error) from None

    async def upgrade(self, told: Told) -> None:
        """Bring the schema to this release's, however long it takes, telling of each step.

        StoreUnavailable when nobody answers.
        """
        await self._once_up(told, at_leisure=True)

    @property
    def clock(self) -> str:
        """The database's own time in seconds since 1970, in its SQL."""
        return self._engine.clock

    @asynccontextmanager
    async def unit_of_work(self, *, read_only: bool = False) -> AsyncIterator[AsyncConnection]:
        """Do all of the block or nothing; StoreUnavailable when the database does not answer or refuses.

        A block that only reads holds nobody up.
        """
        await self._late_up()
        try:
            async with self._engine.connections.connect() as connection:
                await connection.execution_options(entrada_read_only=read_only)
                async with connection.begin():
                    yield connection
        except (SQLAlchemyError, OSError) as error:
            raise self._unavailable(error) from None

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do the work as one unit, and again, at most three times, when the database has undone it."""

        async def once() -> T:
            async with self.unit_of_work() as connection:
                return await work(connection)

        return await _again(once)

    async def run_at_once(self, work: Callable[[Connection], T]) -> T:
        """Do the work as `run` does, when it waits for nothing but this database: in SQLite in one go, in a thread.

        A statement that is awaited costs several changes of threads there, more than the statement itself.
        """
        return await _again(lambda: self._at_once(work, read_only=False))

    async def read_at_once(self, work: Callable[[Connection], T]) -> T:
        """Do work that only reads, as `run_at_once` does; all of it sees the same state of the database."""
        return await self._at_once(work, read_only=True)

    async def _at_once(self, work: Callable[[Connection], T], *, read_only: bool) -> T:
        await self._late_up()
        try:
            return await self._engine.at_once(work, read_only=read_only)
        except (SQLAlchemyError, OSError) as error:
            raise self._unavailable(error) from None

    async def check(self) -> None:
        """Raise StoreUnavailable when nobody who is in it could be found now."""
        async with self.unit_of_work(read_only=True) as connection:
            await connection.execute(select(users.c.id).limit(1))

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.close()

    async def _late_up(self) -> None:
        """Bring it up if it did not answer at the start; what a start would have refused keeps it away."""
        if self._is_up:
            return
        try:
            await self._once_up()
        except SettingsRefused as refused:
            raise StoreUnavailable(f"users' database: {'; '.join(refused.faults)}") from None

    async def _once_up(self, told: Told = lambda _: None, *, at_leisure: bool = False) -> None:
        async with self._bringing_up:
            if self._is_up:
                return
            try:
                await self._engine.bring_up(told, at_leisure=at_leisure)
            except (SQLAlchemyError, OSError) as error:
                raise self._unavailable(error) from None
            self._is_up = True

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        kind = Undone if self._engine.was_undone(error) else StoreUnavailable
        return kind(f"users' database: {self._engine.said(error)}")


async def _again(work: Callable[[], Awaitable[T]]) -> T:
    for tried in range(1, TRIES):
        try:
            return await work()
        except Undone:
            await asyncio.sleep(random.uniform(0, PAUSE * 2**tried))  # noqa: S311 no secret
    return await work()


def _engine(url: str | None, data_dir: Path) -> Engine:
    """Load the kind that the address names; nobody else waits for what only it needs."""
    if url is None:
        own_directory(data_dir, setting="data_dir")
        return _sqlite(data_dir / FILE_NAME)
    address = store_url.parse_database(url)
    return _sqlite(Path(address.path)) if address.kind == "sqlite" else _postgres(address)


def _sqlite(path: Path) -> Engine:
    from entrada.users.sqlite_engine import SqliteEngine

    return SqliteEngine(path)


def _postgres(address: StoreUrl) -> Engine:
    from entrada.users.postgres_engine import PostgresEngine

    try:
        return PostgresEngine(address)
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise SettingsRefused(["database_url: asyncpg is not installed; pip install 'entrada[postgres]'"]) from None
