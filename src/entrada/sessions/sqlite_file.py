"""One SQLite file that several processes share: how it is opened, and what is refused."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.files import own_file

SCHEMA_VERSION = 1
SCHEMA = """
CREATE TABLE session (
    key BLOB PRIMARY KEY, version INTEGER NOT NULL, expires_at REAL NOT NULL, record BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE TABLE session_tokens (
    key BLOB PRIMARY KEY REFERENCES session (key) ON DELETE CASCADE, version INTEGER NOT NULL, tokens BLOB NOT NULL
);
CREATE TABLE spent (key BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX spent_by_expiry ON spent (expires_at);
"""
WRITE_PATIENCE = 5.0  # seconds; another process's write takes milliseconds, a backup may take longer
READ_PATIENCE = 0.25  # seconds; a WAL reader waits only while a file is recovered, and it waits on the event loop


def open_file(path: Path) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open (or make) the file and return its connection for writing and the one for reading.

    SettingsRefused when it is not ours to write, damaged, or of a newer release.
    """
    own_file(path, setting="store")
    try:
        writer = _connect(path, patience=WRITE_PATIENCE)
        _write_ahead(writer)
        # FULL, not NORMAL: NORMAL outlives kill -9 too, but a power cut could bring back a session that was ended.
        # The wait for the disk is the writer thread's, never the event loop's.
        writer.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        _bring_up(writer)
        reader = _connect(path, patience=READ_PATIENCE)
        reader.execute("PRAGMA query_only = ON")
        reader.execute("SELECT count(*) FROM (SELECT 1 FROM session LIMIT 1)").fetchone()
    except sqlite3.Error as error:
        raise SettingsRefused([_mend(path, error)]) from None
    return writer, reader


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Do all of the block or nothing; the write lock is taken first, so that waiting is bounded by the patience."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """Say for the log what SQLite said; its messages name tables, never values."""
    return StoreUnavailable(f"session store: {getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}")


def _connect(path: Path, *, patience: float) -> sqlite3.Connection:
    """Open one connection in autocommit mode; threads take turns at it, which the store sees to."""
    return sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Turn to WAL: readers and the writer of any process do not wait for each other. The file remembers it."""
    deadline = time.monotonic() + WRITE_PATIENCE
    while connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite does not wait here by itself when two processes turn the same new file
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _bring_up(connection: sqlite3.Connection) -> None:
    """Make the tables once, whichever process comes first."""
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise SettingsRefused(
                ["store: a newer release of Entrada wrote this file; run that release or name another"]
            )
        if version < SCHEMA_VERSION:
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _mend(path: Path, error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_READONLY"):
        return f"store: {path}: cannot be written; give this process the right to, or name another"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return f"store: {path}: is damaged or no SQLite file; restore it, or move it away (everybody signs in again)"
    return f"store: {path}: {error}; name another, or mend the disk"
