"""Which key of the ring still does what in a store: for whoever rotates keys, never for a request."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from entrada.sessions.record import decode
from entrada.sessions.sealing import Sealer, key_id_of
from entrada.sessions.stores.store import SessionStore


@dataclass(slots=True)
class Census:
    """Living sessions by the id of the key that each part of them needs."""

    found: Counter[str] = field(default_factory=Counter)
    """By the key that they are looked up with: it cannot change while a session lives."""
    records: Counter[str] = field(default_factory=Counter)
    """By the key that their record is signed with: the active one after the next touch."""
    tokens: Counter[str] = field(default_factory=Counter)
    """By the key that their tokens are sealed with: the active one after the next renewal."""
    last: dict[str, datetime] = field(default_factory=dict)
    """When the last session that is found by a key ends, at the latest."""
    unreadable: int = 0
    """How many no key of the ring opens."""

    def needs(self, key_id: str) -> bool:
        """Say whether somebody would be signed out, or lose their tokens, without this key."""
        return any(counted[key_id] for counted in (self.found, self.records, self.tokens))

    def to_reseal(self, active_id: str) -> tuple[int, int]:
        """Return how many records and how many tokens are not the active key's yet."""
        return self.records.total() - self.records[active_id], self.tokens.total() - self.tokens[active_id]


async def take_census(store: SessionStore, *, sealer: Sealer) -> Census:
    """Read all living sessions of the store; StoreUnavailable when it cannot be read."""
    census = Census()
    async for key, (signed, _), (sealed, _) in store.scan():
        data = sealer.verify(signed, purpose="session-record", bound_to=key)
        record = decode(data) if data else None
        if record is None:
            census.unreadable += 1
            continue
        census.found[record.found_by] += 1
        census.records[key_id_of(signed)] += 1
        census.tokens[key_id_of(sealed)] += 1
        ends = datetime.fromtimestamp(record.expires_at, UTC)
        census.last[record.found_by] = max(ends, census.last.get(record.found_by, ends))
    return census
