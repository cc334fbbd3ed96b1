"""Sessions that end because their person signed out at the authority: it tells us by a frame, or by a signed token."""

from datetime import timedelta

import anyio

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, RequestRefused, StoreUnavailable, TokenRefused
from entrada.flows.signing_out.endings import Endings
from entrada.logs import log
from entrada.principal import User
from entrada.provider.authority import TEMPLATE, names_issuer
from entrada.provider.discovery import Discovery
from entrada.provider.tokens.logout_token import LogoutClaims, LogoutTokenVerifier
from entrada.sessions.lifecycle import Sessions

STORE_AGAIN = (0.2, 0.6, 1.8)  # seconds until a store that failed is asked again
LEEWAY = timedelta(minutes=5)  # a token is remembered for longer than it is accepted, whatever the clocks say


class RemoteLogout:
    """Ends sessions at the authority's word; each method returns whose they were."""

    def __init__(
        self, *, sessions: Sessions, endings: Endings, discovery: Discovery, verifier: LogoutTokenVerifier, clock: Clock
    ) -> None:
        self._sessions = sessions
        self._endings = endings
        self._discovery = discovery
        self._verifier = verifier
        self._clock = clock

    async def front_channel(self, sid: str, *, issuer: str | None) -> tuple[User, ...]:
        """End the sessions of this `sid` of our issuer, and ask nobody (SEC-100, SEC-101).

        RequestRefused for another issuer's; AuthorityUnavailable while it is not known who ours is.
        """
        known = self._discovery.known
        if known is None:
            raise AuthorityUnavailable("a front-channel logout before the authority's metadata were had")
        if issuer is not None and not names_issuer(known.issuer, issuer):
            raise RequestRefused("iss is another issuer")
        ours = None if TEMPLATE in known.issuer else known.issuer  # no two tenants of one authority share a `sid`
        return await self._endings.end_by_sid(issuer or ours, sid, proven=False)

    async def back_channel(self, logout_token: str) -> tuple[User, ...]:
        """End what a logout token names; RequestRefused, and nothing ends, unless it is good and new (SEC-102)."""
        try:
            claims = await self._verifier.verify(logout_token)
        except TokenRefused as refused:
            raise RequestRefused(f"logout_token: {refused}") from None
        await self._spend(claims)
        for pause in STORE_AGAIN:  # the token is used up: who sent it could not send it again
            try:
                return await self._end(claims)
            except StoreUnavailable as error:
                log.warning("logout_waits_for_the_store", reason=str(error))
                await anyio.sleep(pause)
        return await self._end(claims)

    async def _end(self, claims: LogoutClaims) -> tuple[User, ...]:
        if claims.sid is not None:
            return await self._endings.end_by_sid(claims.issuer, claims.sid, proven=True)
        # a provider that sends these tokens is known by issuer and subject, whatever tid and oid it has (`User.key`)
        user = User(issuer=claims.issuer, subject=claims.subject or "")
        return (user,) if await self._endings.end_all_of(user) else ()

    async def _spend(self, claims: LogoutClaims) -> None:
        """Use the token up before anything ends: played again, it would end the sessions begun since."""
        left = timedelta(seconds=max(0.0, claims.expires_at - self._clock().timestamp()))
        if not await self._sessions.spend_once(f"logout {claims.issuer} {claims.token_id}", lifetime=left + LEEWAY):
            raise RequestRefused("logout_token: its jti was seen before")
