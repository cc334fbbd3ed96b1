"""Signing out: here first, then in the browser, then at the authority, and the truth about each."""

from dataclasses import dataclass, field

from entrada.errors import StoreUnavailable, Unavailable
from entrada.flows.signing_out.endings import Endings
from entrada.provider.authorization import end_session_url
from entrada.provider.clients.token_client import TokenClient
from entrada.provider.discovery import Discovery
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.session import Session
from entrada.settings import Settings


@dataclass(frozen=True, slots=True)
class SignedOut:
    """What ended, and where the browser can go to end the rest."""

    here: bool
    """Whether the session is gone from our store; the browser's cookie is cleared either way."""
    session: Session | None = None
    """The session that ended, when there was one."""
    authority_url: str | None = field(repr=False, default=None)
    """The authority's sign-out page; None when there was nothing to end there, or the authority offers none."""


class SignOut:
    """Signs people out of this application and sends them to do so at the authority."""

    def __init__(
        self,
        settings: Settings,
        *,
        sessions: Sessions,
        discovery: Discovery,
        client: TokenClient,
        endings: Endings,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._discovery = discovery
        self._client = client
        self._endings = endings

    async def end(self, session_id: str | None, *, leaving: bool = False) -> SignedOut:
        """End the session in the store; an unreachable store or authority is told, not raised (SEC-097).

        A session that had ended before, and a browser that is `leaving` for the authority, are led there all the
        same: the browser keeps only the answer to the last of two presses, and the first has ended the session.
        Whichever of its identifiers the session is signed out by, it ends: nobody is told so who is not.
        """
        if session_id is None:
            return SignedOut(here=True, authority_url=await self._authority_url(None, None) if leaving else None)
        try:
            session = await self._sessions.of_stem(session_id)
            held = await self._sessions.tokens(session) if session else None
            await self._sessions.end(session_id)
        except StoreUnavailable:
            return SignedOut(here=False, authority_url=await self._authority_url(None, None))
        if held:
            self._endings.revoke([held.blob])
        id_token = self._client.id_token(held.blob) if held else None
        url = await self._authority_url(session.user.login_hint if session else None, id_token)
        return SignedOut(here=True, session=session, authority_url=url)

    async def _authority_url(self, login_hint: str | None, id_token: str | None) -> str | None:
        """Return the end-session address with our own page to come back to (SEC-098, SEC-099)."""
        try:
            metadata = await self._discovery.metadata()
        except Unavailable:
            return None
        return end_session_url(
            metadata,
            client_id=self._settings.client_id,
            post_logout_redirect_uri=f"{self._settings.base_url}/signed-out",
            logout_hint=login_hint,
            id_token_hint=id_token,
        )
