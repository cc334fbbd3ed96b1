"""What this process has open, and how much more it may open."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def descriptors() -> list[int]:
    return [int(entry.name) for entry in Path("/dev/fd").iterdir()]


def open_below(folder: Path) -> list[str]:
    """Return the names of the files in this folder that this process has open."""
    found = set()
    for descriptor in descriptors():
        with suppress(OSError):  # the listing's own is closed again
            facts = os.fstat(descriptor)
            found.add((facts.st_dev, facts.st_ino))
    files = ((file, file.stat()) for file in folder.rglob("*"))
    return sorted(file.name for file, facts in files if (facts.st_dev, facts.st_ino) in found)


@contextmanager
def room_for(so_many: int) -> Iterator[None]:
    """Let this process open so many files more, and no other."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    last = max(descriptors())
    resource.setrlimit(resource.RLIMIT_NOFILE, (last + so_many + 1, hard))
    held = []
    try:
        with suppress(OSError):
            while True:
                held.append(os.open(os.devnull, os.O_RDONLY))
        for _ in range(so_many):
            os.close(held.pop())
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)
