"""Files and directories that only their owner may read (SEC-176), made so that two processes may start at once."""

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from entrada.errors import SettingsRefused

OWNER_ONLY_FILE = 0o600
OWNER_ONLY_DIRECTORY = 0o700
ANYBODY_ELSE = 0o077
DRAFT_BYTES = 8  # of chance in the name of a file that is being written
DRAFT_LASTS = 3600.0  # seconds; writing one takes a moment


def own_directory(path: Path, *, setting: str) -> None:
    """Make the directory for its owner only unless it is there; SettingsRefused names `setting` and the mend."""
    try:
        path.mkdir(mode=OWNER_ONLY_DIRECTORY, exist_ok=True)
    except OSError as error:
        raise SettingsRefused([_fault(setting, path, error, "make its parent directory, or name another")]) from None


def own_file(path: Path, *, setting: str) -> None:
    """Make the file for its owner only, or take the rights of others from it; SettingsRefused names the mend.

    SQLite gives its `-wal` and `-shm` files the rights of the file itself, so it must be right before SQLite sees it.
    A file that is there is not opened: closing it would drop the locks by which SQLite, should it have the file open in
    this process, keeps others from taking its write-ahead log away (https://sqlite.org/howtocorrupt.html, 2.2).
    """
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY_FILE))
        if path.stat().st_mode & ANYBODY_ELSE:
            path.chmod(OWNER_ONLY_FILE)
    except OSError as error:
        mend = "its directory must exist, and it must be ours to write"
        raise SettingsRefused([_fault(setting, path, error, mend)]) from None


def write_anew(path: Path, content: bytes) -> None:
    """Put new content in the place of the file's, whole or not at all, for its owner only; OSError when it cannot.

    The owner stays the owner, so that root may do it for the application. What a process that was killed here has left
    behind is removed by the next one, after an hour.
    """
    path = path.resolve()  # a link stays a link
    _remove_left_drafts(path)
    found = path.stat()
    draft = _draft(path, content)
    try:
        if found.st_uid != os.getuid():
            os.chown(draft, found.st_uid, found.st_gid)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    with _directory_of(path) as directory:
        os.fsync(directory)


@contextmanager
def alone_with(path: Path) -> Iterator[None]:
    """Keep other processes that use this function from the file's directory as long as the block lasts."""
    with _directory_of(path) as directory:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield


def write_once(path: Path, content: bytes, *, setting: str) -> bytes:
    """Write the file whole unless it is there, and return what it holds: the same for all who race to write it."""
    try:
        with suppress(FileNotFoundError):
            return path.read_bytes()  # also where nothing more can be written
        draft = _draft(path, content)
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first: its content counts
        finally:
            draft.unlink()
        return path.read_bytes()
    except OSError as error:
        raise SettingsRefused([_fault(setting, path, error, "it must be ours to write, with room")]) from None


def _draft(path: Path, content: bytes) -> Path:
    """Write a new file beside `path`, for its owner only, and on the disk when this returns."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(DRAFT_BYTES)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY_FILE)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return draft


def _remove_left_drafts(path: Path) -> None:
    for draft in path.parent.glob(f".{path.name}.{'[0-9a-f]' * 2 * DRAFT_BYTES}"):
        with suppress(OSError):
            if time.time() - draft.stat().st_mtime > DRAFT_LASTS:
                draft.unlink()


@contextmanager
def _directory_of(path: Path) -> Iterator[int]:
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)


def _fault(setting: str, path: Path, error: OSError, mend: str) -> str:
    return f"{setting}: {path}: {error.strerror or type(error).__name__}; {mend}"


def certificate_fault(file: Path) -> str | None:
    """Say why no authority can be trusted by this file, and how to mend it; None when one can."""
    import ssl  # what most of those who check settings need not wait for

    if not file.is_file():
        return "is not a file"
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)
    except ssl.SSLError:
        return "has no certificate in PEM in it; if it is in DER: openssl x509 -inform der -in IT -out ANOTHER.pem"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return None
