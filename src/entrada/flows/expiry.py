"""Warns the operator before a client secret or certificate ends (SEC-174, BEY-7)."""

from entrada.clock import Clock
from entrada.events import Event, Events
from entrada.logs import log
from entrada.provider.clients.credentials import Credentials

DAYS = (0, 3, 14, 30)
"""How many days before the end a warning is due."""


class ExpiryWatch:
    """Looks at the application's credentials; each worker tells of each threshold once."""

    def __init__(self, credentials: Credentials, *, clock: Clock, events: Events) -> None:
        self._credentials = credentials
        self._clock = clock
        self._events = events
        self._told: dict[str, int] = {}

    def days_left(self) -> int | None:
        """Return the whole days until the first credential ends that is close to its end, else None."""
        days = min(self.ends().values(), default=None)
        return days if days is not None and days < DAYS[-1] else None

    def ends(self) -> dict[str, int]:
        """Return the whole days until each credential ends whose end is known; below zero when it has ended."""
        return self._credentials.days_left(self._clock())

    async def once(self) -> None:
        """Log a warning and tell `credential_expiring` for each credential that has passed a threshold."""
        now = self._clock()
        for name, days in self.ends().items():
            threshold = next((each for each in DAYS if days < each), None)
            if threshold is None:
                self._told.pop(name, None)  # it was renewed
            elif self._told.get(name) != threshold:
                self._told[name] = threshold
                log.warning("credential_expiring", which=name, days=days)  # `credential` would be hidden
                await self._events.tell(Event("credential_expiring", at=now, reason=f"{name}: {days} days left"))
