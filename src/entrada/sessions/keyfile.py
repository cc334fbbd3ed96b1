"""Where the key ring comes from: the settings, or a file; in development one that is made once and kept.

A file may change while the application runs: `KeyFile` notices it, so that a rotation needs no restart.
"""

from pathlib import Path

from entrada import keyring
from entrada.errors import SettingsRefused
from entrada.files import ANYBODY_ELSE, own_directory, write_once
from entrada.keyring import KeyRing
from entrada.settings import Settings

FILE_NAME = "keys"


def load_or_create_ring(settings: Settings) -> KeyRing:
    """Return the ring of `keys` or `keys_file`; in development make one in data_dir, in production never.

    All processes that start together get the same ring.
    """
    if (text := settings.keys_text()) is not None:
        return KeyRing.parse(text)
    if settings.production:
        raise SettingsRefused(["keys: production needs its own: set ENTRADA_KEYS to `python -m entrada.keyring`"])
    own_directory(settings.data_dir, setting="data_dir")
    path = settings.data_dir / FILE_NAME
    text = write_once(path, keyring.generate().encode(), setting="data_dir").decode("utf-8", "replace")
    if path.stat().st_mode & ANYBODY_ELSE:
        raise SettingsRefused([f"data_dir: {path}: others may read it; delete it, and a new one is made"])
    return KeyRing.parse(text)


def ring_file(settings: Settings) -> Path | None:
    """Return the file that holds the ring, or None when the setting `keys` holds it itself."""
    if settings.keys_file is not None:
        return settings.keys_file
    return settings.data_dir / FILE_NAME if settings.keys is None else None


class KeyFile:
    """The file of the ring, read again when it has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._seen = self._look()

    def read(self) -> KeyRing:
        """Return the ring; SettingsRefused says what is wrong with the file."""
        try:
            return KeyRing.parse(self.path.read_text("utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsRefused([f"keys_file: {self.path}: cannot be read ({type(error).__name__})"]) from None

    def changed(self) -> KeyRing | None:
        """Return the new ring when the file is another than at the last call; SettingsRefused when it is no ring.

        A file that is no ring is told once, and again when it changes.
        """
        looked = self._look()
        if looked == self._seen:
            return None
        self._seen = looked
        return self.read()

    def _look(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size
