"""A session's life: begun at sign-in, loaded by each request, touched now and then, ended once and for all."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from entrada.clock import Clock, in_seconds
from entrada.errors import NotSignedIn, StoreUnavailable
from entrada.keyring import KeyRing
from entrada.logs import log
from entrada.principal import User
from entrada.sessions import data, held
from entrada.sessions.data import Changes, Values
from entrada.sessions.held import HeldTokens, Interrupted, Step
from entrada.sessions.identifiers import after, goes_by, successor
from entrada.sessions.in_use import SessionsInUse
from entrada.sessions.lifetimes import Lifetimes
from entrada.sessions.own_data import OwnData
from entrada.sessions.reading import Reader
from entrada.sessions.record import RequestFacts, SessionRecord, owner
from entrada.sessions.sealing import Sealer
from entrada.sessions.session import Session, SessionTokens, time_of
from entrada.sessions.stores.store import NOT_INDEXED, Index, SessionStore, Stored
from entrada.sessions.suffixes import STEM

SESSION_ID_BYTES = 32
BATCH = 500  # sessions looked at or ended at a time, so that no other write waits long
MOST_LOOKED_THROUGH = 2000  # of one person's sessions, for a handle or the longest unused; they may have 1000
MOST_COLLISIONS = 20  # of one session's requests that change its data at once; each round one of them gets through
TOUCH_PAUSE = timedelta(seconds=10)  # after a touch failed; or each request would wait for a store that takes no writes


class Sessions:
    """Begins, finds and ends sessions. Every method but `load` of an unknown id may raise StoreUnavailable."""

    def __init__(
        self,
        store: SessionStore,
        *,
        sealer: Sealer,
        ring: KeyRing,
        clock: Clock,
        lifetimes: Lifetimes = Lifetimes(),
        sids_under: str | None = None,
    ) -> None:
        """Keep sessions in `store`; `sids_under` stands for all issuers of many tenants, in its index by `sid`."""
        self._sids_under = sids_under
        self._store = store
        self._sealer = sealer
        self._own_data = OwnData(sealer)
        self._reader = Reader(store, sealer=sealer)
        self._now = in_seconds(clock)
        self._lifetimes = lifetimes
        self._touch_every = lifetimes.touch_every.total_seconds()
        self._no_touch_before = 0.0
        self.in_use = SessionsInUse()
        """How many sessions each hour and each day has seen."""
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Find sessions by the keys of this ring from now on; the sealer is told by whoever shares it."""
        self._active_id = ring.active.id
        self._reader.use(ring)
        self._names = self._reader.names

    async def begin(
        self,
        user: User,
        *,
        tokens: bytes,
        facts: RequestFacts = RequestFacts(),
        replacing: str | None = None,
        remember: bool = False,
        due_at: datetime | None = None,
        asked: tuple[str, ...] = (),
    ) -> tuple[str, Session]:
        """Begin a session under a new id and end the one it replaces, together; return the id for the cookie.

        `due_at` is when its tokens want renewal, None for never. `replacing` is whatever the browser's session cookie
        held: it is ended, never adopted (SEC-071, SEC-072); the application's data in it goes on for the same person,
        and for nobody else, like the requests on hold. `remember`: the person's choice, where it is offered. `asked`:
        what the sign-in was asked to prove.
        """
        session_id = secrets.token_urlsafe(SESSION_ID_BYTES)
        record = SessionRecord.begun(
            user,
            at=int(self._now()),
            lifetimes=self._lifetimes,
            facts=facts,
            found_by=self._active_id,
            remember=remember,
            asked=asked,
        )
        session = Session(key=self._names.keys(session_id)[0], version=1, record=record)
        before = await self._theirs(user, replacing)
        if before and before.record.data:
            session = msgspec.structs.replace(session, record=self._own_data.put_into(session, self.data(before)))
        held = await self.tokens(before) if before else None
        await self._store.insert(
            session.key,
            record=self._reader.signed(session.key, session.record),
            tokens=self._seal(session, HeldTokens(tokens, interrupted=held.interrupted if held else ())),
            expires_at=session.idle_expires_at,
            index=self._index(user, due_at=due_at),
            replacing=self._names.keys(replacing[:STEM]) if replacing else (),
        )
        self.in_use.begun()
        return session_id, session

    async def load(self, session_id: str) -> Session | None:
        """Return the living session of this id, or None: unknown, ended, expired, unreadable or no id at all."""
        session = await self.of_stem(session_id)
        return session if session and self._goes_by(session, session_id, self._now()) else None

    async def of_stem(self, session_id: str) -> Session | None:
        """Return what `load` does, whichever of its identifiers this is; never to let anybody in by."""
        session = await self._reader.find(session_id[:STEM])
        return session if session and session.lives(self._now()) else None

    async def visit(self, session_id: str) -> Session | None:
        """Return what `load` does, and note now and then that the session is in use: what a request does."""
        session = await self._reader.find(session_id[:STEM])
        now = self._now()
        if session is None or not session.lives(now):
            return None
        renamed = session.record.suffixes is not None or len(session_id) > STEM  # asked here: hardly any session is
        if renamed and not self._goes_by(session, session_id, now):
            return None
        if renamed or self._touch_is_due(session, now):
            await self.touch(session, called=session_id)
        return session

    async def touch(self, session: Session, *, called: str | None = None) -> bool:
        """Note that the session is in use, at most once per `touch_every`; True when something was written.

        Noted at once is that the browser has come with the identifier that it was given last: `called`. Never fails: a
        session that cannot be touched only ends earlier. It cannot bring back a session that ended.
        """
        now = int(self._now())
        suffixes = after(session.record, called, names=self._names, now=now)
        if (
            suffixes is session.record.suffixes and not self._touch_is_due(session, now)
        ) or now < self._no_touch_before:
            return False
        held = session.record
        expiry = self._lifetimes.expiry(begun=held.created_at, used=now, remembered=held.remembered)
        idle_expires_at = min(expiry[0], held.expires_at)
        record = msgspec.structs.replace(
            held,
            last_seen_at=max(now, held.last_seen_at),
            idle_expires_at=max(idle_expires_at, held.idle_expires_at),
            data=self._own_data.resealed(session),
            suffixes=suffixes,
        )
        signed = self._reader.signed(session.key, record)
        try:
            touched = await self._store.replace(
                session.key, record=signed, version=session.version, expires_at=time_of(idle_expires_at)
            )
        except StoreUnavailable as error:
            self._no_touch_before = now + TOUCH_PAUSE.total_seconds()
            log.warning("session_not_touched", reason=str(error))
            return False
        if touched:
            self.in_use.seen(now, before=held.last_seen_at)
        return touched

    def next_id(self, session: Session, session_id: str) -> str | None:
        """Return the identifier to give to the browser instead of this one; None while it is to keep it."""
        return successor(session.record, session_id, names=self._names)

    def data(self, session: Session) -> Values:
        """Return the application's own data in the session; nothing when it cannot be opened."""
        return self._own_data.of(session)

    async def change_data(self, session: Session, changed: Changes) -> None:
        """Change the application's data as it is now, whoever else has changed it meanwhile.

        NotSignedIn when the session has ended; SessionDataRefused when there would be too much.
        """
        for _ in range(MOST_COLLISIONS):
            present = await self.by_key(session.key)
            if present is None:
                raise NotSignedIn("the session has ended")
            record = self._own_data.put_into(present, data.merged(self.data(present), changed))
            if await self._store.replace(
                present.key,
                record=self._reader.signed(present.key, record),
                version=present.version,
                expires_at=present.idle_expires_at,
            ):
                return
        raise StoreUnavailable("the session's data was changed by too many requests at once")

    async def regrant(self, session: Session, granted: frozenset[str]) -> Session:
        """Let the session's person have these roles of ours from the next request on; one that has ended stays so.

        That request brings the browser another identifier (SEC-071).
        """
        for _ in range(MOST_COLLISIONS):
            user = session.user.with_grants(granted)
            if user is session.user:
                return session
            record = session.record.told_of(user)
            signed = self._reader.signed(session.key, record)
            expires_at = session.idle_expires_at
            if await self._store.replace(session.key, record=signed, version=session.version, expires_at=expires_at):
                return msgspec.structs.replace(session, record=record, version=session.version + 1)
            present = await self.by_key(session.key)
            if present is None:
                return session
            session = present
        raise StoreUnavailable("the session was changed by too many requests at once")

    async def retell(self, session: Session, user: User) -> bool:
        """Let the session's person, and nobody else, be as they are now; False when the session was changed meanwhile.

        Nothing is written when they are as they were.
        """
        if user == session.user:
            return True
        if user.key != session.user.key:
            raise ValueError("a session stays its person's")
        signed = self._reader.signed(session.key, session.record.told_of(user))
        expires_at = session.idle_expires_at
        return await self._store.replace(session.key, record=signed, version=session.version, expires_at=expires_at)

    async def regrant_all_of(self, user: User, granted: frozenset[str]) -> None:
        """Do `regrant` with every session of this person."""
        for session in await self.by_user(user, limit=MOST_LOOKED_THROUGH):
            await self.regrant(session, granted)

    async def tokens(self, session: Session) -> SessionTokens | None:
        """Return the session's tokens as they are now, or None when it has ended or they cannot be opened."""
        stored = await self._store.get_tokens(session.key)
        if stored is None:
            return None
        sealed, version = stored
        opened = self._sealer.open(sealed, purpose="session-tokens", bound_to=_owner(session))
        tokens = held.decode(opened) if opened else None
        if tokens is None:
            log.error("session_unreadable", part="tokens")
            return None
        retry_at = time_of(tokens.retry_at)
        return SessionTokens(tokens.tokens, version, retry_at, tokens.failures, tokens.step, tokens.interrupted)

    async def save_tokens(
        self,
        session: Session,
        tokens: bytes,
        *,
        version: int,
        due_at: datetime | None = None,
        interrupted: tuple[Interrupted, ...] = (),
    ) -> bool:
        """Store the successors of the tokens of `version`; False when another was first or the session has ended.

        `due_at` is when they want renewal, None for never; `interrupted` what is still on hold.
        """
        return await self._hold(session, HeldTokens(tokens, interrupted=interrupted), version, due_at)

    async def hold_requests(
        self, session: Session, tokens: SessionTokens, requests: tuple[Interrupted, ...], *, due_at: datetime | None
    ) -> bool:
        """Keep these tokens, and these requests on hold instead of those before; False like `save_tokens`."""
        waiting = msgspec.structs.replace(tokens.held(), interrupted=requests)
        return await self._hold(session, waiting, tokens.version, due_at)

    async def pause_renewal(self, session: Session, tokens: SessionTokens, *, until: datetime) -> bool:
        """Keep these tokens, and let nobody try to renew them before `until`; False like `save_tokens`."""
        noted = tokens.held(retry_at=until, failures=tokens.failures + 1)
        return await self._hold(session, noted, tokens.version, until)

    async def want_step(self, session: Session, tokens: SessionTokens, step: Step) -> bool:
        """Keep these tokens and what the person must do first; they are not due before. False like `save_tokens`."""
        return await self._hold(session, msgspec.structs.replace(tokens.held(), step=step), tokens.version, None)

    async def by_key(self, key: bytes) -> Session | None:
        """Return the living session of this store key; for work in the background, never for a cookie."""
        stored = await self._store.get(key)
        return self._session(key, stored) if stored else None

    async def by_user(self, user: User, *, limit: int = 100) -> list[Session]:
        """Return at most `limit` living sessions of this person, the last used first."""
        await self._index_older()
        most = max(limit, MOST_LOOKED_THROUGH)  # the store has no order: the last used may be anywhere
        rows = [row for name in self._names.user(user) for row in await self._store.by_user(name, limit=most)]
        found = [self._session(key, stored) for key, stored in rows]
        theirs = [session for session in found if session and session.user.key == user.key]
        return sorted(theirs, key=lambda session: (session.last_seen_at, session.created_at), reverse=True)[:limit]

    async def by_handle(self, user: User, handle: str) -> Session | None:
        """Return the session of this person that pages call `handle`; None for another's, or one that has ended."""
        theirs = await self.by_user(user, limit=MOST_LOOKED_THROUGH)
        return next((session for session in theirs if self._names.is_handle(handle, session.key)), None)

    def handle(self, session: Session) -> str:
        """Return what pages and APIs call this session: 22 characters that neither cookie nor store key follow from."""
        return self._names.handle(session.key)

    async def due(self, *, before: datetime, limit: int) -> list[bytes]:
        """Return the keys of at most `limit` living sessions whose tokens want renewal before then, soonest first."""
        return await self._store.due(before=before, limit=limit)

    async def postpone(self, session: Session, *, due_at: datetime | None) -> None:
        """Let the session's tokens want renewal then; None: never, until they are replaced."""
        await self._store.postpone(session.key, due_at=due_at)

    async def by_sid(self, issuer: str | None, sid: str) -> list[Session]:
        """Return every living session that began with this `sid` of this issuer; None: of any, where they are many."""
        await self._index_older()
        indexed = {under for under in (issuer, self._sids_under) if under is not None}
        names = [name for under in indexed for name in self._names.sid(under, sid)]
        keys = {key for name in names for key in await self._store.by_sid(name)}
        found = [session for key in keys if (session := await self.by_key(key))]
        return [session for session in found if issuer in {None, session.user.issuer}]

    async def end_sessions(self, keys: Sequence[bytes]) -> None:
        """End the sessions that the store knows by these keys, here and on every worker."""
        if keys:
            await self._store.delete(keys)

    async def end_all_of(self, user: User, *, but: Session | None = None) -> int:
        """End every session of this person but that one; return how many there were."""
        await self._index_older()
        kept = but.key if but else None
        ended = 0
        for name in self._names.user(user):
            # one more than a batch: were the one that is kept always in the way, the rest would never come up
            while keys := [key for key, _ in await self._store.by_user(name, limit=BATCH + 1) if key != kept]:
                await self._store.delete(keys)
                ended += len(keys)
        return ended

    async def end(self, session_id: str) -> None:
        """End the session of this id, or of one that it had before, on every worker; an unknown id is no error."""
        await self.end_sessions(self._names.keys(session_id[:STEM]))

    async def spend_once(self, transaction_id: str, *, lifetime: timedelta) -> bool:
        """Use up a transaction; True the first time only, on whichever worker.

        The hash has no key on purpose: workers in the middle of a key rotation must agree on it.
        """
        key = sha256(b"transaction" + transaction_id.encode()).digest()
        return await self._store.add_if_absent(key, lifetime=lifetime)

    async def sweep(self, *, limit: int = BATCH) -> int:
        """Delete at most `limit` expired sessions and as many spent transactions; return how many there were."""
        await self._index_older()
        return await self._store.delete_expired(limit=limit)

    async def _theirs(self, user: User, session_id: str | None) -> Session | None:
        """Return the living session of this id if it is this person's; a sign-in takes longer than an ending lasts."""
        session = await self.of_stem(session_id) if session_id else None
        return session if session and session.user.key == user.key else None

    def _goes_by(self, session: Session, session_id: str, now: float) -> bool:
        return goes_by(session.record, session_id, names=self._names, now=now)

    def _session(self, key: bytes, stored: Stored) -> Session | None:
        session = self._reader.read(key, stored)
        return session if session and session.lives(self._now()) else None

    def _touch_is_due(self, session: Session, now: float) -> bool:
        # one used in the future is left as it is: whether that clock was ahead or ours is behind cannot be told (0401)
        return now >= session.record.last_seen_at + self._touch_every and now >= self._no_touch_before

    async def _index_older(self) -> None:
        """Index what an older release began without an index; where there is none this asks the store once."""
        while rows := await self._store.by_user(NOT_INDEXED, limit=BATCH):
            found = {key: self._session(key, stored) for key, stored in rows}
            await self._store.index(
                {key: self._index(session.user) if session else _lost(key) for key, session in found.items()}
            )

    def _index(self, user: User, *, due_at: datetime | None = None) -> Index:
        sid = self._names.sid(self._sids_under or user.issuer, user.sid)[0] if user.sid else None
        return Index(user=self._names.user(user)[0], sid=sid, due_at=due_at)

    async def _hold(self, session: Session, tokens: HeldTokens, version: int, due_at: datetime | None) -> bool:
        sealed = self._seal(session, tokens)
        return await self._store.replace_tokens(session.key, tokens=sealed, version=version, due_at=due_at)

    def _seal(self, session: Session, tokens: HeldTokens) -> bytes:
        return self._sealer.seal(held.encode(tokens), purpose="session-tokens", bound_to=_owner(session))


def _owner(session: Session) -> tuple[bytes, ...]:
    """Bind tokens to their row, person and tenant, so that they open nowhere else (SEC-168)."""
    return owner(session.key, session.user)


def _lost(key: bytes) -> Index:
    """Index what no key of our ring opens, by nothing that anybody would look for."""
    return Index(user=key, sid=None, due_at=None)
