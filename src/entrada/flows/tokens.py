"""The caller's own access token: from the session's cache, or renewed once however many ask (TOK-2, TOK-4).

Fast path: open the session's tokens, find a valid one. Otherwise wait for the session's turn, read again, because
another request may have renewed meanwhile, and only then ask the authority. Its answer is stored before it is used.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import anyio

from entrada.errors import NotSignedIn, RenewalRefused, StoreUnavailable, TokenRefused
from entrada.provider.id_token import IdTokenVerifier
from entrada.provider.token_client import Acquired, TokenClient
from entrada.sessions.lifecycle import Session, Sessions, SessionTokens


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token for some API, and where it came from."""

    value: str = field(repr=False)
    expires_at: datetime
    source: Literal["cache", "identity_provider"]


class Turns:
    """One at a time for each key, in this process; a key is forgotten when nobody waits for it."""

    def __init__(self) -> None:
        self._locks: dict[bytes, tuple[anyio.Lock, int]] = {}

    @asynccontextmanager
    async def of(self, key: bytes) -> AsyncIterator[None]:
        """Wait for this key's turn and hold it."""
        lock, waiting = self._locks.get(key, (anyio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            _, waiting = self._locks[key]
            if waiting == 1:
                del self._locks[key]
            else:
                self._locks[key] = (lock, waiting - 1)


class Tokens:
    """Gives access tokens to the requests of a session."""

    def __init__(self, sessions: Sessions, *, client: TokenClient, verifier: IdTokenVerifier) -> None:
        self._sessions = sessions
        self._client = client
        self._verifier = verifier
        self._turns = Turns()

    async def for_session(self, session: Session, scopes: Sequence[str]) -> AccessToken:
        """Return a valid token for `scopes`.

        RenewalRefused or InteractionRequired when the person must sign in again, NotSignedIn when the session has just
        ended, AuthorityUnavailable when the held token is over and no new one can be had.
        """
        held = await self._held(session)
        if cached := self._client.cached(held.blob, scopes):
            return _handed_out(cached)
        async with self._turns.of(session.key):
            held = await self._held(session)
            acquired = await self._client.acquire(held.blob, scopes)
            return await self._kept(session, held, acquired, scopes)

    async def _held(self, session: Session) -> SessionTokens:
        held = await self._sessions.tokens(session)
        if held is None:
            raise NotSignedIn("the session has ended")
        return held

    async def _kept(
        self, session: Session, held: SessionTokens, acquired: Acquired, scopes: Sequence[str]
    ) -> AccessToken:
        """Store what was renewed, then hand it out (SEC-108); another worker's renewal, when it was first."""
        await self._check_person(session, acquired)
        if acquired.tokens is None:
            return _handed_out(acquired)
        if await self._sessions.save_tokens(session, acquired.tokens, version=held.version):
            return _handed_out(acquired)
        theirs = self._client.cached((await self._held(session)).blob, scopes)
        if theirs is None:
            raise StoreUnavailable("the session's tokens were changed while they were being renewed")
        return _handed_out(theirs)

    async def _check_person(self, session: Session, acquired: Acquired) -> None:
        """Refuse the renewal, which ends the session, when its ID token fails or is somebody else's (SEC-109)."""
        if acquired.id_token is None:
            return
        try:
            await self._verifier.verify_renewed(acquired.id_token, of=session.user, access_token=acquired.access_token)
        except TokenRefused as refused:
            raise RenewalRefused(f"the renewed ID token: {refused}") from None


def _handed_out(acquired: Acquired) -> AccessToken:
    return AccessToken(value=acquired.access_token, expires_at=acquired.expires_at, source=acquired.source)
