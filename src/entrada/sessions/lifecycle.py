"""A session's life: begun at sign-in, loaded by each request, touched now and then, ended once and for all."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b, sha256

import msgspec

from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.keyring import KeyRing
from entrada.logs import log
from entrada.principal import User
from entrada.sessions.record import RequestFacts, SessionRecord, decode, encode
from entrada.sessions.sealing import Sealer
from entrada.sessions.store import SessionStore

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, base64url
SESSION_ID_BYTES = 32
TOUCH_PAUSE = timedelta(seconds=10)  # after a touch failed; or each request would wait for a store that takes no writes
TOUCH_EVERY = timedelta(minutes=1)  # last seen is good to the minute; reads stay reads in between


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: `idle` after its last use, `absolute` after its beginning whatever happens."""

    idle: timedelta = timedelta(hours=1)
    absolute: timedelta = timedelta(days=7)

    @property
    def touch_every(self) -> timedelta:
        """How often at most a session in use is written: each minute, oftener where idle is under an hour."""
        return min(TOUCH_EVERY, self.idle / 60)


class Session(msgspec.Struct, frozen=True, gc=False):
    """A living session. Only `Sessions` makes one: that it exists proves that it was looked up and not expired."""

    key: bytes
    """What the store knows it by; of no use in a cookie."""
    version: int
    record: SessionRecord

    def __repr__(self) -> str:
        return f"Session(version={self.version})"

    @property
    def user(self) -> User:
        """The person as they were at sign-in."""
        return self.record.user

    @property
    def created_at(self) -> datetime:
        """When the person signed in."""
        return _time(self.record.created_at)

    @property
    def last_seen_at(self) -> datetime:
        """When it was last used, good to a minute."""
        return _time(self.record.last_seen_at)

    @property
    def idle_expires_at(self) -> datetime:
        """When it ends unless it is used."""
        return _time(self.record.idle_expires_at)

    @property
    def expires_at(self) -> datetime:
        """When it ends whatever happens."""
        return _time(self.record.expires_at)


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """A session's tokens, opened; give `version` back when you save their successors."""

    blob: bytes = field(repr=False)
    version: int


