"""Users in a SQLite file, for the workers of one machine."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anyio.to_thread
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.ext.asyncio import create_async_engine

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.sqlite_files import WRITE_PATIENCE, connect, prepare, refused_plainly
from entrada.users.connections import Connections
from entrada.users.made import TABLES, Made
from entrada.users.upgrade import REVISION, Told, upgrade

OPTIONS: dict[str, Any] = {
    "connect_args": {"timeout": WRITE_PATIENCE, "check_same_thread": False},  # whichever thread is free goes on with it
    "hide_parameters": True,
}
T = TypeVar("T")


class SqliteEngine:
    """One file; whoever writes it has it alone meanwhile, so nothing is ever undone for somebody else."""

    clock = "(julianday('now') - 2440587.5) * 86400.0"

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self._path = path
        self._inode = 0
        awaited = create_async_engine(_url("aiosqlite", path), **OPTIONS)
        self.connections = Connections(awaited)
        self._in_threads = create_engine(_url("pysqlite", path), **OPTIONS)
        self._readers = self._in_threads.execution_options(entrada_read_only=True)  # of the same connections
        for engine in (awaited.sync_engine, self._in_threads):
            event.listen(engine, "connect", _on_connect)
            event.listen(engine, "begin", self._on_begin)

    async def revision(self) -> str | None:
        """Return the last step that was taken; the file is made by nobody and changed by nobody here."""
        return await anyio.to_thread.run_sync(self._revision)

    def _revision(self) -> str | None:
        Made(self._path).check()
        if not self._path.is_file():
            return None
        with refused_plainly(self._path, setting="database_url"):
            connection = connect(self._path, patience=WRITE_PATIENCE)
            try:
                made = connection.execute(TABLES).fetchone()[0]
                row = connection.execute(REVISION).fetchone() if made else None
            finally:
                connection.close()
        return row[0] if row else None

    async def bring_up(self, told: Told, *, at_leisure: bool = False) -> None:  # noqa: ARG002 the protocol's
        """Make the file unless it is there, or was there before, and bring its schema up."""
        made = Made(self._path)
        await anyio.to_thread.run_sync(made.check)
        await anyio.to_thread.run_sync(lambda: prepare(self._path, setting="database_url"))
        await anyio.to_thread.run_sync(made.check_whole)
        self._inode = self._path.stat().st_ino
        try:
            async with self.connections.connect() as connection, connection.begin():
                await connection.run_sync(lambda sync: upgrade(sync, told))
            await anyio.to_thread.run_sync(made.note)
        except CommandError:
            fault = f"database_url: {self._path}: a newer release of Entrada wrote it; run that one or name another"
            raise SettingsRefused([fault]) from None
        except DatabaseError as error:
            fault = f"database_url: {self._path}: {error.orig}; restore it from a backup, or name another"
            raise SettingsRefused([fault]) from None

    async def at_once(self, work: Callable[[Connection], T], *, read_only: bool = False) -> T:
        """Do all of it in one thread."""
        engine = self._readers if read_only else self._in_threads
        return await anyio.to_thread.run_sync(_done, engine, work)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.connections.close()
        await anyio.to_thread.run_sync(self._in_threads.dispose)

    def was_undone(self, error: Exception) -> bool:  # noqa: ARG002 the protocol's
        """Nothing is: who comes second waits."""
        return False

    def said(self, error: Exception) -> str:
        """Return what SQLite said; its messages name tables and columns, never values."""
        return str(getattr(error, "orig", None) or type(error).__name__)

    def _on_begin(self, connection: Connection) -> None:
        """Take the write lock first, unless nothing will be written: what is read then still holds when it is written.

        A file that was removed or exchanged under us takes nothing: no other process would see it.
        """
        try:
            there = self._path.stat().st_ino == self._inode
        except OSError:
            there = False
        if not there:
            raise StoreUnavailable("users' database: the file was removed or exchanged; restart to open what is there")
        read_only = connection.get_execution_options().get("entrada_read_only")
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


def _url(driver: str, path: Path) -> URL:
    """Name the file so that opening it never makes one: an empty one in its place would be taken for it."""
    return URL.create(f"sqlite+{driver}", database=path.absolute().as_uri(), query={"uri": "true", "mode": "rw"})


def _done(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.connect() as connection, connection.begin():
        return work(connection)


def _on_connect(connection: Any, _: Any) -> None:
    """Take the transactions out of the driver's hands, which would begin them late and leave DDL outside."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()
