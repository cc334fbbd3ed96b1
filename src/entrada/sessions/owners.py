"""Whose sessions a store has: for whoever looks after the store, never for a request."""

from collections.abc import Sequence

from entrada.principal import User
from entrada.sessions.record import decode
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore


async def owners_of(store: SessionStore, *, sealer: Sealer) -> Sequence[User]:
    """Return everybody who has a living session, each once; it reads the whole store."""
    found: dict[str, User] = {}
    async for key, (signed, _), _tokens in store.scan():
        data = sealer.verify(signed, purpose="session-record", bound_to=key)
        record = decode(data) if data else None
        if record is not None:
            found[record.user.key] = record.user
    return tuple(found.values())
