"""Browser sessions at the emulated authority: who is signed in where, and which applications they entered."""

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from entrada_emulator.clock import Clock
from entrada_emulator.directory.model import User

IDLE_LIFE = timedelta(hours=24)
KMSI_LIFE = timedelta(days=90)


@dataclass(slots=True)
class SignedIn:
    """One account signed in within a browser session; the account is named at its home tenant."""

    user: User
    auth_time: datetime
    amr: tuple[str, ...]
    sid: str = field(default_factory=lambda: str(uuid.uuid4()))
    """What ID tokens and front-channel logout call this session."""
    clients: set[tuple[str, str]] = field(default_factory=set)
    """Client id and tenant id of each sign-in made from here, for front-channel logout."""


@dataclass(slots=True)
class BrowserSession:
    """What one browser's cookie stands for."""

    id: str = field(repr=False)
    last_seen: datetime
    keep: bool = False
    """Whether the person said yes to "stay signed in" (KMSI)."""
    accounts: list[SignedIn] = field(default_factory=list)

    def account(self, user: User) -> SignedIn | None:
        """This person's entry, if signed in here."""
        return next((a for a in self.accounts if (a.user.tenant_id, a.user.id) == (user.tenant_id, user.id)), None)

    def sign_in(self, user: User, *, auth_time: datetime, amr: tuple[str, ...]) -> SignedIn:
        """Adds the person, or refreshes their entry after they proved themselves again (the `sid` stays)."""
        found = self.account(user)
        if found is None:
            found = SignedIn(user, auth_time, amr)
            self.accounts.append(found)
        found.auth_time, found.amr = auth_time, amr
        return found

    def sign_out(self, account: SignedIn) -> None:
        """Removes one account."""
        self.accounts.remove(account)


class BrowserSessions:
    """All browsers' sessions; forgotten after 24 idle hours, or 90 days with KMSI."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sessions: dict[str, BrowserSession] = {}

    def open(self) -> BrowserSession:
        """A new session with a fresh, unguessable id for the cookie."""
        session = BrowserSession(secrets.token_urlsafe(32), self._clock.now())
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str | None) -> BrowserSession | None:
        """The session behind a cookie if it is alive; being found keeps it so."""
        session = self._sessions.get(session_id or "")
        if session is None or self._is_over(session):
            return None
        session.last_seen = self._clock.now()
        return session

    def renew(self, session: BrowserSession) -> BrowserSession:
        """The same session under a new id; the old id is worth nothing any more."""
        self._sessions.pop(session.id, None)
        session.id = secrets.token_urlsafe(32)
        self._sessions[session.id] = session
        return session

    def close(self, session: BrowserSession) -> None:
        """Forgets the session with everybody in it."""
        self._sessions.pop(session.id, None)

    def close_all(self) -> int:
        """Signs everybody out; returns how many sessions there were."""
        count = len(self._sessions)
        self._sessions.clear()
        return count

    def end_for(self, user: User) -> None:
        """Signs one person out of every browser."""
        for session in self._sessions.values():
            found = session.account(user)
            if found is not None:
                session.sign_out(found)

    def _is_over(self, session: BrowserSession) -> bool:
        return self._clock.now() - session.last_seen > (KMSI_LIFE if session.keep else IDLE_LIFE)
