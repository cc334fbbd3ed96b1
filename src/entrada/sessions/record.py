"""What a session remembers and every request reads: who, since when, until when, from where. Tokens are kept apart.

A format version that we do not know is no session (SEC-079).
"""

import msgspec

from entrada.principal import User
from entrada.sessions.formats import Format
from entrada.sessions.lifetimes import Lifetimes
from entrada.sessions.suffixes import Suffixes

FORMAT = 1


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sign-in came from; for people to recognise their sessions by, never a reason to let anybody in."""

    address: str | None = None
    """The client's address as text, after the named proxies."""
    user_agent: str | None = None
    new_device: bool = False
    """Whether the person had not signed in from this device before, but from others."""


class SessionRecord(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=False):
    """The small part of a session; times are whole seconds since 1970, UTC."""

    user: User
    created_at: int
    last_seen_at: int
    idle_expires_at: int
    """The session has ended from this second on, unless it is used before."""
    expires_at: int
    """The session has ended from this second on, used or not (SEC-073)."""
    facts: RequestFacts = RequestFacts()
    found_by: str = ""
    """The id of the key that its place in the store was made with: the session is lost when that key is."""
    remembered: bool = False
    """Whether the person chose at sign-in to be remembered: unused, it lives as long as used."""
    asked: tuple[str, ...] = ()
    """What the sign-in was asked to prove beyond who it is, one after the other: so that nobody is asked for ever."""
    data: bytes = b""
    """The application's own data, sealed; empty when there is none."""
    suffixes: Suffixes | None = None
    """What its identifier ends with, once what the person may do has changed."""

    @classmethod
    def begun(
        cls,
        user: User,
        *,
        at: int,
        lifetimes: Lifetimes,
        facts: RequestFacts,
        found_by: str,
        remember: bool,
        asked: tuple[str, ...],
    ) -> "SessionRecord":
        """Return the record of a session that begins at this time; `remember`: what the person chose, if they may."""
        remembered = remember and lifetimes.remembered is not None
        idle_expires_at, expires_at = lifetimes.expiry(begun=at, used=at, remembered=remembered)
        return cls(
            user=user,
            created_at=at,
            last_seen_at=at,
            idle_expires_at=idle_expires_at,
            expires_at=expires_at,
            facts=facts,
            found_by=found_by,
            remembered=remembered,
            asked=asked,
        )

    def told_of(self, user: User) -> "SessionRecord":
        """Return it with the person as they are now; what they may do comes with another identifier (SEC-071)."""
        suffixes = self.suffixes
        if user.roles != self.user.roles:
            suffixes = (suffixes or Suffixes()).changed()
        return msgspec.structs.replace(self, user=user, suffixes=suffixes)


def owner(key: bytes, user: User) -> tuple[bytes, ...]:
    """Return what a session's sealed parts are bound to: its row, person and tenant (SEC-168)."""
    return key, user.key.encode()


_format = Format(FORMAT, SessionRecord)
encode, decode = _format.encode, _format.decode
