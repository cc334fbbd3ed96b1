"""How long sessions last."""

from dataclasses import dataclass
from datetime import timedelta

TOUCH_EVERY = timedelta(minutes=1)  # last seen is good to the minute; reads stay reads in between


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a session lasts: `idle` after its last use, `absolute` after its beginning whatever happens."""

    idle: timedelta = timedelta(hours=1)
    absolute: timedelta = timedelta(days=7)
    remembered: timedelta | None = None
    """Both, where the person chose to be remembered; None where there is no such choice (SEC-074)."""

    def expiry(self, *, begun: int, used: int, remembered: bool) -> tuple[int, int]:
        """Return when a session ends unless used again, and when in any case; seconds since 1970."""
        if remembered and self.remembered:
            expires_at = begun + int(self.remembered.total_seconds())
            return expires_at, expires_at
        expires_at = begun + int(self.absolute.total_seconds())
        return min(used + int(self.idle.total_seconds()), expires_at), expires_at

    @property
    def touch_every(self) -> timedelta:
        """How often at most a session in use is written: each minute, oftener where idle is under an hour."""
        return min(TOUCH_EVERY, self.idle / 60)
