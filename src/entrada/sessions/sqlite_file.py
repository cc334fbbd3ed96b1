"""The file of the SQLite store: its tables, and how it is opened."""

import sqlite3
from pathlib import Path

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.sqlite_files import READ_PATIENCE, connect, prepare, refused_plainly, transaction

SCHEMA_VERSION = 1
READ_CACHE_KIB = 32 * 1024  # the pages of about 8 000 sessions in use; SQLite's own 2 MB doubles the time of a look-up
SCHEMA = """
CREATE TABLE session (
    key BLOB PRIMARY KEY, version INTEGER NOT NULL, expires_at REAL NOT NULL, record BLOB NOT NULL
);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE TABLE session_tokens (
    key BLOB PRIMARY KEY REFERENCES session (key) ON DELETE CASCADE, version INTEGER NOT NULL, tokens BLOB NOT NULL
);
CREATE TABLE spent (key BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX spent_by_expiry ON spent (expires_at);
"""


def open_file(path: Path, *, patience: float) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open (or make) the file and return its connection for writing and the one for reading.

    SettingsRefused when it is not ours to write, damaged, or of a newer release.
    """
    prepare(path, setting="store")
    with refused_plainly(path, setting="store"):
        writer = connect(path, patience=patience)
        # FULL, not NORMAL: NORMAL outlives kill -9 too, but a power cut could bring back a session that was ended.
        # The wait for the disk is the writer thread's, never the event loop's.
        writer.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        _bring_up(writer, path)
        reader = connect(path, patience=READ_PATIENCE)
        reader.execute("PRAGMA query_only = ON")
        reader.execute(f"PRAGMA cache_size = -{READ_CACHE_KIB}")
    return writer, reader


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """Say for the log what SQLite said; its messages name tables, never values."""
    return StoreUnavailable(f"session store: {getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}")


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Make the tables once, whichever process comes first."""
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > SCHEMA_VERSION:
            raise SettingsRefused([f"store: {path}: a newer release of Entrada wrote it; run that one or name another"])
        if version < SCHEMA_VERSION:
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
