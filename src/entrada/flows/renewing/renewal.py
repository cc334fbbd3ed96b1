"""Exactly one renewal for an expired token, however many requests, tasks, workers and hosts ask (TOK-4, SEC-106).

In this process all who ask for the same join one flight. Between processes a lease in the store lets one of them ask
the authority; the others look into the store now and then, and take what they find there. Tokens are stored before they
are used, and only over the version that was renewed, so whoever comes late loses (SEC-107, SEC-108).
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Protocol

import anyio

from entrada.clock import Clock
from entrada.errors import (
    AuthorityUnavailable,
    EntradaError,
    InteractionRequired,
    NotSignedIn,
    NotVerifiableYet,
    RenewalRefused,
    SignInRefused,
    StoreUnavailable,
    TokenRefused,
)
from entrada.events import EventName
from entrada.flows.flights import Flights
from entrada.flows.renewing.person_now import PersonNow
from entrada.flows.renewing.schedule import Schedule
from entrada.flows.stepping_up import challenge
from entrada.logs import log
from entrada.meters import Counts, Waits
from entrada.principal import User
from entrada.provider.aadsts import REFUSED_FOR, ScopesRefused
from entrada.provider.clients.token_client import Acquired, NothingToRenewWith, TokenClient
from entrada.provider.setbacks import Setbacks
from entrada.provider.tokens.id_token import IdTokenVerifier
from entrada.provider.tokens.validate import Claims, TokenOver
from entrada.sessions.held import Step
from entrada.sessions.leases import Lease, Leases
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.session import Session, SessionTokens
from entrada.tracing import traced

LOOK_EVERY = 0.1  # seconds; one read of the store for each session that waits in a process
LOOK_FIRST = 0.02
ASK_EVERY = 0.5  # seconds between attempts at another's lease, which write where a look only reads
STEP_PATIENCE = 60  # seconds until the authority is asked again whether it still wants a step of the person
MOST_PAUSE = 600  # seconds; no pause is longer but one that was noted by a clock that is ahead, which holds nobody up
MOST_WAITING = 25.0  # seconds: a lease that ran out (12), one call to the authority (10), and some more
STORE_AGAIN = 0.1  # seconds until tokens are offered again to a store that failed; doubled up to
STORE_AT_LEAST_EVERY = 0.5  # few sessions are ever in this state: no more than there are calls to the authority
LANDING = 20.0  # seconds that a process which stops waits for its renewals
OUTCOMES = ("renewed", "step", "refused", "outage", "late")


class Tell(Protocol):
    """Tells those who listen what happened, with the facts of a request where there is one."""

    async def __call__(self, name: EventName, *, user: User | None = None, reason: str | None = None) -> None: ...  # noqa: D102


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a renewal is to bring."""

    scopes: tuple[str, ...]
    replacing: bytes | None = None
    """The digest of tokens that are replaced although they last."""
    claims: str | None = None
    """The claims challenge of an API that refused the token."""


def digest(held: SessionTokens) -> bytes:
    """Return what tells these tokens from their successors; notes about them change nothing."""
    return sha256(held.blob).digest()


def _place(session: Session, wanted: Wanted) -> bytes:
    return "\0".join((session.user.tenant_id or "", *wanted.scopes)).encode()


