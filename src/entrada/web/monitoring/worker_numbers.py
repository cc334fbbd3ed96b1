"""The numbers of all workers of one machine: each writes its own into a file now and then, whoever is asked adds up.

A worker that lives holds a lock, which the kernel takes from it whatever ends it. What a dead one had counted stays in
the sum until the next that starts takes it over, so counters go on rising over restarts.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from entrada.files import OWNER_ONLY_FILE, alone_with, own_directory
from entrada.web.monitoring.exposition import Family, Samples, joined

_decoder = msgspec.json.Decoder(Samples)
LIVING, NUMBERS = ".living", ".json"


class WorkerNumbers:
    """The files of one application in one directory. Methods block for a moment; OSError when the disk refuses."""

    def __init__(self, directory: Path, families: Sequence[Family]) -> None:
        self._directory = directory
        self._families = families
        self._own = directory / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock: int | None = None
        self._before: Samples = {}

    def write(self, samples: Samples) -> None:
        """Put our numbers where others find them; the first time, take over what the dead have left."""
        if self._lock is None:
            self._begin(samples)
        else:
            self._put(samples)

    def together(self, samples: Samples) -> Samples:
        """Return our present numbers with all that others have written."""
        found = [(samples, True), (self._before, False)]
        if self._lock is not None:
            with alone_with(self._own):
                found += [(numbers, living) for path, numbers, living in self._all() if path.stem != self._own.name]
        return joined(found, self._families)

    def close(self) -> None:
        """Let go: our numbers are those of one who has gone."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _begin(self, samples: Samples) -> None:
        own_directory(self._directory, setting="data_dir")
        with alone_with(self._own):
            lock = os.open(_with(self._own, LIVING), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY_FILE)
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._lock = lock
            dead = [(path, numbers) for path, numbers, living in self._all() if not living]
            self._before = joined([(numbers, False) for _, numbers in dead], self._families)
            self._put(samples)
            for path, _ in dead:
                _with(path, NUMBERS).unlink(missing_ok=True)
                path.unlink(missing_ok=True)

    def _put(self, samples: Samples) -> None:
        written = joined([(samples, True), (self._before, False)], self._families)
        draft = _with(self._own, ".draft")
        draft.write_bytes(msgspec.json.encode(written))
        draft.chmod(OWNER_ONLY_FILE)
        draft.replace(_with(self._own, NUMBERS))

    def _all(self) -> Iterator[tuple[Path, Samples, bool]]:
        """Give the file of each worker but a living one's without numbers, what it counted, and whether it lives."""
        for path in sorted(self._directory.glob(f"*{LIVING}")):
            living = _is_locked(path)
            numbers: Samples = {}
            with suppress(OSError, msgspec.MsgspecError):
                numbers = _decoder.decode(_with(path, NUMBERS).read_bytes())
            yield path, numbers, living


def _with(path: Path, suffix: str) -> Path:
    return path.with_suffix(suffix)


def _is_locked(path: Path) -> bool:
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
