"""How a session's identifier ends: with nothing at first, and otherwise after each change of what its person may do.

Only the suffix changes, not the stem by which the session is found. So it stays where it is in the store, whoever
renews its tokens, ends it or listens on its WebSockets meanwhile. Until the browser has come with the one that is
coming the present one is good, for an answer may be lost on its way; and a while longer, for requests that left
together with the first that bore the new one (SEC-071, decision 0416).
"""

import secrets
from datetime import timedelta

import msgspec

STEM = 43  # characters of an identifier that find the session: 256 bits, base64url
MARK_BYTES = 16
GRACE = timedelta(minutes=1)  # how long requests may be under way that left with the one before


class Suffixes(msgspec.Struct, frozen=True, kw_only=True):
    """The suffixes of one session, by random marks that nobody gets to a suffix from without a key of the ring."""

    present: bytes = b""
    """Empty: none, as at sign-in."""
    coming: bytes = b""
    """What the next answer gives to the browser; empty: nothing new."""
    former: bytes | None = None
    former_until: int = 0
    """In whole seconds since 1970, UTC."""

    def changed(self) -> "Suffixes":
        """Return them with one that is coming, which may have been so already."""
        return self if self.coming else msgspec.structs.replace(self, coming=secrets.token_bytes(MARK_BYTES))

    def taken_up(self, now: float) -> "Suffixes":
        """Return them after the browser has come with the one that was coming."""
        return Suffixes(present=self.coming, former=self.present, former_until=int(now + GRACE.total_seconds()))

    def good(self, now: float) -> tuple[bytes, ...]:
        """Return the marks of those that are taken now."""
        coming = (self.coming,) if self.coming else ()
        former = (self.former,) if self.former is not None and now < self.former_until else ()
        return self.present, *coming, *former
