"""When a session's tokens are renewed: ahead of time, spread by chance, and later and later after failures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable
from entrada.provider.clients.msal_cache import canonical
from entrada.provider.clients.token_client import TokenClient

MOST_PATIENCE = 60  # seconds between two attempts, unless the authority asks for more
MOST_DOUBLINGS = 6


@dataclass(frozen=True, slots=True)
class Schedule:
    """Says when. `chance` returns a number from 0 to 1, another at each call."""

    client: TokenClient
    scopes: Sequence[str]
    """Those of the sign-in: the token for them is renewed ahead of time, others when they are asked for."""
    spread: timedelta
    """How much earlier than must be a renewal may come: those of a busy minute shall not fall into one (SEC-111)."""
    clock: Clock
    chance: Callable[[], float]

    def due_at(self, tokens: bytes) -> datetime | None:
        """Return when to renew `tokens` in the background; None for never."""
        latest = self.client.renewal_due(tokens, self.scopes)
        if latest is None:
            return None
        return latest - min(self.spread, (latest - self.clock()) / 4) * self.chance()  # a short life is not halved

    def asks_for(self, scopes: Sequence[str]) -> bool:
        """Say whether every sign-in asks for all of these."""
        return canonical(scopes) <= canonical(self.scopes)

    def retry_at(self, error: AuthorityUnavailable, *, failures: int) -> datetime:
        """Return when to try again after one more failure: not before the authority's Retry-After, and spread."""
        least = max(1, error.retry_after)
        patience = min(least << min(failures, MOST_DOUBLINGS), max(MOST_PATIENCE, least))
        return self.clock() + timedelta(seconds=patience * (1 + self.chance() / 4))
