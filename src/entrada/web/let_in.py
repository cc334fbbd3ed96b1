"""Whether the session or the bearer token that let a request in still does: for what goes on long after it was asked.

A request asks once who is there; a WebSocket or a stream stays open for hours (0373, 0383).
"""

from datetime import timedelta
from typing import Literal

from entrada.errors import BearerRefused, EntradaError, NotAllowed, NotSignedIn, Unavailable
from entrada.logs import log
from entrada.principal import Principal, User
from entrada.requirements import lack_of
from entrada.web import bearer
from entrada.web.context import Context

EVERY = timedelta(seconds=3)  # one look at each that is open; how long an end may take to be felt


class LetIn:
    """What one request came in by. While that cannot be asked about, nobody is put out before their time."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_session = context.found_session is not None
        self._until = 0.0 if self._by_session else bearer.believed_until(context)
        self._at = context.house.clock()
        self._may = True

    @classmethod
    def of(cls, context: Context) -> "LetIn | None":
        """Return what the request was let in by; None when nothing of it has asked who is there."""
        asked = context.found_session is not None or context.caller is not None
        return cls(context) if asked else None

    @property
    def ending(self) -> Literal["session_ended", "token_ended", "not_allowed"]:
        """What to say of its end."""
        if not self._may:
            return "not_allowed"
        return "session_ended" if self._by_session else "token_ended"

    @property
    def refusal(self) -> EntradaError:
        """What answers a request that has not been answered at all when it ends."""
        if not self._may:
            return NotAllowed("what they may do has changed meanwhile")
        return NotSignedIn() if self._by_session else BearerRefused("expired, or taken back, meanwhile")

    async def lasts(self, *, used: bool = False) -> bool:
        """Look whether it still lets the caller in; `used` says whether they have used the session meanwhile."""
        try:
            return await (self._session_lasts(used=used) if self._by_session else self._token_lasts())
        except Exception:
            log.exception("not_looked_after")
            return False

    async def _session_lasts(self, *, used: bool) -> bool:
        sessions, begun = self._context.house.sessions, self._context.found_session
        try:
            present = await sessions.by_key(begun.key) if begun else None
        except Unavailable:
            return True
        if present and used:
            await sessions.touch(present)
        return present is not None and begun is not None and self._may_still(present.user, begun.user)

    async def _token_lasts(self) -> bool:
        """Look at the token; while that cannot be told, it is good until the time that was known when it was last."""
        try:
            present = await bearer.present(self._context)
        except Unavailable:
            return self._context.house.clock().timestamp() < self._until
        self._until = bearer.believed_until(self._context)
        return present is not None and self._may_still(present, self._context.caller or present)

    def _may_still(self, now: Principal, begun: Principal) -> bool:
        """Say whether a caller whose roles or groups have changed meets what the request was held to.

        What they had proven grows no older by it. Groups that only Graph knows are not asked for.
        """
        if (now.roles, _groups(now)) == (begun.roles, _groups(begun)):
            return True
        unknown = isinstance(now, User) and now.groups_overage
        rules = [rule for rule in self._context.rules if not (unknown and rule.groups)]
        self._may = all(lack_of(now, rule, self._at) is None for rule in rules)
        return self._may


def _groups(principal: Principal) -> frozenset[str]:
    return principal.groups if isinstance(principal, User) else frozenset()
