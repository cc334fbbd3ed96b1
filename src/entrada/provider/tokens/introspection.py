"""Opaque access tokens: the provider is asked what they are (RFC 7662); its answer goes through the same gauntlet."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import anyio

from entrada.clock import Clock
from entrada.errors import TokenRefused, TooMany
from entrada.provider.discovery import Discovery
from entrada.provider.tokens.access_checks import AccessClaims, ExpectedAccess, check
from entrada.provider.tokens.access_token import Api
from entrada.provider.tokens.claims_cache import ClaimsCache, Entry

BELIEVED_FOR = timedelta(seconds=60)  # the longest that a token may go on that was revoked at the provider
REFUSED_FOR = timedelta(seconds=30)  # before the same bad token is asked about again
MOST_REFUSED = 1000
AT_ONCE, MOST_WAITING = 10, 200  # of the places that sign-ins share; strangers can invent tokens (SEC-159)
LONGEST = 4096  # characters of an opaque token

Ask = Callable[[str], Awaitable[Mapping[str, Any] | None]]


class Introspection:
    """Asks one provider about tokens; a failure to ask is no yes (SEC-058)."""

    def __init__(self, ask: Ask, *, discovery: Discovery, api: Api, leeway: int, clock: Clock) -> None:
        self._ask = ask
        self._discovery = discovery
        self._api = api
        self._leeway = leeway
        self._clock = clock
        self._places = anyio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._refused: ClaimsCache[str] = ClaimsCache(most=MOST_REFUSED)

    async def verify(self, token: str) -> AccessClaims:
        """Return what the provider says of a token that is good for this API.

        TokenRefused when it is not, AuthorityUnavailable when the provider does not tell, TooMany when too many ask.
        """
        if len(token) > LONGEST:
            raise TokenRefused("form: too long")
        now = self._clock().timestamp()
        if known := self._refused.get(token.encode(), now=now):
            raise TokenRefused(known.value)
        try:
            return check(await self._said(token, int(now)), await self._expected(now))
        except TokenRefused as refused:
            until = now + REFUSED_FOR.total_seconds()
            self._refused.put(token.encode(), Entry(str(refused), until=until, sure_until=until))
            raise

    def believed_until(self, claims: AccessClaims) -> float:
        """Return until when an answer may be remembered, in seconds since 1970."""
        return min(claims.expires_at, (self._clock() + BELIEVED_FOR).timestamp())

    async def _said(self, token: str, now: int) -> dict[str, Any]:
        """Return the answer as the claims of a token; what RFC 7662 leaves out is filled in where it can be."""
        if self._waiting >= MOST_WAITING:
            raise TooMany("too many opaque tokens wait to be introspected", retry_after=1)
        self._waiting += 1
        try:
            async with self._places:
                answer = await self._ask(token)
        finally:
            self._waiting -= 1
        if answer is None or answer.get("active") is not True:
            raise TokenRefused("active: the provider does not know this token, or it is over")
        if str(answer.get("token_type", "Bearer")).lower() not in {"bearer", "access_token"}:
            raise TokenRefused("token_type: not a bearer token")
        issuer = (await self._discovery.metadata()).issuer
        own = {} if "username" in answer else {"sub": answer.get("client_id")}  # whose subject is unknown is nobody
        return {"iss": issuer, "iat": now, **own, **answer}

    async def _expected(self, now: float) -> ExpectedAccess:
        return ExpectedAccess(
            issuer=(await self._discovery.metadata()).issuer,
            audience=self._api.client_id,
            now=now,
            leeway=self._leeway,
            identifiers=self._api.identifiers,
            clients=self._api.clients,
        )
