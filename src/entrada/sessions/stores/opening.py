"""Which store the setting names: each kind is loaded only where it is used."""

from pathlib import Path

from entrada import store_url
from entrada.clock import Clock
from entrada.errors import SettingsRefused
from entrada.files import own_directory
from entrada.sessions.ended import EndedSessions
from entrada.sessions.stores.store import SessionStore
from entrada.store_url import StoreUrl

SQLITE_FILE = "sessions.db"


def open_store(url: str, *, data_dir: Path, clock: Clock, ended: EndedSessions | None = None) -> SessionStore:
    """Open the store that the setting `store` names; `entrada.store_url` says what it may be. Nothing connects yet.

    `ended` is remembered beside a store that may forget an end; see `may_forget`.
    SettingsRefused says what is wrong with the name, the file or the installation, and how to mend it.
    """
    address = store_url.parse(url)
    if address.kind == "memory":
        from entrada.sessions.stores.memory import MemoryStore

        return MemoryStore(clock=clock)
    if address.kind == "sqlite":
        from entrada.sessions.stores.sqlite import SqliteStore

        if not address.path:
            own_directory(data_dir, setting="data_dir")
        return SqliteStore(Path(address.path) if address.path else data_dir / SQLITE_FILE, clock=clock)
    return _server_store(address, clock=clock, ended=ended)


def visible(url: str, *, data_dir: Path) -> bool:
    """Say whether there is a store to open from here: opening it must not make its file, perhaps as the wrong user."""
    if url == "sqlite:":
        return (data_dir / SQLITE_FILE).is_file()
    return url != "memory:"


def may_forget(url: str) -> bool:
    """Say whether a fault can make the store that the setting names forget what it has acknowledged."""
    return store_url.parse(url).kind in {"redis", "sentinel", "cluster"}


def _server_store(address: StoreUrl, *, clock: Clock, ended: EndedSessions | None) -> SessionStore:
    """Load what only this kind of store needs, and nobody else should wait for."""
    extra = "postgres" if address.kind == "postgresql" else "redis"
    try:
        if extra == "postgres":
            from entrada.sessions.stores.postgres import PostgresStore

            return PostgresStore(address, clock=clock)
        from entrada.sessions.stores.redis import RedisStore

        return RedisStore(address, clock=clock, ended=ended)
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in {"redis", "hiredis", "asyncpg"}:
            raise
        raise SettingsRefused([f"store: {missing} is not installed; pip install 'entrada[{extra}]'"]) from None
