"""A users' database that is missing or damaged is said, not made anew: an empty one would let deactivated people in.

A file beside it says that it was made. To begin anew with nobody, both are deleted.
"""

from pathlib import Path

from entrada.errors import SettingsRefused
from entrada.files import write_once
from entrada.sqlite_files import WRITE_PATIENCE, connect, refused_plainly

LARGEST_CHECKED = 64 * 1024 * 1024  # bytes: some hundred thousand people, a third of a second
TABLES = "SELECT count(*) FROM sqlite_master WHERE name = 'entrada_schema'"
NOTE = b"Entrada has made the users' database beside this file. To begin anew with nobody, delete both.\n"


class Made:
    """What is known of one file from before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._note = path.with_name(f"{path.name}.made")

    def check(self) -> None:
        """SettingsRefused when the file was made before and is gone."""
        if self._note.exists() and not self._path.exists():
            raise self._lost("is missing")

    def check_whole(self) -> None:
        """SettingsRefused when the file that is there is damaged, or has lost what was in it."""
        with refused_plainly(self._path, setting="database_url"):
            connection = connect(self._path, patience=WRITE_PATIENCE)
            try:
                lost = self._note.exists() and not connection.execute(TABLES).fetchone()[0]
                small = self._path.stat().st_size <= LARGEST_CHECKED
                damaged = small and connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",)
            finally:
                connection.close()
        if lost:
            raise self._lost("has lost its tables")
        if damaged:
            raise self._lost("is damaged")

    def note(self) -> None:
        """Note that it was made, once all of it is in the file itself and not only in its log."""
        if self._note.exists():
            return
        connection = connect(self._path, patience=WRITE_PATIENCE)
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
        write_once(self._note, NOTE, setting="database_url")

    def _lost(self, what: str) -> SettingsRefused:
        mend = f"restore it from a backup, or delete it and {self._note.name} to begin anew with nobody"
        return SettingsRefused([f"database_url: {self._path}: {what}; {mend}"])
