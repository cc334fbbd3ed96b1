"""What could not be had a moment ago, so that not each request asks for it again (REL-003, SEC-159)."""

from dataclasses import dataclass
from datetime import timedelta

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable
from entrada.provider.tokens.claims_cache import ClaimsCache, Entry


@dataclass(frozen=True, slots=True)
class Setback:
    """One failure: when it was, and what it said."""

    at: float
    kind: type[AuthorityUnavailable]
    detail: str


class Setbacks:
    """Failures, each for as long as its Retry-After says, under a hash of what was asked for; at most 10 000."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: ClaimsCache[Setback] = ClaimsCache()

    def check(self, asked: bytes) -> None:
        """Raise what it was, with the seconds that are left, when this failed a moment ago."""
        now = self._clock().timestamp()
        entry = self._kept.get(asked, now=now)
        if entry and entry.value.at <= now:  # else the clock was set back, and says nothing of how long ago it was
            left = max(1, round(entry.until - now))
            raise entry.value.kind(f"not asked again so soon: {entry.value.detail}", retry_after=left)

    def note(self, asked: bytes, failed: AuthorityUnavailable) -> None:
        """Keep that this failed."""
        now = self._clock()
        until = (now + timedelta(seconds=max(1, failed.retry_after))).timestamp()
        self._kept.put(asked, Entry(Setback(now.timestamp(), type(failed), str(failed)), until=until, sure_until=until))
