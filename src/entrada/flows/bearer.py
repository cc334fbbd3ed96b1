"""A bearer token becomes whoever calls: verified once, asked about now and then, remembered until it expires.

What it joins: the authority's word for the token (`provider`), the application's rule and the directory of users.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

from entrada.clock import Clock, in_seconds
from entrada.errors import BearerRefused, SignInRefused, TenantRefused, TokenRefused
from entrada.flows.flights import Flights
from entrada.flows.signing_in.provisioning import Provisioning
from entrada.flows.signing_in.standing import Standing
from entrada.principal import App, Principal, User
from entrada.provider.keys import KeySet, VerificationKey
from entrada.provider.tokens.access_checks import AccessClaims
from entrada.provider.tokens.access_token import AccessTokenVerifier
from entrada.provider.tokens.claims_cache import ClaimsCache, Entry
from entrada.provider.tokens.identity import principal_from
from entrada.provider.tokens.introspection import Introspection
from entrada.provider.tokens.jws import MAX_BYTES

DOTS_OF_A_JWS = 2
ALWAYS = datetime.max.replace(tzinfo=UTC).timestamp()


class Found(msgspec.Struct, frozen=True):
    """A good token: whom it names and until when, and what that rests on."""

    named: Principal
    until: float
    """In seconds since 1970."""
    key: VerificationKey | None
    """The key that signed it; None for a token that the provider was asked about."""
    version: int
    """Of the metadata that the key came from."""


class Known(msgspec.Struct, frozen=True):
    """A good token, and as whom its caller was admitted."""

    found: Found
    admitted: Principal


class Bearers:
    """Tells who calls by a bearer token. `forget` and `use_keys` take back what was remembered."""

    most_bytes = MAX_BYTES
    """No longer token is looked at."""

    def __init__(
        self,
        verifier: AccessTokenVerifier,
        introspection: Introspection | None = None,
        *,
        provisioning: Provisioning,
        clock: Clock,
    ) -> None:
        self._verifier = verifier
        self._introspection = introspection
        self._asking: Flights[AccessClaims] = Flights()
        self._provisioning = provisioning
        self._standing = Standing(provisioning, clock)
        self._now = in_seconds(clock)
        self._known: ClaimsCache[Known] = ClaimsCache()
        self._taken_back = 0
        self._swept_at = self._now()

    def known(self, header: bytes) -> Principal | None:
        """Return who calls when that is remembered and sure; None when `admit` has to find out."""
        now = self._now()
        entry = self._known.get(header, now=now)
        return entry.value.admitted if entry is not None and now < entry.sure_until else None

    def believed_until(self, header: bytes) -> float:
        """Return until when what is remembered is good, in seconds since 1970; 0 when nothing is."""
        entry = self._known.get(header, now=self._now())
        return entry.until if entry is not None else 0

    def asks_about(self, header: bytes) -> bool:
        """Say whether a token that is not remembered would be asked about at the provider."""
        return self._introspection is not None and header.count(b".") != DOTS_OF_A_JWS

    async def admit(self, header: bytes, token: str) -> Principal:
        """Return who calls by this token, which came in the header of these bytes.

        BearerRefused for a bad token, NotAdmitted when the person may not come in, Unavailable if that cannot be told.
        """
        taken_back = self._taken_back
        place = self._known.place(header)
        entry = self._known.at(place, now=self._now())
        found = entry.value.found if entry else await self._found(header, token)
        try:
            admitted, sure_until = await self._admitted(found.named)
        except SignInRefused as refused:
            self._known.drop(header)
            if isinstance(refused, TenantRefused):  # as for a tenant that is not listed
                raise BearerRefused(str(refused)) from None
            raise
        if taken_back == self._taken_back:
            self._known.put_at(place, Entry(Known(found, admitted), until=found.until, sure_until=sure_until))
        return admitted

    async def _found(self, header: bytes, token: str) -> Found:
        """Return what a token says; one that is no JWT is asked about, once for all who come with it."""
        introspection = self._introspection
        try:
            if introspection is not None and token.count(".") != DOTS_OF_A_JWS:
                claims = await self._asking.join(header, lambda: introspection.verify(token))
                return Found(principal_from(claims), introspection.believed_until(claims), None, 0)
            verified = await self._verifier.verify(token)
        except TokenRefused as refused:
            raise BearerRefused(str(refused)) from None
        claims = verified.claims
        return Found(principal_from(claims), claims.expires_at, verified.key, verified.version)

    async def _admitted(self, named: Principal) -> tuple[Principal, float]:
        """Return the caller as the application's rule admits them, and until when that is sure.

        The rule cannot change how far the client may go.
        """
        if isinstance(named, App):
            return named, (await self._standing.of(named)).sure_until if self._provisioning.admission else ALWAYS
        sure_until, granted = await self._standing.of(named)
        admitted = (await self._provisioning.asked(named)).with_grants(granted)
        return (admitted if admitted is named else replace(admitted, delegation=named.delegation)), sure_until

    def forget(self, user_key: str) -> None:
        """Remember nothing of the tokens of this person: they were made inactive, or their roles have changed."""
        self._standing.forget(user_key)
        self._take_back(lambda known: not (isinstance(known.found.named, User) and known.found.named.key == user_key))

    def forget_all(self) -> None:
        """Remember nothing of anybody's tokens."""
        self._standing.forget()
        self._take_back(lambda known: False)  # noqa: ARG005 whoever it is

    def forget_tenant(self, tenant_id: str) -> None:
        """Remember nothing of the tokens of this tenant: it was suspended."""
        self._standing.forget()
        self._take_back(lambda known: known.found.named.tenant_id != tenant_id)

    def use_keys(self, keys: KeySet, *, version: int) -> None:
        """Believe no token any more whose key is not among these, of one version of the authority's metadata."""
        self._take_back(lambda known: known.found.version != version or _among(known.found, keys))

    async def sweep(self) -> None:
        """Let go of what has expired; of all, when the clock was set back: nothing is as lately known as it seems."""
        now = self._now()
        if now < self._swept_at:
            self.forget_all()
        self._swept_at = now
        self._known.sweep(now=now)

    def _take_back(self, believed: Callable[[Known], bool]) -> None:
        self._taken_back += 1  # what is being verified at this moment is not remembered
        self._known.keep(believed)


def _among(found: Found, keys: KeySet) -> bool:
    return found.key is None or keys.get(found.key.id) == found.key
