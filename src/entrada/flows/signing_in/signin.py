"""Signing in: the redirect to the authority, the match of its answer, and the session at the end.

    start ──► authority ──► match ──► finish
                             │          redeem the code · verify the ID token · admit the person · begin the session
                             state found in this browser, spent once, `iss` right, no error

Nothing is written before every check has passed (SEC-020).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import msgspec

from entrada.clock import Clock
from entrada.errors import AuthorityRefused, EntradaError, StoreUnavailable, TenantRefused, TransactionRefused
from entrada.flows.renewing.schedule import Schedule
from entrada.flows.signing_in.callback import AuthorizationResponse, Cancelled, MatchedCallback
from entrada.flows.signing_in.provisioning import Provisioning
from entrada.flows.signing_in.transaction import CLOCKS_APART, Transaction, handle_of, seal, unseal
from entrada.flows.signing_in.user_flows import Onward, UserFlows
from entrada.flows.signing_in.wishes import Wish, Wishes
from entrada.flows.signing_out.endings import Endings
from entrada.flows.stepping_up.step_up import Proof, both
from entrada.principal import User
from entrada.provider import aadsts
from entrada.provider.authority import names_issuer
from entrada.provider.authorization import authorize_url, code_challenge
from entrada.provider.b2c import CANCELLED
from entrada.provider.clients.token_client import CodeGrant, Redeemed, TokenClient, sent_nonce
from entrada.provider.discovery import Discovery
from entrada.provider.metadata import Metadata
from entrada.provider.tenants import may_consent_for_all
from entrada.provider.tokens.id_token import IdTokenVerifier
from entrada.provider.tokens.identity import user_from
from entrada.provider.tokens.validate import Claims
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.record import RequestFacts
from entrada.sessions.sealing import Sealer
from entrada.sessions.session import Session
from entrada.settings import Settings
from entrada.tracing import traced

if TYPE_CHECKING:
    from entrada.flows.signing_in.profiles import Profiles
    from entrada.users.devices import Devices

RANDOM_BYTES = (
    32  # 256 bits each for state, nonce and verifier: twice what SEC-002 asks; the verifier has 43 characters
)
DEVICE_BYTES = 16
LONGEST_SEALED = 3900  # characters of an attempt: with its name and attributes a cookie has 4096 at most (SEC-084)
RESERVED_SCOPES = ("openid", "profile")


@dataclass(frozen=True, slots=True)
class Started:
    """An attempt on its way: where to send the browser, and what it keeps."""

    url: str = field(repr=False)
    handle: str
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A finished attempt: the new session and the address the person was going to."""

    session_id: str = field(repr=False)
    session: Session
    user: User
    device_id: str = field(repr=False)
    """What the browser is to keep, to be known again."""
    return_to: str
    uti: str | None = None
    """Entra's id of the ID token, by which its sign-in logs know this sign-in."""
    surplus: int = 0
    """How many older sessions of this person ended, because there were too many."""


def scopes_of(settings: Settings) -> tuple[str, ...]:
    """Return what a sign-in with these settings asks for."""
    offline = ("offline_access",) if settings.offline_access else ()
    return (*RESERVED_SCOPES, *offline, *settings.sign_in_scopes)


