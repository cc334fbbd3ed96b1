"""The users' database: its engine, one unit of work at a time, and its schema brought up at start."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.files import own_directory
from entrada.sqlite_files import WRITE_PATIENCE, prepare

FILE_NAME = "entrada.db"
MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One users' database. Call `bring_up` before anything else, `close` at the end."""

    def __init__(self, url: str | None, *, data_dir: Path) -> None:
        """Name the database as SQLAlchemy does, or None for SQLite in `data_dir`; nothing is opened yet."""
        if url is None:
            own_directory(data_dir, setting="data_dir")
            self._url = URL.create("sqlite+aiosqlite", database=str(data_dir / FILE_NAME))
        else:
            self._url = _checked(url)
        self._engine = _engine(self._url)

    async def bring_up(self) -> None:
        """Bring the schema to this release's; safe when workers start together: one does it, the others wait.

        SettingsRefused when the file cannot be used or a newer release wrote it.
        """
        path = Path(str(self._url.database))
        await anyio.to_thread.run_sync(lambda: prepare(path, setting="database_url"))
        try:
            async with self._engine.begin() as connection:
                await connection.run_sync(_upgrade)
        except CommandError:
            fault = f"database_url: {path}: a newer release of Entrada wrote it; run that one or name another"
            raise SettingsRefused([fault]) from None
        except DatabaseError as error:
            fault = f"database_url: {path}: {error.orig}; restore it from a backup, or name another"
            raise SettingsRefused([fault]) from None

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[AsyncConnection]:
        """Do all of the block or nothing; StoreUnavailable when the database does not answer or refuses."""
        try:
            async with self._engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            cause = getattr(error, "orig", None) or type(error).__name__
            raise StoreUnavailable(f"users' database: {cause}") from None

    async def close(self) -> None:
        """Let go of every connection."""
        await self._engine.dispose()


def _checked(url: str) -> URL:
    """Read a URL; only SQLite files are offered. The refusal does not repeat it: it may hold a password."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or parsed.drivername != "sqlite+aiosqlite" or parsed.database in {None, "", ":memory:"}:
        raise SettingsRefused(["database_url: must be sqlite+aiosqlite:///PATH, or left out for a file in data_dir"])
    return parsed


def _engine(url: URL) -> AsyncEngine:
    engine = create_async_engine(url, connect_args={"timeout": WRITE_PATIENCE}, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _on_connect)
    event.listen(engine.sync_engine, "begin", _on_begin)
    return engine


def _on_connect(connection: Any, _: Any) -> None:
    """Take the transactions out of the driver's hands, which would begin them late and leave DDL outside."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    """Take the write lock first: what is read then still holds when it is written."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _upgrade(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
