"""How a session's identifier ends: with nothing at first, and otherwise after each change of what its person may do.

Only the suffix changes, not the stem by which the session is found. So it stays where it is in the store, whoever
renews its tokens, ends it or listens on its WebSockets meanwhile. Until the browser has come with the one that is
coming the present one is good, for an answer may be lost on its way; and a while longer, for requests that left
together with the first that bore the new one (SEC-071, decision 0416).
"""

from datetime import timedelta

import msgspec

STEM = 43  # characters of an identifier that find the session: 256 bits, base64url
GRACE = timedelta(minutes=6)  # a minute for requests that left with the one before; clocks may be five apart


class Suffixes(msgspec.Struct, frozen=True, kw_only=True):
    """The suffixes of one session, by number; nobody gets from a number to a suffix without a key of the ring."""

    present: int = 0
    """0: none, as at sign-in."""
    coming: bool = False
    """Whether the next answer gives the browser the one after."""
    former_until: int = 0
    """Until when the one before is good, in whole seconds since 1970, UTC."""

    def changed(self) -> "Suffixes":
        """Return them with another one coming, which may have been so already."""
        return msgspec.structs.replace(self, coming=True)

    def takes(self, number: int, now: float) -> bool:
        """Say whether the session goes by this one; a later one than it knows was given before the store forgot it."""
        return number >= self.present or (number == self.present - 1 and now < self.former_until)

    def after(self, number: int, now: float) -> "Suffixes":
        """Return them after the browser has come with this one."""
        if number <= self.present:
            return self
        return Suffixes(present=number, former_until=int(now + GRACE.total_seconds()))


NONE = Suffixes()
