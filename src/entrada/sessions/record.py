"""What a session remembers and every request reads: who, since when, until when, from where. Tokens are kept apart.

A format version that we do not know is no session (SEC-079).
"""

import msgspec

from entrada.principal import User
from entrada.sessions.formats import Format

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


def owner(key: bytes, user: User) -> tuple[bytes, ...]:
    """Return what a session's sealed parts are bound to: its row, person and tenant (SEC-168)."""
    return key, user.key.encode()


_format = Format(FORMAT, SessionRecord)
encode, decode = _format.encode, _format.decode
