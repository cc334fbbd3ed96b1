"""Where the key ring comes from: the settings, or in development a file that is made once and kept."""

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
