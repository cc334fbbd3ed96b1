"""SQLite files that several processes share: owner-only, write-ahead, and refused in plain words when unusable."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from entrada.errors import SettingsRefused
from entrada.files import own_file

WRITE_PATIENCE = 5.0  # seconds; another process's write takes milliseconds, a backup may take longer
READ_PATIENCE = 0.25  # seconds; a WAL reader waits only while a file is recovered, and it waits on the event loop


def prepare(path: Path, *, setting: str) -> None:
    """Make the file unless it is there, for its owner only, and turn it to WAL; SettingsRefused says what is wrong."""
    own_file(path, setting=setting)
    with refused_plainly(path, setting=setting):
        connection = connect(path, patience=WRITE_PATIENCE)
        try:
            _write_ahead(connection)
            with transaction(connection):
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                # written anew as it is, for proof that it can be: SQLite lets a read-only file begin a transaction
                connection.execute(f"PRAGMA user_version = {version:d}")
        finally:
            connection.close()


def connect(path: Path, *, patience: float) -> sqlite3.Connection:
    """Open one connection in autocommit mode; whoever lets several threads use it sees to it that they take turns."""
    return sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)


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


@contextmanager
def refused_plainly(path: Path, *, setting: str) -> Iterator[None]:
    """Turn what SQLite raises while a file is opened into SettingsRefused with the mend."""
    try:
        yield
    except sqlite3.Error as error:
        raise SettingsRefused([f"{setting}: {path}: {_mend(error)}"]) from None


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


def _mend(error: sqlite3.Error) -> str:
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_READONLY"):
        return "cannot be written; give this process the right to, or name another"
    if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
        return "is damaged or no SQLite file; restore it from a backup, or move it away to begin anew"
    return f"{error}; name another, or mend the disk"
