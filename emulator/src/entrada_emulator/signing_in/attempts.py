"""Sign-in attempts that are under way, and how often a person may guess."""

import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar

from entrada_emulator.clock import Clock
from entrada_emulator.directory.model import User
from entrada_emulator.inspector.notes import linked
from entrada_emulator.signing_in.authorization_request import AuthorizationRequest
from entrada_emulator.signing_in.conversation import Attempt

ATTEMPT_LIFE = timedelta(minutes=30)
ATTEMPTS_PER_BROWSER = 20  # twenty tabs; the oldest makes room
ATTEMPTS = 2_000  # bounds the memory that strangers without cookies can take
GUESSES = 10  # Entra's smart lockout begins with ten wrong passwords and one minute
LOCKED_FOR = timedelta(minutes=1)


class Bound(Protocol):
    """Something under way at one browser."""

    @property
    def id(self) -> str: ...  # noqa: D102 - what the form carries
    @property
    def browser(self) -> str: ...  # noqa: D102 - the browser that began it
    @property
    def started_at(self) -> datetime: ...  # noqa: D102


B = TypeVar("B", bound=Bound)


class UnderWay(Generic[B]):
    """Keeps each thing under an unguessable id for the browser that began it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts: dict[str, B] = {}

    def keep(self, attempt: B) -> None:
        """Stores the newest facts; the oldest attempts make room."""
        self._attempts[attempt.id] = attempt
        linked("attempt", attempt.id)
        for stale in list(self._surplus(attempt.browser)):
            del self._attempts[stale]

    def find(self, attempt_id: str, *, browser: str | None) -> B | None:
        """The attempt, if this browser began it less than half an hour ago."""
        attempt = self._attempts.get(attempt_id)
        if attempt is None or browser is None or self._is_over(attempt):
            return None
        return attempt if secrets.compare_digest(attempt.browser.encode(), browser.encode()) else None

    def end(self, attempt: B) -> None:
        """Forgets an attempt that was answered; it cannot be answered twice."""
        self._attempts.pop(attempt.id, None)

    def _surplus(self, browser: str) -> Iterator[str]:
        own = [key for key, attempt in self._attempts.items() if attempt.browser == browser]
        others = [key for key in self._attempts if key not in own]
        yield from own[:-ATTEMPTS_PER_BROWSER]
        yield from others[: max(0, len(self._attempts) - ATTEMPTS)]

    def _is_over(self, attempt: B) -> bool:
        return self._clock.now() - attempt.started_at > ATTEMPT_LIFE


class Attempts(UnderWay[Attempt]):
    """The sign-in attempts."""

    def begin(self, request: AuthorizationRequest, *, browser: str) -> Attempt:
        """A new attempt, which `keep` must store once something is known about it."""
        return Attempt(id=secrets.token_urlsafe(32), browser=browser, request=request, started_at=self._clock.now())


class Lockouts:
    """Counts wrong passwords and codes; after ten the account rests for a minute."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: dict[tuple[str, str], tuple[int, datetime]] = {}

    def is_locked(self, user: User) -> bool:
        """Whether nothing is accepted for this person at the moment, not even the right password."""
        count, since = self._wrong.get(_key(user), (0, self._clock.now()))
        return count >= GUESSES and self._clock.now() - since < LOCKED_FOR

    def wrong(self, user: User) -> None:
        """Counts one wrong answer; a lock that is over begins a new count."""
        count, since = self._wrong.get(_key(user), (0, self._clock.now()))
        over = count >= GUESSES and self._clock.now() - since >= LOCKED_FOR
        self._wrong[_key(user)] = (1 if over else count + 1, self._clock.now())

    def right(self, user: User) -> None:
        """Forgets the wrong answers of somebody who signed in."""
        self._wrong.pop(_key(user), None)


def _key(user: User) -> tuple[str, str]:
    return (user.tenant_id, user.id)
