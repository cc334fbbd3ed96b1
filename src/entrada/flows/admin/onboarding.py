"""Bringing an organisation in: its administrator agrees at the authority, and shows here who they are.

    begin ──► /adminconsent of the authority ──► match ──► a sign-in of the same person ──► the table of tenants
                                                   state found in this browser, spent once

What the consent brings back, `tenant` above all, comes through the browser and proves nothing: anybody can write it. It
only says for which tenant the ID token of the sign-in that follows must be (Microsoft's advice, SEC-122).
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from entrada.clock import Clock
from entrada.errors import AuthorityRefused, TransactionRefused
from entrada.flows.signing_in.callback import LONGEST_STATE
from entrada.flows.signing_in.signin import RANDOM_BYTES
from entrada.flows.signing_in.transaction import CLOCKS_APART, handle_of, still_open
from entrada.keyring import Purpose
from entrada.provider import aadsts
from entrada.provider.authorization import admin_consent_url
from entrada.provider.discovery import Discovery
from entrada.provider.groups import graph_scope
from entrada.provider.tenants import PERSONAL
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.settings import Settings
from entrada.well_known import GUID

PURPOSE: Purpose = "onboarding"
T = TypeVar("T")
ATTEMPT, OUTCOME = (b"attempt",), (b"outcome",)
SHOWN_FOR = timedelta(days=1)  # how long the page that says what came of it can be opened again
LONGEST = 2048
DECLINED = frozenset({"access_denied", "consent_required", "permission_denied"})
NEEDS_ADMINISTRATOR = frozenset({"AADSTS90094", "AADSTS90093"})


class OnboardingLost(TransactionRefused):
    """The answer is not one that this browser waits for, or not one at all."""

    code = "invalid_onboarding"
    public = "This was started in another browser, took too long, or was already answered."


class ConsentDeclined(AuthorityRefused):
    """Nobody agreed for the organisation: the person declined, or cancelled."""

    public = "Your organisation did not agree, so nothing was changed."


class AdministratorNeeded(ConsentDeclined):
    """The person may not agree for their organisation."""

    public = "Only an administrator of your organisation can agree for it."


class Attempt(msgspec.Struct, frozen=True, array_like=True):
    """One way to the consent and back, in the browser's own keeping."""

    state: str
    client_id: str
    created: datetime

    def __repr__(self) -> str:
        return f"Attempt(client_id={self.client_id!r})"


class Outcome(msgspec.Struct, frozen=True, array_like=True):
    """Whose organisation the page at the end is about."""

    tenant_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Begun:
    """A way that has begun: where to send the browser, and what it keeps."""

    url: str = field(repr=False)
    sealed: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """The parameters that came back, none of them believed yet."""

    state: str = field(repr=False)
    tenant: str | None
    admin_consent: bool
    error: str | None
    error_description: str = field(repr=False)

    @classmethod
    def parse(cls, parameters: Iterable[tuple[str, str]]) -> "ConsentAnswer":
        """Read the answer; OnboardingLost without a usable state, or with a repeated parameter (SEC-016)."""
        found: dict[str, str] = {}
        for name, value in parameters:
            if name in found:
                raise OnboardingLost("the answer repeats a parameter")
            found[name] = value
        state = found.get("state", "")
        if not state or len(state) > LONGEST_STATE:
            raise OnboardingLost("the answer has no usable state")
        return cls(
            state=state,
            tenant=found.get("tenant"),
            admin_consent=found.get("admin_consent", "").lower() == "true",
            error=found.get("error"),
            error_description=found.get("error_description", ""),
        )


class Onboarding:
    """Leads administrators to the consent of one authority, and reads what they bring back."""

    def __init__(
        self, settings: Settings, *, discovery: Discovery, sealer: Sealer, sessions: Sessions, clock: Clock
    ) -> None:
        self._settings = settings
        self._discovery = discovery
        self._sealer = sealer
        self._sessions = sessions
        self._clock = clock

    async def begin(self) -> Begun:
        """Begin: a fresh state, and the address of the authority's page."""
        metadata = await self._discovery.metadata()
        attempt = Attempt(secrets.token_urlsafe(RANDOM_BYTES), self._settings.client_id, self._clock())
        url = admin_consent_url(
            metadata,
            client_id=attempt.client_id,
            scope=graph_scope(self._settings.graph_url),
            redirect_uri=self._settings.onboarding_uri,
            state=attempt.state,
        )
        return Begun(url, self._sealed(attempt, ATTEMPT))

    async def match(self, answer: ConsentAnswer, *, sealed: str | None) -> str:
        """Find the attempt that is answered, spend it, and return the tenant that the answer names, unproven."""
        attempt = self._opened(sealed, ATTEMPT, Attempt) if sealed else None
        if attempt is None or not hmac.compare_digest(attempt.state.encode(), answer.state.encode("utf-8", "replace")):
            raise OnboardingLost("this browser has no such on-boarding open")
        lifetime, ours = self._settings.sign_in_lifetime, attempt.client_id == self._settings.client_id
        if not ours or not still_open(attempt.created, lifetime, now=self._clock()):
            raise OnboardingLost("the on-boarding took too long, or was begun for another client")
        handle = handle_of(attempt.state)
        if not await self._sessions.spend_once(handle, lifetime=lifetime + CLOCKS_APART):
            raise OnboardingLost("the on-boarding was already answered")  # SEC-014
        return _tenant_in(answer)

    def seal_outcome(self, tenant_id: str) -> str:
        """Return the organisation that the page at the end is about, as the value of a parameter."""
        return self._sealed(Outcome(tenant_id, self._clock()), OUTCOME)

    def open_outcome(self, text: str) -> str | None:
        """Return it again; None when it was not sealed here, or is too old."""
        outcome = self._opened(text, OUTCOME, Outcome)
        return outcome.tenant_id if outcome and self._clock() - outcome.at < SHOWN_FOR else None

    def _sealed(self, value: Attempt | Outcome, kind: tuple[bytes, ...]) -> str:
        return self._sealer.seal_text(msgspec.msgpack.encode(value), purpose=PURPOSE, bound_to=kind)

    def _opened(self, text: str, kind: tuple[bytes, ...], wanted: type[T]) -> T | None:
        plain = self._sealer.open_text(text, purpose=PURPOSE, bound_to=kind) if len(text) <= LONGEST else None
        try:
            return msgspec.msgpack.decode(plain, type=wanted) if plain is not None else None
        except msgspec.MsgspecError:
            return None


def _tenant_in(answer: ConsentAnswer) -> str:
    """Return the tenant of an answer that agrees; raise what its error means."""
    if answer.error is not None:
        refused = aadsts.refusal(answer.error, answer.error_description)
        if refused.aadsts in NEEDS_ADMINISTRATOR:
            raise AdministratorNeeded(str(refused), error=refused.code, aadsts=refused.aadsts)
        if refused.code in DECLINED:
            raise ConsentDeclined(str(refused), error=refused.code, aadsts=refused.aadsts)
        raise refused
    tenant_id = (answer.tenant or "").lower()
    if not answer.admin_consent or not GUID.fullmatch(tenant_id) or tenant_id == PERSONAL:
        raise OnboardingLost("the answer does not say that an organisation agreed")
    return tenant_id
