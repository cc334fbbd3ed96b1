"""One session as a request has it, and its tokens, opened."""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from entrada.principal import User
from entrada.sessions.held import HeldTokens, Interrupted, Step
from entrada.sessions.record import SessionRecord


class Session(msgspec.Struct, frozen=True, gc=False):
    """A session. Only `Sessions` gives one out: that you have it proves that it was looked up and had not ended."""

    key: bytes
    """What the store knows it by; of no use in a cookie."""
    version: int
    record: SessionRecord

    def __repr__(self) -> str:
        return f"Session(version={self.version})"

    def lives(self, now: float) -> bool:
        """Say whether it has not ended by itself at this time, in seconds since 1970."""
        return now < self.record.idle_expires_at and now < self.record.expires_at

    @property
    def user(self) -> User:
        """The person as they were at sign-in."""
        return self.record.user

    @property
    def created_at(self) -> datetime:
        """When the person signed in."""
        return time_of(self.record.created_at)

    @property
    def last_seen_at(self) -> datetime:
        """When it was last used, good to a minute."""
        return time_of(self.record.last_seen_at)

    @property
    def idle_expires_at(self) -> datetime:
        """When it ends unless it is used."""
        return time_of(self.record.idle_expires_at)

    @property
    def remembered(self) -> bool:
        """Whether the person chose to be remembered: the browser keeps the cookie when it closes."""
        return self.record.remembered

    def seconds_kept(self, now: datetime) -> int | None:
        """Return how long the browser keeps the cookie from now on; None: until it closes."""
        return math.ceil((self.expires_at - now).total_seconds()) if self.remembered else None

    @property
    def expires_at(self) -> datetime:
        """When it ends whatever happens."""
        return time_of(self.record.expires_at)


@dataclass(frozen=True, slots=True)
class SessionTokens:
    """A session's tokens, opened; give `version` back when you save their successors."""

    blob: bytes = field(repr=False)
    version: int
    retry_at: datetime
    """No renewal before; long ago, unless one has just failed."""
    failures: int = 0
    """How many renewals have failed one after the other."""
    step: Step | None = None
    """What the person must do first, if the authority has said so."""
    interrupted: tuple[Interrupted, ...] = field(default=(), repr=False)
    """Requests that wait until the person has proven more, the oldest first."""

    def held(self, *, retry_at: datetime | None = None, failures: int | None = None) -> HeldTokens:
        """Return them as they are kept, with another memory of failures where one is given."""
        return HeldTokens(
            self.blob,
            math.ceil((retry_at or self.retry_at).timestamp()),
            self.failures if failures is None else failures,
            self.step,
            self.interrupted,
        )


def time_of(seconds: int) -> datetime:
    """Return the time so many seconds after the beginning of 1970, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