class Renewal:
    """Renews the tokens of sessions."""

    def __init__(
        self,
        sessions: Sessions,
        leases: Leases,
        *,
        client: TokenClient,
        verifier: IdTokenVerifier,
        schedule: Schedule,
        person_now: PersonNow,
        revoke: Callable[[Sequence[bytes]], None],
        clock: Clock,
    ) -> None:
        """Renew in `sessions`; `revoke` takes tokens that came for a session that has ended."""
        self._revoke = revoke
        self._person_now = person_now
        self._sessions = sessions
        self._leases = leases
        self._client = client
        self._verifier = verifier
        self._schedule = schedule
        self._clock = clock
        self._setbacks = Setbacks(clock)  # of scopes that nobody gets tokens for; they hold up no others
        self._flights: Flights[Acquired] = Flights()
        self.outcomes = Counts(OUTCOMES)
        """How each time ended that the authority was asked; `late`: another worker's tokens were stored first."""
        self.waits = Waits()
        """How long requests waited for a renewal, their own or one that they joined."""
        self._unsaved: set[bytes] = set()  # sessions whose new tokens the store has not got yet

    @traced("renewal wait")
    async def renewed(self, session: Session, wanted: Wanted, *, tell: Tell) -> Acquired:
        """Return a token from a renewal that this call, or another for the same at the same time, has caused.

        RenewalRefused when the session has ended for it, InteractionRequired when the person must act, NotSignedIn when
        the session is gone, ScopesRefused when nobody gets what is wanted, AuthorityUnavailable when no token can be
        had and the held one is over.
        """
        for place in (_place(session, wanted), session.key + _place(session, wanted)):
            self._setbacks.check(place)
        flight = (session.key, wanted)
        joined = flight in self._flights
        with self.waits.timed():
            acquired = await self._flights.join(flight, lambda: self._renew(session, wanted, tell))
        return replace(acquired, source="cache") if joined else acquired

    async def ahead(self, session: Session, scopes: Sequence[str], *, tell: Tell) -> None:
        """Renew although the held token still lasts; errors like `renewed`, an outage shows."""
        held = await self.held(session)
        wanted = Wanted(tuple(scopes), replacing=digest(held))
        await self._flights.join((session.key, wanted), lambda: self._renew(session, wanted, tell))

    async def held(self, session: Session) -> SessionTokens:
        """Return the session's tokens as they are now; NotSignedIn when it has ended."""
        held = await self._sessions.tokens(session)
        if held is None:
            raise NotSignedIn("the session has ended")
        return held

    async def land(self) -> None:
        """Let renewals under way finish: a rotated refresh token that is not stored is lost (REL-073)."""
        await self._flights.land(within=LANDING)

    async def _renew(self, session: Session, wanted: Wanted, tell: Tell) -> Acquired:
        """Be the one who asks, or wait for what that one stores."""
        began, seen, ask_at, pause = time.monotonic(), -1, 0.0, LOOK_FIRST
        while (waited := time.monotonic() - began) < MOST_WAITING:
            held = await self.held(session)
            if settled := self._settled(held, wanted):
                return settled
            if held.version != seen or waited >= ask_at:
                seen, ask_at = held.version, waited + ASK_EVERY
                if renewed := await self._in_turn(session, wanted, tell):
                    return renewed
            await anyio.sleep(pause)
            pause = min(pause * 1.5, LOOK_EVERY)
        raise AuthorityUnavailable("another worker's renewal does not come to an end")

    async def _in_turn(self, session: Session, wanted: Wanted, tell: Tell) -> Acquired | None:
        """Renew under the lease; None when another has it, or it was lost before anything was asked."""
        if session.key in self._unsaved:  # a flight for other scopes, which may have lost its lease to the outage
            return None
        async with self._leases.taken(b"renewal:" + session.key) as lease:
            if lease is None:
                return None
            held = await self.held(session)  # again: its last holder has left something
            return self._settled(held, wanted) or await self._asked(session, held, wanted, lease, tell)

    def _settled(self, held: SessionTokens, wanted: Wanted) -> Acquired | None:
        """Return the token that needs no renewal, or need not have one now; None when the authority is to be asked."""
        fresh = self._client.cached(held.blob, wanted.scopes)
        if fresh and wanted.replacing != digest(held):
            return fresh
        step, now = held.step, self._clock()
        if step and step.scopes == wanted.scopes and 0 < step.until - now.timestamp() <= MOST_PAUSE:
            claims = wanted.claims or step.claims or None
            raise InteractionRequired("the person's next step is waited for", claims=claims)
        pause = (held.retry_at - now).total_seconds()
        if pause <= 0:
            return None
        lasting = self._client.lasting(held.blob, wanted.scopes)
        if lasting is None or wanted.replacing is not None:
            if pause > MOST_PAUSE:
                return None
            raise AuthorityUnavailable("a renewal failed a moment ago", retry_after=math.ceil(pause))
        return lasting

    @traced("renewal")
    async def _asked(
        self, session: Session, held: SessionTokens, wanted: Wanted, lease: Lease, tell: Tell
    ) -> Acquired | None:
        if not await lease.is_ours():  # this process was stopped in between
            return None
        try:
            acquired = await self._client.acquire(held.blob, wanted.scopes, force=True, claims=wanted.claims)
        except AuthorityUnavailable as outage:
            if isinstance(outage, ScopesRefused) and not self._schedule.asks_for(wanted.scopes):
                self._setbacks.note(_place(session, wanted), outage)
                raise
            await self._put_off(session, held, outage)
            return None
        except (RenewalRefused, TokenRefused) as refused:
            if self._may_be_of_scopes(refused, wanted):
                own = Wanted(tuple(self._schedule.scopes), replacing=digest(held))
                if await self._asked(session, held, own, lease, tell):
                    raise self._only_these(session, wanted, refused) from None
                return None
            return await self._refused(session, held, wanted, refused, tell)
        try:
            return await self._taken(session, held, wanted, acquired, tell)
        except (NotSignedIn, RenewalRefused):  # the session has ended, meanwhile or for this: these are nobody's
            self._revoke([acquired.tokens or held.blob])
            raise

    def _may_be_of_scopes(self, refused: EntradaError, wanted: Wanted) -> bool:
        """Say whether the grant may be good for what sign-in asks for: an API may be for other people only (0385)."""
        is_grants = isinstance(refused, RenewalRefused)
        of_person = isinstance(refused, InteractionRequired | NothingToRenewWith)
        others = bool(self._schedule.scopes) and not self._schedule.asks_for(wanted.scopes)
        return is_grants and not of_person and others

    def _only_these(self, session: Session, wanted: Wanted, refused: EntradaError) -> ScopesRefused:
        """Return what is raised for a refusal of these scopes for this person alone."""
        only_these = ScopesRefused(str(refused), retry_after=REFUSED_FOR)
        self._setbacks.note(session.key + _place(session, wanted), only_these)
        return only_these

    async def _taken(
        self, session: Session, held: SessionTokens, wanted: Wanted, acquired: Acquired, tell: Tell
    ) -> Acquired | None:
        """Verify, store and hand out what the authority gave; None where that is to be looked at again."""
        try:
            told = await self._verified(session, acquired)
        except (AuthorityUnavailable, NotVerifiableYet, TokenOver) as doubt:
            await self._unverified(session, held, wanted, acquired, doubt)
            return None
        except TokenRefused as refused:
            return await self._refused(session, held, wanted, refused, tell)
        kept = await self._kept(session, held, acquired, wanted.scopes)
        if told is not None:
            await self._follow(session, told, tell)
        return kept

    async def _verified(self, session: Session, acquired: Acquired) -> Claims | None:
        """Return what the renewed ID token says; None when there came none."""
        if acquired.id_token is None:
            return None
        token, beside = acquired.id_token, acquired.access_token
        return await self._verifier.verify_renewed(token, of=session.user, access_token=beside)

    async def _follow(self, session: Session, told: Claims, tell: Tell) -> None:
        try:
            await self._person_now.follow(session, told)
        except SignInRefused as refused:
            log.warning("renewal_refused", reason=str(refused))
            raise await self._end(session, refused, tell) from None

    async def _kept(self, session: Session, held: SessionTokens, acquired: Acquired, scopes: Sequence[str]) -> Acquired:
        """Store what was renewed, then hand it out; another's, when our lease had passed on and they were first.

        While the store fails nobody waits for it, but the tokens are kept here and offered to it again and again: a
        provider may have taken back the ones that it holds (SEC-108).
        """
        pause = STORE_AGAIN
        self._unsaved.add(session.key)
        try:
            while True:
                try:
                    theirs = await self._stored(session, held, acquired.tokens or held.blob)
                    self.outcomes.add("late" if theirs else "renewed")
                    return self._adopted(theirs, scopes) if theirs else acquired
                except StoreUnavailable as error:
                    if acquired.expires_at <= self._clock():
                        raise
                    log.warning("renewed_tokens_wait_for_the_store", reason=str(error))
                    self._flights.excuse(error)
                await anyio.sleep(pause)
                pause = min(pause * 2, STORE_AT_LEAST_EVERY)
        finally:
            self._unsaved.discard(session.key)

    async def _stored(self, session: Session, held: SessionTokens, tokens: bytes) -> SessionTokens | None:
        """Store over the tokens that were renewed; return another's instead, when they were first."""
        due_at = self._schedule.due_at(tokens)
        while not await self._sessions.save_tokens(
            session, tokens, version=held.version, due_at=due_at, interrupted=held.interrupted
        ):
            theirs = await self.held(session)
            if theirs.blob == tokens:  # stored, and only the store's answer was lost
                return None
            if theirs.blob != held.blob and theirs.version >= held.version:
                log.warning("renewal_came_late")
                return theirs
            held = theirs  # they only noted a failure, or the store has gone back to tokens of before
        return None

    def _adopted(self, theirs: SessionTokens, scopes: Sequence[str]) -> Acquired:
        found = self._client.lasting(theirs.blob, scopes)
        if found is None:
            raise AuthorityUnavailable("the session's tokens were changed while they were being renewed", retry_after=1)
        return found

    async def _put_off(self, session: Session, held: SessionTokens, outage: AuthorityUnavailable) -> None:
        """Keep the session and try again later; meanwhile the held token will do, while it lasts (SEC-110)."""
        await self._sessions.pause_renewal(session, held, until=self._retry_at(held, outage))

    async def _unverified(
        self, session: Session, held: SessionTokens, wanted: Wanted, acquired: Acquired, doubt: EntradaError
    ) -> None:
        """Use nothing of what was renewed, but keep its refresh token: the provider may have taken the old one back.

        Its key is not to be had, or our clock is wrong: that is no fault of the person's, who stays (SEC-108, SEC-110).
        """
        outage = doubt if isinstance(doubt, AuthorityUnavailable) else AuthorityUnavailable(str(doubt))
        until = self._retry_at(held, outage)
        kept = self._client.with_refresh_token_of(held.blob, acquired.tokens or held.blob)
        while not await self._sessions.pause_renewal(session, replace(held, blob=kept), until=until):
            theirs = await self.held(session)
            if theirs.blob != held.blob and theirs.version >= held.version:  # another's, or these: the answer was lost
                return
            held = theirs
        if wanted.replacing is not None:
            raise outage

    def _retry_at(self, held: SessionTokens, outage: AuthorityUnavailable) -> datetime:
        self.outcomes.add("outage")
        until = self._schedule.retry_at(outage, failures=held.failures)
        log.warning("renewal_put_off", reason=str(outage), until=until.isoformat(timespec="seconds"))
        return until

    async def _refused(
        self,
        session: Session,
        held: SessionTokens,
        wanted: Wanted,
        refused: RenewalRefused | TokenRefused,
        tell: Tell,
    ) -> Acquired | None:
        """End the session, or leave it to the person's next step; unless others have renewed it meanwhile."""
        if isinstance(refused, NothingToRenewWith):
            if wanted.claims or not self._client.granted(held.blob, wanted.scopes):
                refused = InteractionRequired(str(refused), claims=wanted.claims)
            elif lasting := self._client.lasting(held.blob, wanted.scopes):
                await self._sessions.pause_renewal(session, held, until=lasting.expires_at)
                return lasting
        if (await self.held(session)).blob != held.blob:
            return None
        self.outcomes.add("step" if isinstance(refused, InteractionRequired) else "refused")
        log.warning("renewal_refused", reason=str(refused))
        if isinstance(refused, InteractionRequired):
            raise await self._step(session, held, wanted, refused, tell)
        raise await self._end(session, refused, tell) from None

    async def _end(self, session: Session, refused: RenewalRefused | SignInRefused, tell: Tell) -> RenewalRefused:
        """End the session, and return what is raised for it."""
        await self._sessions.end_sessions([session.key])
        await tell("renewal_failed", user=session.user, reason=refused.code)
        await tell("session_ended", user=session.user, reason="renewal_refused")
        return refused if isinstance(refused, RenewalRefused) else RenewalRefused(str(refused))

    async def _step(
        self, session: Session, held: SessionTokens, wanted: Wanted, refused: InteractionRequired, tell: Tell
    ) -> InteractionRequired:
        """Keep what the person must do, for their next sign-in; told once. The session goes on meanwhile.

        A scope that no sign-in asks for is no step of theirs: signing in again would not bring it.
        """
        claims = challenge.usable(refused.claims) or wanted.claims
        if claims or self._schedule.asks_for(wanted.scopes):
            until = math.ceil(self._clock().timestamp()) + STEP_PATIENCE
            step = Step(wanted.scopes, claims or "", until)
            if await self._sessions.want_step(session, held, step) and not held.step:
                await tell("renewal_failed", user=session.user, reason=refused.code)
        return InteractionRequired(str(refused), aadsts=refused.aadsts, claims=claims)
