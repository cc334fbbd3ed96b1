"""Tokens for the APIs behind this one: for the person who called by a bearer token, and for the application itself.

What the authority gave is kept in this process until it expires: sealed, at most 10 000 tokens, found by a keyed hash
of the tenant, the caller's token and the scopes. However many requests want one at once, the authority is asked once;
where it fails, not again before its Retry-After.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, InteractionRequired
from entrada.flows.flights import Flights
from entrada.flows.renewing.handed_out import AccessToken
from entrada.flows.stepping_up.challenge import usable
from entrada.keyring import Purpose
from entrada.provider.clients.token_client import Acquired, TokenClient
from entrada.provider.setbacks import Setbacks
from entrada.provider.tokens.claims_cache import ClaimsCache, Entry
from entrada.sessions.sealing import Sealer

PURPOSE: Purpose = "downstream-token"
OURSELVES = ""  # in the place of the caller's token
LANDING = 20.0  # seconds that a process which stops waits for what was asked


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a token is: a person by the access token that they came with, or the application itself."""

    assertion: str = field(repr=False)
    tenant_id: str | None
    """The tenant that vouched for them, where there are tenants."""


class Kept(msgspec.Struct, frozen=True):
    """A token as it is kept."""

    sealed: bytes
    expires_at: datetime
    wants_renewal: datetime

    def __repr__(self) -> str:
        return f"Kept(expires_at={self.expires_at.isoformat()})"


class Downstream:
    """Gets tokens by on-behalf-of and by client credentials."""

    def __init__(self, client: TokenClient, sealer: Sealer, *, clock: Clock, refresh_buffer: timedelta) -> None:
        self._client = client
        self._sealer = sealer
        self._clock = clock
        self._refresh_buffer = refresh_buffer
        self._kept: ClaimsCache[Kept] = ClaimsCache()
        self._setbacks = Setbacks(clock)
        self._flights: Flights[Acquired] = Flights()

    async def for_person(self, assertion: str, scopes: Sequence[str], *, tenant_id: str | None) -> AccessToken:
        """Return a token for the person whose access token `assertion` is; it must have been found good.

        `tenant_id` is the tenant that vouched for them, where there are tenants.
        InteractionRequired when they, or an administrator, must act; RenewalRefused when the authority does not take
        their token any more; Unsupported where the provider has no such grant; AuthorityUnavailable.
        """
        return await self._token(Caller(assertion, tenant_id), scopes, refused=None, claims=None)

    async def for_itself(self, scopes: Sequence[str], *, tenant_id: str | None) -> AccessToken:
        """Return the application's own token in this tenant; errors like `for_person`, but InteractionRequired.

        `tenant_id` counts where the authority is for several; without one there is none to be had: Unsupported.
        """
        return await self._token(Caller(OURSELVES, tenant_id), scopes, refused=None, claims=None)

    async def challenged(
        self, assertion: str, scopes: Sequence[str], *, tenant_id: str | None, refused: str, claims: str
    ) -> AccessToken:
        """Return another token than the one that an API refused for want of these claims; for whom as before."""
        return await self._token(Caller(assertion, tenant_id), scopes, refused=refused, claims=claims)

    async def challenged_itself(
        self, scopes: Sequence[str], *, tenant_id: str | None, refused: str, claims: str
    ) -> AccessToken:
        """Return another token of the application's own than the one that an API refused."""
        return await self._token(Caller(OURSELVES, tenant_id), scopes, refused=refused, claims=claims)

    async def land(self) -> None:
        """Let what was asked come to its end; nothing may be asked afterwards."""
        await self._flights.land(within=LANDING)

    async def _token(
        self, caller: Caller, scopes: Sequence[str], *, refused: str | None, claims: str | None
    ) -> AccessToken:
        place = "\0".join((caller.tenant_id or "", caller.assertion, *scopes)).encode()
        kept = self._found(place, refused=refused)
        if kept and self._clock() < kept[0].wants_renewal:
            return AccessToken(value=kept[1], expires_at=kept[0].expires_at, source="cache")
        flight = (place, claims)
        joined = flight in self._flights
        try:
            self._setbacks.check(place)
            got = await self._flights.join(flight, lambda: self._ask(place, caller, scopes, claims))
        except AuthorityUnavailable:
            if kept is None:
                raise
            return AccessToken(value=kept[1], expires_at=kept[0].expires_at, source="cache")
        source = "cache" if joined else got.source
        return AccessToken(value=got.access_token, expires_at=got.expires_at, source=source)

    async def _ask(self, place: bytes, caller: Caller, scopes: Sequence[str], claims: str | None) -> Acquired:
        try:
            got = await self._ask_for(caller, scopes, claims)
        except InteractionRequired as required:
            wanted = usable(required.claims) or claims
            raise InteractionRequired(str(required), aadsts=required.aadsts, claims=wanted) from None
        except AuthorityUnavailable as failed:
            self._setbacks.note(place, failed)
            raise
        now = self._clock()
        # one that lives for five minutes would otherwise be asked for at every call
        wants_renewal = got.expires_at - min(self._refresh_buffer, (got.expires_at - now) / 2)
        sealed = self._sealer.seal(got.access_token.encode(), purpose=PURPOSE, bound_to=())
        kept = Kept(sealed, got.expires_at.astimezone(UTC), wants_renewal)
        until = got.expires_at.timestamp()
        self._kept.sweep(now=now.timestamp())
        self._kept.put(place, Entry(kept, until=until, sure_until=until))
        return got

    async def _ask_for(self, caller: Caller, scopes: Sequence[str], claims: str | None) -> Acquired:
        if caller.assertion == OURSELVES:
            return await self._client.for_itself(scopes, tenant_id=caller.tenant_id, claims=claims)
        return await self._client.on_behalf_of(caller.assertion, scopes, tenant_id=caller.tenant_id, claims=claims)

    def _found(self, place: bytes, *, refused: str | None) -> tuple[Kept, str] | None:
        """Return the token that is kept here; not the refused one, nor one under a key that we do not have any more."""
        entry = self._kept.get(place, now=self._clock().timestamp())
        opened = self._sealer.open(entry.value.sealed, purpose=PURPOSE, bound_to=()) if entry else None
        if entry is None or opened is None or opened.decode() == refused:
            return None
        return entry.value, opened.decode()