class Sessions:
    """Begins, finds and ends sessions. Every method but `load` of an unknown id may raise StoreUnavailable."""

    def __init__(
        self, store: SessionStore, *, sealer: Sealer, ring: KeyRing, clock: Clock, lifetimes: Lifetimes = Lifetimes()
    ) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._lifetimes = lifetimes
        self._touch_every = lifetimes.touch_every.total_seconds()
        self._no_touch_before = 0.0
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Find sessions by the keys of this ring from now on; the sealer is told by whoever shares it."""
        self._active_id = ring.active.id
        self._hash_keys = tuple(key.derive("session-id") for key in ring.keys)

    async def begin(
        self, user: User, *, tokens: bytes, facts: RequestFacts = RequestFacts(), replacing: str | None = None
    ) -> tuple[str, Session]:
        """Begin a session under a new id and end the one it replaces, together; return the id for the cookie.

        `replacing` is whatever the browser's session cookie held: it is ended, never adopted (SEC-071, SEC-072).
        """
        session_id = secrets.token_urlsafe(SESSION_ID_BYTES)
        session = Session(key=self._keys(session_id)[0], version=1, record=self._new_record(user, facts))
        await self._store.insert(
            session.key,
            record=self._sign(session.key, session.record),
            tokens=self._seal(session, tokens),
            expires_at=session.idle_expires_at,
            replacing=self._keys(replacing) if replacing else (),
        )
        return session_id, session

    async def load(self, session_id: str) -> Session | None:
        """Return the living session of this id, or None: unknown, ended, expired, unreadable or no id at all."""
        for key in self._keys(session_id):
            stored = await self._store.get(key)
            if stored:
                data, version = stored
                record = self._verified(key, data)
                return Session(key=key, version=version, record=record) if record else None
        return None

    async def touch(self, session: Session) -> bool:
        """Note that the session is in use, at most once per `touch_every`; True when something was written.

        Never fails: a session that cannot be touched only ends earlier. It cannot bring back a session that ended.
        """
        now = int(self._clock().timestamp())
        due_at = session.record.last_seen_at + self._touch_every
        if now < due_at or now < self._no_touch_before:
            return False
        idle_expires_at = min(now + int(self._lifetimes.idle.total_seconds()), session.record.expires_at)
        record = msgspec.structs.replace(session.record, last_seen_at=now, idle_expires_at=idle_expires_at)
        signed = self._sign(session.key, record)
        try:
            return await self._store.replace(
                session.key, record=signed, version=session.version, expires_at=_time(idle_expires_at)
            )
        except StoreUnavailable as error:
            self._no_touch_before = now + TOUCH_PAUSE.total_seconds()
            log.warning("session_not_touched", reason=str(error))
            return False

    async def tokens(self, session: Session) -> SessionTokens | None:
        """Return the session's tokens as they are now, or None when it has ended or they cannot be opened."""
        stored = await self._store.get_tokens(session.key)
        if stored is None:
            return None
        sealed, version = stored
        blob = self._sealer.open(sealed, purpose="session-tokens", bound_to=_owner(session))
        if blob is None:
            log.error("session_unreadable", part="tokens")
            return None
        return SessionTokens(blob=blob, version=version)

    async def save_tokens(self, session: Session, tokens: bytes, *, version: int) -> bool:
        """Store the successors of the tokens of `version`; False when another was first or the session has ended."""
        return await self._store.replace_tokens(session.key, tokens=self._seal(session, tokens), version=version)

    async def end(self, session_id: str) -> None:
        """End the session of this id, here and on every worker; an unknown id is no error."""
        if keys := self._keys(session_id):
            await self._store.delete(keys)

    async def spend_once(self, transaction_id: str, *, lifetime: timedelta) -> bool:
        """Use up a transaction; True the first time only, on whichever worker.

        The hash has no key on purpose: workers in the middle of a key rotation must agree on it.
        """
        key = sha256(b"transaction" + transaction_id.encode()).digest()
        return await self._store.add_if_absent(key, lifetime=lifetime)

    async def sweep(self, *, limit: int = 500) -> int:
        """Delete at most `limit` expired sessions and as many spent transactions; return how many there were."""
        return await self._store.delete_expired(limit=limit)

    def _keys(self, session_id: str) -> tuple[bytes, ...]:
        """Return the store keys that this id may have, newest key first; none for what cannot be an id of ours."""
        if not SESSION_ID.fullmatch(session_id):
            return ()
        message = session_id.encode()
        return tuple([blake2b(message, key=key, digest_size=32).digest() for key in self._hash_keys])

    def _new_record(self, user: User, facts: RequestFacts) -> SessionRecord:
        now = int(self._clock().timestamp())
        expires_at = now + int(self._lifetimes.absolute.total_seconds())
        return SessionRecord(
            user=user,
            created_at=now,
            last_seen_at=now,
            idle_expires_at=min(now + int(self._lifetimes.idle.total_seconds()), expires_at),
            expires_at=expires_at,
            facts=facts,
            found_by=self._active_id,
        )

    def _sign(self, key: bytes, record: SessionRecord) -> bytes:
        return self._sealer.sign(encode(record), purpose="session-record", bound_to=key)

    def _verified(self, key: bytes, signed: bytes) -> SessionRecord | None:
        """Return the record if we wrote it for this key and it is good now; a foreign one is an alarm (SEC-169)."""
        data = self._sealer.verify(signed, purpose="session-record", bound_to=key)
        if data is None:
            log.error("session_unreadable", part="record")
            return None
        record = decode(data)
        if record is None:
            return None
        now = self._clock().timestamp()
        return record if now < record.idle_expires_at and now < record.expires_at else None

    def _seal(self, session: Session, tokens: bytes) -> bytes:
        return self._sealer.seal(tokens, purpose="session-tokens", bound_to=_owner(session))


def _owner(session: Session) -> tuple[bytes, ...]:
    """Bind tokens to their row, person and tenant, so that they open nowhere else (SEC-168)."""
    return session.key, session.user.key.encode()


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
