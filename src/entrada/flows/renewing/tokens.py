"""The caller's own access token: from the session's cache, or renewed once however many ask (TOK-2, TOK-4)."""

from collections.abc import Sequence

from entrada.flows.renewing.downstream import Downstream
from entrada.flows.renewing.handed_out import AccessToken
from entrada.flows.renewing.renewal import Renewal, Tell, Wanted, digest
from entrada.provider.clients.token_client import Acquired, TokenClient
from entrada.sessions.session import Session


class Tokens:
    """Gives access tokens to the requests of a session; `downstream` gives them to all others."""

    def __init__(self, client: TokenClient, renewal: Renewal, downstream: Downstream) -> None:
        self.downstream = downstream
        self._client = client
        self._renewal = renewal

    async def for_session(self, session: Session, scopes: Sequence[str], *, tell: Tell) -> AccessToken:
        """Return a valid token for `scopes`; `tell` hears of a renewal that was refused.

        RenewalRefused or InteractionRequired when the person must sign in again, NotSignedIn when the session has just
        ended, AuthorityUnavailable when the held token is over and no new one can be had.
        """
        held = await self._renewal.held(session)
        if cached := self._client.cached(held.blob, scopes):
            return _handed_out(cached)
        return _handed_out(await self._renewal.renewed(session, Wanted(tuple(scopes)), tell=tell))

    async def challenged(
        self, session: Session, scopes: Sequence[str], *, refused: str, claims: str, tell: Tell
    ) -> AccessToken:
        """Return another token than the one that an API refused for want of these claims; errors like `for_session`.

        InteractionRequired carries the claims, and they are kept for the person's next sign-in.
        """
        held = await self._renewal.held(session)
        cached = self._client.cached(held.blob, scopes)
        if cached and cached.access_token != refused:  # another request has had the same answer
            return _handed_out(cached)
        wanted = Wanted(tuple(scopes), replacing=digest(held), claims=claims)
        return _handed_out(await self._renewal.renewed(session, wanted, tell=tell))

    async def land(self) -> None:
        """Let renewals under way finish, at most 20 s; nothing may be asked afterwards (REL-073)."""
        await self._renewal.land()
        await self.downstream.land()


def _handed_out(acquired: Acquired) -> AccessToken:
    return AccessToken(value=acquired.access_token, expires_at=acquired.expires_at, source=acquired.source)
