"""Whether anything in a SQLite file has changed, by anybody, without asking SQLite.

In WAL mode the processes that use a file share its `-shm` file. Its head, 48 bytes, differs after each commit of any of
them: SQLite's own readers decide by it whether what they hold is still so (sqlite.org/walformat.html, "The WAL-Index
Header"). Two words of memory cost less than a statement.
"""

import mmap
import os
from dataclasses import dataclass
from pathlib import Path

HEAD_BYTES = 48


@dataclass(slots=True)
class _Mapped:
    """One file in this process's memory, and how many use it."""

    memory: mmap.mmap
    descriptor: int
    users: int = 0


_mapped: dict[tuple[int, int], _Mapped] = {}
"""By device and inode: closing any descriptor of a file drops all locks that this process holds on it, SQLite's too, so
the descriptor is closed with the last store of the file."""


class WalIndex:
    """The shared head of one file. Make it when connections are open, close it when they are closed."""

    def __init__(self, database: Path) -> None:
        self._key, self._memory = _map(database.with_name(f"{database.name}-shm"))

    def head(self) -> bytes | None:
        """Return what differs after each commit; None where it cannot be seen, and only a statement tells."""
        return self._memory[:HEAD_BYTES] if self._memory else None

    def close(self) -> None:
        """Let go of it."""
        if self._key is None:
            return
        mapped, self._memory = _mapped[self._key], None
        mapped.users -= 1
        if not mapped.users:
            del _mapped[self._key]
            mapped.memory.close()
            os.close(mapped.descriptor)
        self._key = None


def _map(shared: Path) -> tuple[tuple[int, int] | None, mmap.mmap | None]:
    """Map the file once for this process; nothing where there is none, as on a system that keeps it elsewhere."""
    try:
        facts = shared.stat()
        key = facts.st_dev, facts.st_ino
        if key not in _mapped:
            descriptor = os.open(shared, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
            _mapped[key] = _Mapped(mmap.mmap(descriptor, HEAD_BYTES, access=mmap.ACCESS_READ), descriptor)
    except (OSError, ValueError):
        return None, None
    _mapped[key].users += 1
    return key, _mapped[key].memory
