"""Somebody with a session, opened as the application opens it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from entrada import keyring
from entrada.clock import system_clock
from entrada.keyring import KeyRing
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store

PERSON = User(
    issuer="https://login.microsoftonline.com/9c1b9a9e-0000-4000-8000-000000000002/v2.0",
    subject="s" * 43,
    tenant_id="9c1b9a9e-0000-4000-8000-000000000002",
    object_id="9c1b9a9e-0000-4000-8000-000000000001",
    name="Ada",
    username="ada@contoso.example",
    roles=frozenset({"Reader"}),
)


@dataclass(frozen=True, slots=True)
class Desk:
    """The sessions of one application and the ring they are sealed with."""

    sessions: Sessions
    ring: KeyRing


@asynccontextmanager
async def opened(url: str, folder: Path, keys: str | None = None) -> AsyncIterator[Desk]:
    """Open a session store as the application does, with these keys or a new one."""
    ring = KeyRing.parse(keys or keyring.generate())
    store = open_store(url, data_dir=folder, clock=system_clock)
    await store.prepare()
    try:
        yield Desk(Sessions(store, sealer=Sealer(ring), ring=ring, clock=system_clock), ring)
    finally:
        await store.close()
