"""Second factors while they happen: enrolled authenticator secrets and approvals that wait on a phone."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from entrada_emulator.clock import Clock
from entrada_emulator.directory.model import User

PUSH_LIFE = timedelta(minutes=2)


class Totp:
    """Authenticator secrets: the directory's, and those enrolled while the emulator runs."""

    def __init__(self) -> None:
        self._enrolled: dict[tuple[str, str], str] = {}
        self._last_step: dict[tuple[str, str], int] = {}

    def secret_of(self, user: User) -> str | None:
        """The person's base32 secret, or None when they have to enrol."""
        return self._enrolled.get((user.tenant_id, user.id), user.totp_secret)

    def enrol(self, user: User, secret: str) -> None:
        """Keeps the secret that the person has just proved to hold."""
        self._enrolled[(user.tenant_id, user.id)] = secret

    def spend_step(self, user: User, step: int) -> bool:
        """Whether a code of this 30-second step is fresh; each step counts once, and none before it."""
        key = (user.tenant_id, user.id)
        if step <= self._last_step.get(key, -1):
            return False
        self._last_step[key] = step
        return True


@dataclass(slots=True)
class Push:
    """One approval asked of a phone; the person types the number that the browser shows."""

    id: str
    user: User
    number: int
    asked_at: datetime
    application: str = ""
    """Which application the person signs in to, for the phone to show."""
    answer: Literal["waiting", "approved", "denied"] = "waiting"


class Pushes:
    """Approvals that wait, with what was answered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._asked: dict[str, Push] = {}

    def ask(self, user: User, *, application: str = "") -> Push:
        """Sends a new approval to the person's phone."""
        push = Push(secrets.token_urlsafe(16), user, 10 + secrets.randbelow(90), self._clock.now(), application)
        self._asked = {key: old for key, old in self._asked.items() if self._is_alive(old)} | {push.id: push}
        return push

    def find(self, push_id: str) -> Push | None:
        """The approval, unless it is unknown or two minutes old."""
        push = self._asked.get(push_id)
        return push if push and self._is_alive(push) else None

    def waiting(self) -> tuple[Push, ...]:
        """What the phone shows now, the newest first: those before may have been left."""
        return tuple(p for p in reversed(self._asked.values()) if p.answer == "waiting" and self.find(p.id))

    def _is_alive(self, push: Push) -> bool:
        return self._clock.now() - push.asked_at <= PUSH_LIFE
