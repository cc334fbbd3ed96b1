"""The SQLite store's file, opened by a store that lets go of it again."""

from pathlib import Path

from entrada.clock import Clock
from entrada.sessions.stores.sqlite import SqliteStore


async def opened_once(path: Path, clock: Clock) -> None:
    """Let a store open the file, which makes it; SettingsRefused when it cannot be used."""
    store = SqliteStore(path, clock=clock)
    try:
        await store.prepare()
    finally:
        await store.close()
