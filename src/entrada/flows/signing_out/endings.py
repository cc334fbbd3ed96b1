"""Sessions that end elsewhere than in the browser that has them: by their person, by the authority, or being too many.

Where the provider takes refresh tokens back (RFC 7009), those of the ended sessions are revoked beside the requests.
"""

from collections.abc import Sequence
from hashlib import sha256

from entrada.errors import StoreUnavailable
from entrada.flows.signing_out.revocation import Revocation
from entrada.principal import User
from entrada.provider.clients.token_client import TokenClient
from entrada.sessions.leases import Notes
from entrada.sessions.lifecycle import MOST_LOOKED_THROUGH, Sessions
from entrada.sessions.session import Session


class Endings:
    """Ends sessions in the store of all workers; `revokes` says whether their refresh tokens are revoked too."""

    def __init__(self, sessions: Sessions, notes: Notes, client: TokenClient, *, revokes: bool) -> None:
        self._sessions = sessions
        self._notes = notes
        self._revocation = Revocation(client)
        self._revokes = revokes and client.revokes

    def revoke(self, tokens: Sequence[bytes]) -> None:
        """Have the refresh tokens of sessions that have ended revoked, where that is done."""
        for blob in tokens if self._revokes else ():
            self._revocation.begin(blob)

    async def aclose(self) -> None:
        """Let the revocations under way end."""
        await self._revocation.aclose()

    async def end(self, sessions: Sequence[Session]) -> None:
        """End these sessions; nobody waits for the provider."""
        tokens = await self._tokens_of(sessions)
        await self._sessions.end_sessions([session.key for session in sessions])
        self.revoke(tokens)

    async def end_all_of(self, user: User, *, but: Session | None = None) -> int:
        """End every session of this person but that one; return how many there were."""
        theirs = await self._sessions.by_user(user, limit=MOST_LOOKED_THROUGH) if self._revokes else []
        tokens = await self._tokens_of([each for each in theirs if but is None or each.key != but.key])
        ended = await self._sessions.end_all_of(user, but=but)
        self.revoke(tokens)
        return ended

    async def regrant_all_of(self, user: User, granted: frozenset[str]) -> None:
        """Let the sessions of somebody who stays have the roles that they have now."""
        await self._sessions.regrant_all_of(user, granted)

    async def end_surplus_of(self, newest: Session, *, most: int) -> int:
        """End what this person has beyond `most` sessions, the longest unused first; return how many (SEC-077)."""
        theirs = await self._sessions.by_user(newest.user, limit=MOST_LOOKED_THROUGH)
        surplus = [each for each in theirs if each.key != newest.key][most - 1 :]
        await self.end(surplus)
        return len(surplus)

    async def end_by_sid(self, issuer: str | None, sid: str, *, proven: bool) -> tuple[User, ...]:
        """End every session that began with this `sid` of this issuer; return whose they were. None: of any.

        Only where it is `proven` who says so is anything revoked: a frame may be anybody's (SEC-101). Then it is
        noted, too: a sign-in that is under way just now has no session yet.
        """
        if proven:
            await self._notes.leave(_ended(sid))
        found = await self._sessions.by_sid(issuer, sid)
        if proven:
            await self.end(found)
        else:
            await self._sessions.end_sessions([session.key for session in found])
        return tuple({session.user.key: session.user for session in found}.values())

    async def has_ended(self, sid: str) -> bool:
        """Say whether the provider has just told of the end of this `sid`; to be asked when the session is there."""
        return await self._notes.found(_ended(sid))

    async def _tokens_of(self, sessions: Sequence[Session]) -> list[bytes]:
        """Return the tokens to revoke once their sessions have ended; a store that fails says so when they end."""
        if not self._revokes:
            return []
        try:
            found = [await self._sessions.tokens(session) for session in sessions]
        except StoreUnavailable:
            return []
        return [held.blob for held in found if held]


def _ended(sid: str) -> bytes:
    return b"ended:" + sha256(sid.encode()).digest()