class SignIn:
    """Signs people in at one authority."""

    def __init__(
        self,
        settings: Settings,
        *,
        discovery: Discovery,
        client: TokenClient,
        verifier: IdTokenVerifier,
        sealer: Sealer,
        sessions: Sessions,
        endings: Endings,
        provisioning: Provisioning,
        devices: "Devices",
        profiles: "Profiles",
        schedule: Schedule,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._discovery = discovery
        self._client = client
        self._verifier = verifier
        self._sealer = sealer
        self._sessions = sessions
        self._endings = endings
        self._provisioning = provisioning
        self._devices = devices
        self._profiles = profiles
        self._schedule = schedule
        self._clock = clock
        self._user_flows = UserFlows(settings)
        self.wishes = Wishes(sealer, clock=clock)
        """What opens and makes links that say how to sign in."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The scopes asked for, exactly these (SEC-010)."""
        return scopes_of(self._settings)

    @traced("sign-in start")
    async def start(
        self,
        *,
        return_to: str,
        hints: Mapping[str, str],
        replaces: str | None = None,
        remember: bool = False,
        device: str | None = None,
        flow: str | None = None,
        proof: Proof = Proof(),
        asked: tuple[str, ...] = (),
        onboards: str | None = None,
        wish: Wish = Wish(),
    ) -> Started:
        """Begin an attempt: fresh state, nonce and verifier, and the address of the authority's page.

        `proof` is asked for beyond who it is; `asked` names it, and what was asked for a moment before. `onboards` is
        the tenant that the person is to show that they belong to; `wish` is the application's.
        """
        metadata = self._user_flows.metadata(await self._discovery.metadata(), flow)
        claims = await self._claims_lacked(replaces)
        transaction = Transaction(
            issuer=metadata.issuer,
            client_id=self._settings.client_id,
            redirect_uri=self._settings.callback_uri,
            state=secrets.token_urlsafe(RANDOM_BYTES),
            nonce=secrets.token_urlsafe(RANDOM_BYTES),
            code_verifier=secrets.token_urlsafe(RANDOM_BYTES),
            scopes=self.scopes,
            return_to=return_to,
            created=self._clock(),
            replaces=replaces,
            remember=remember,
            claims=claims,
            flow=flow,
            device=device,
            asked=asked,
            onboards=onboards,
            max_age=wish.max_age,
        )
        extra = {**self._hinted(hints, wish), **self._asking(proof, claims, wish)}
        url = self._address(metadata, transaction, extra)
        return Started(url=url, handle=handle_of(transaction.state), sealed=self._sealed(transaction))

    def _sealed(self, transaction: Transaction) -> str:
        """Return the attempt for its cookie; beside many scopes and claims there may be no room for a long address."""
        sealed = seal(transaction, sealer=self._sealer)
        if len(sealed) <= LONGEST_SEALED:
            return sealed
        return seal(replace(transaction, return_to=self._settings.home), sealer=self._sealer)

    def _hinted(self, hints: Mapping[str, str], wish: Wish) -> dict[str, str]:
        """Return the hints and the wish; at Entra who is to choose an account is given no hint of one (AADSTS90005)."""
        hinted = {**hints, **wish.parameters()}
        if wish.prompt == "select_account" and self._settings.entra_authority is not None:
            hinted.pop("login_hint", None)
        return hinted

    def _address(self, metadata: Metadata, transaction: Transaction, extra: Mapping[str, str]) -> str:
        """Return where the attempt goes, with what is asked beside."""
        return authorize_url(
            metadata,
            client_id=transaction.client_id,
            redirect_uri=transaction.redirect_uri,
            scopes=transaction.scopes,
            state=transaction.state,
            nonce=sent_nonce(transaction.nonce),
            code_challenge=code_challenge(transaction.code_verifier),
            response_mode=self._settings.response_mode,
            extra=extra,
        )

    def open(self, handle: str, sealed: str) -> Transaction | None:
        """Return an attempt that is still open, or None when it is not ours or too old."""
        transaction = unseal(handle, sealed, sealer=self._sealer)
        if transaction and transaction.begun_within(self._settings.sign_in_lifetime, now=self._clock()):
            return transaction
        return None

    @traced("sign-in match")
    async def match(self, answer: AuthorizationResponse, *, sealed: str | None) -> MatchedCallback | Onward:
        """Find the attempt that is answered, spend it, and refuse the authority's refusals."""
        handle = handle_of(answer.state)
        transaction = self.open(handle, sealed) if sealed else None
        if transaction is None or not transaction.answers(answer.state):
            raise TransactionRefused("this browser has no such attempt open" if sealed else "no transaction cookie")
        metadata = await self._discovery.metadata()  # before the attempt is spent: when it fails, a reload may succeed
        if not await self._sessions.spend_once(handle, lifetime=self._settings.sign_in_lifetime + CLOCKS_APART):
            raise TransactionRefused("the attempt was already used")  # SEC-014
        self._check_issuer(answer, transaction, metadata)
        if onward := self._user_flows.onward(transaction, answer):
            return onward
        if answer.error_subcode == "cancel" or (answer.error_description or "").startswith(CANCELLED):
            raise Cancelled("the person cancelled")
        if answer.error is not None:
            raise aadsts.refusal(answer.error, answer.error_description or "")
        return MatchedCallback(transaction=transaction, code=answer.code or "", issuer=answer.iss)

    @traced("sign-in finish")
    async def finish(
        self, callback: MatchedCallback, *, facts: RequestFacts, replacing: str | None, device: str | None
    ) -> SignedIn | Onward:
        """Redeem the code, verify the ID token, admit the person, begin the session.

        Whoever has on-boarded a tenant that is not let in yet is led on without one.
        """
        transaction = callback.transaction
        redeemed = await self._client.redeem(
            CodeGrant(
                code=callback.code,
                code_verifier=transaction.code_verifier,
                redirect_uri=transaction.redirect_uri,
                scopes=transaction.scopes,
                nonce=transaction.nonce,
            )
        )
        claims = await self._verified(redeemed, callback)
        user = await self._admitted(claims, transaction)
        if user is None:
            return Onward(transaction.return_to, sign_in=False)
        device_id = device or transaction.device or secrets.token_urlsafe(DEVICE_BYTES)
        sighting = await self._devices.seen(user, device_id, user_agent=facts.user_agent, at=self._clock())
        session_id, session = await self._sessions.begin(
            user,
            tokens=redeemed.tokens,
            facts=msgspec.structs.replace(facts, new_device=sighting == "new"),
            replacing=replacing or transaction.replaces,
            remember=transaction.remember,
            due_at=self._schedule.due_at(redeemed.tokens),
            asked=transaction.asked,
        )
        session = await self._as_they_stand(user, session_id, session)
        surplus = await self._endings.end_surplus_of(session, most=self._settings.most_sessions)
        self._profiles.begin(user, redeemed.tokens)
        return SignedIn(
            session_id=session_id,
            session=session,
            user=session.user,
            device_id=device_id,
            return_to=transaction.return_to,
            uti=uti if isinstance(uti := claims.values.get("uti"), str) else None,
            surplus=surplus,
        )

    async def _verified(self, redeemed: Redeemed, callback: MatchedCallback) -> Claims:
        """Return the claims of the ID token; where tenants are many, `iss` of the answer must be its issuer."""
        transaction = callback.transaction
        claims = await self._verifier.verify(
            redeemed.id_token,
            nonce=sent_nonce(transaction.nonce),
            access_token=redeemed.access_token,
            max_age=transaction.max_age,
        )
        if callback.issuer not in {None, claims.issuer}:
            raise AuthorityRefused("iss of the answer is not that of the ID token", error="invalid_issuer")
        return claims

    async def _admitted(self, claims: Claims, transaction: Transaction) -> User | None:
        """Return the person as they are admitted; None when they have on-boarded a tenant that is not let in now."""
        person, admission = user_from(claims), self._provisioning.admission
        if transaction.onboards is None:
            return await self._provisioning.admit(person, at=self._clock())
        if admission is None:
            raise TransactionRefused("nobody is on-boarded any more")
        shown = may_consent_for_all(claims.values)
        await admission.onboard(person, tenant_id=transaction.onboards, administrator=shown, at=self._clock())
        try:
            return await self._provisioning.admit(person, at=self._clock())
        except TenantRefused:
            return None

    async def _as_they_stand(self, user: User, session_id: str, session: Session) -> Session:
        """End what was begun for somebody who was shut out, deleted or signed out meanwhile; follow a change of roles.

        Whoever did so may have looked for their sessions too early.
        """
        try:
            granted = await self._provisioning.still(user)
            if self._settings.entra_authority is None and user.sid and await self._endings.has_ended(user.sid):
                raise AuthorityRefused("the provider has ended this sid meanwhile", error="session_ended")
        except EntradaError:
            await self._sessions.end(session_id)
            raise
        return await self._sessions.regrant(session, granted)

    def _asking(self, proof: Proof, challenge: str | None, wish: Wish) -> dict[str, str]:
        """Return the parameters that ask for a proof, for what a claims challenge wants, and for the wished claims."""
        at_entra = self._settings.entra_authority is not None
        claims = both(both(challenge, proof.claims(at_entra=at_entra)), wish.asked_claims())
        return proof.parameters(at_entra=at_entra) | ({"claims": claims} if claims else {})

    async def _claims_lacked(self, session_id: str | None) -> str | None:
        """Return the claims challenge that this browser's session has met and not answered."""
        try:
            session = await self._sessions.load(session_id) if session_id else None
            held = await self._sessions.tokens(session) if session else None
        except StoreUnavailable:  # a sign-in needs no store to begin; whoever lacks the claims asks again
            return None
        return held.step.claims or None if held and held.step else None

    def _check_issuer(self, answer: AuthorizationResponse, transaction: Transaction, metadata: Metadata) -> None:
        """Refuse an answer of another issuer (RFC 9207, SEC-009, SEC-017)."""
        if transaction.issuer != metadata.issuer or transaction.client_id != self._settings.client_id:
            raise TransactionRefused("the attempt was begun with another authority or client")
        if answer.iss is None and not metadata.iss_parameter_supported:
            return
        if answer.iss is None or not names_issuer(transaction.issuer, answer.iss):
            raise AuthorityRefused("iss is missing from the answer, or another's", error="invalid_issuer")
