"""From what the store holds to a session and back: only what we signed for this place in the store is believed.

What was verified and read lately is kept beside the bytes it came from, so that the same bytes need neither again. That
is no cache of sessions: the store is asked for each request, and any other bytes are verified anew. Only a store knows
whether what it has said before is still so (decisions 0178, 0220).
"""

from entrada.keyring import KeyRing
from entrada.logs import log
from entrada.sessions.names import Names
from entrada.sessions.record import SessionRecord, decode, encode
from entrada.sessions.sealing import Sealer
from entrada.sessions.session import Session
from entrada.sessions.stores.store import SessionStore, Stored

KEPT = 2048  # readings of about 2 kB, in each of two generations: the sessions that one worker sees within minutes

Reading = tuple[Stored, Session]


class Reader:
    """Finds sessions in the store by the id of a cookie, whether they still live or not."""

    def __init__(self, store: SessionStore, *, sealer: Sealer) -> None:
        self._store = store
        self._sealer = sealer

    def use(self, ring: KeyRing) -> None:
        """Find by the keys of this ring from now on; what was verified by another is verified anew."""
        self.names = Names(ring)
        self._recent: dict[str, Reading] = {}
        self._before: dict[str, Reading] = {}

    async def find(self, session_id: str) -> Session | None:
        """Return the session of this id as it is in the store now, or None: unknown, unreadable or no id at all."""
        reading = self._recent.get(session_id) or self._kept_before(session_id)
        if reading is None:
            return await self._look_up(session_id)
        held, session = reading
        stored = await self._store.get(session.key)
        if stored != held:
            self._forget(session_id)
            return self._remember(session_id, session.key, stored) if stored else None
        return session

    def read(self, key: bytes, stored: Stored) -> Session | None:
        """Return what the store holds under this key, if we wrote it; what we did not is an alarm (SEC-169)."""
        signed, version = stored
        data = self._sealer.verify(signed, purpose="session-record", bound_to=key)
        if data is None:
            log.error("session_unreadable", part="record")
            return None
        record = decode(data)
        return Session(key=key, version=version, record=record) if record else None

    def signed(self, key: bytes, record: SessionRecord) -> bytes:
        """Return the bytes to store under this key."""
        return self._sealer.sign(encode(record), purpose="session-record", bound_to=key)

    async def _look_up(self, session_id: str) -> Session | None:
        for key in self.names.keys(session_id):
            stored = await self._store.get(key)
            if stored:
                return self._remember(session_id, key, stored)
        return None

    def _remember(self, session_id: str, key: bytes, stored: Stored) -> Session | None:
        session = self.read(key, stored)
        if session:
            self._keep(session_id, (stored, session))
        return session

    def _kept_before(self, session_id: str) -> Reading | None:
        reading = self._before.get(session_id)
        if reading:
            self._keep(session_id, reading)
        return reading

    def _keep(self, session_id: str, reading: Reading) -> None:
        """Keep it until two generations later; one that is in use is kept anew in each."""
        if len(self._recent) >= KEPT:
            self._recent, self._before = {}, self._recent
        self._recent[session_id] = reading

    def _forget(self, session_id: str) -> None:
        self._recent.pop(session_id, None)
        self._before.pop(session_id, None)
