"""The file of the SQLite store: its tables, and how it is opened."""

import sqlite3
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from entrada.errors import SettingsRefused, StoreUnavailable
from entrada.sessions.stores.wal_index import WalIndex
from entrada.sqlite_files import READ_PATIENCE, connect, prepare, refused_plainly, transaction

READ_CACHE_KIB = 32 * 1024  # the pages of about 8 000 sessions in use; SQLite's own 2 MB doubles the time of a look-up
STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE session (
            key BLOB PRIMARY KEY, version INTEGER NOT NULL, expires_at REAL NOT NULL, record BLOB NOT NULL
        )""",
        "CREATE INDEX session_by_expiry ON session (expires_at)",
        """CREATE TABLE session_tokens (
            key BLOB PRIMARY KEY REFERENCES session (key) ON DELETE CASCADE,
            version INTEGER NOT NULL, tokens BLOB NOT NULL
        )""",
        "CREATE TABLE spent (key BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID",
        "CREATE INDEX spent_by_expiry ON spent (expires_at)",
    ),
    (  # the index is a table of its own, so that a worker of the release before goes on inserting: NOT_INDEXED (x'')
        """CREATE TABLE session_index (
            key BLOB PRIMARY KEY REFERENCES session (key) ON DELETE CASCADE,
            user BLOB NOT NULL, sid BLOB, due_at REAL
        )""",
        "CREATE INDEX session_by_user ON session_index (user)",
        "CREATE INDEX session_by_sid ON session_index (sid) WHERE sid IS NOT NULL",
        "CREATE INDEX session_by_due ON session_index (due_at) WHERE due_at IS NOT NULL",
        "INSERT INTO session_index (key, user) SELECT key, x'' FROM session",
        """CREATE TRIGGER session_indexed AFTER INSERT ON session BEGIN
            INSERT INTO session_index (key, user) VALUES (new.key, x'');
        END""",
        """CREATE TABLE lease (
            fence INTEGER PRIMARY KEY AUTOINCREMENT, name BLOB NOT NULL UNIQUE,
            holder BLOB NOT NULL, until REAL NOT NULL
        )""",
        "CREATE INDEX lease_by_end ON lease (until)",
    ),
)
"""What brings a file from one schema to the next, oldest first: never changed once released, only added to."""


@dataclass(frozen=True, slots=True)
class OpenFile:
    """The file as one store has it open."""

    writer: sqlite3.Connection
    reader: sqlite3.Connection
    cursor: sqlite3.Cursor
    """The reader's, for look-ups that find one row at most, and so leave nothing open."""
    inode: int
    index: WalIndex

    def close(self) -> None:
        """Let go of it."""
        self.reader.close()
        self.writer.close()
        self.index.close()


def open_file(path: Path, *, patience: float) -> OpenFile:
    """Open (or make) the file; a write waits for other processes as many seconds as `patience`.

    SettingsRefused when it is not ours to write, damaged, or of a newer release; then nothing of it stays open.
    """
    prepare(path, setting="store")
    with refused_plainly(path, setting="store"), ExitStack() as stack:
        writer = stack.enter_context(closing(connect(path, patience=patience)))
        # FULL, not NORMAL: NORMAL outlives kill -9 too, but a power cut could bring back a session that was ended.
        # The wait for the disk is the writer thread's, never the event loop's.
        writer.executescript("PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;")
        _bring_up(writer, path)
        reader = stack.enter_context(closing(connect(path, patience=READ_PATIENCE)))
        reader.execute("PRAGMA query_only = ON")
        reader.execute(f"PRAGMA cache_size = -{READ_CACHE_KIB}")
        opened = OpenFile(writer, reader, reader.cursor(), path.stat().st_ino, WalIndex(path))
        stack.pop_all()
    return opened


def unavailable(error: sqlite3.Error) -> StoreUnavailable:
    """Say for the log what SQLite said; its messages name tables, never values."""
    return StoreUnavailable(f"session store: {getattr(error, 'sqlite_errorname', type(error).__name__)}: {error}")


def _bring_up(connection: sqlite3.Connection, path: Path) -> None:
    """Take the steps that the file has not taken, once, whichever process comes first; all of them or none."""
    with transaction(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version > len(STEPS):
            raise SettingsRefused([f"store: {path}: a newer release of Entrada wrote it; run that one or name another"])
        for statement in chain.from_iterable(STEPS[version:]):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(STEPS)}")
