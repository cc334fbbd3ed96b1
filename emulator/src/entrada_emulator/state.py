"""Everything that changes while the emulator runs, in one place; one asyncio thread owns it."""

import secrets
from collections.abc import Callable
from datetime import datetime

from entrada_emulator.b2c.customers import Customers
from entrada_emulator.b2c.journey import Journey
from entrada_emulator.clients.credentials import Credentials
from entrada_emulator.clock import Clock, real_time
from entrada_emulator.directory.consents import Consents
from entrada_emulator.directory.model import RefreshSemantics, User
from entrada_emulator.faults import Faults
from entrada_emulator.inspector.values import Marks
from entrada_emulator.issuing.codes import AuthorizationCodes, CodeGrant
from entrada_emulator.issuing.device_codes import DeviceCodes
from entrada_emulator.issuing.issued import IssuedTokens
from entrada_emulator.issuing.keys import KeyRing
from entrada_emulator.issuing.refresh import RefreshTokens
from entrada_emulator.signing_in.attempts import Attempts, Lockouts, UnderWay
from entrada_emulator.signing_in.conditional_access import Policies
from entrada_emulator.signing_in.mfa import Pushes, Totp
from entrada_emulator.signing_in.sso import BrowserSessions
from entrada_emulator.wire.recorder import Recorder


class State:
    """The mutable half of an emulator. The other half, `World`, never changes.

    `keys` may be shared between emulators of one test run to save the time of making them; `control_key` guards the
    control API and is made anew for each instance.
    """

    def __init__(
        self,
        *,
        real_clock: Callable[[], datetime] = real_time,
        keys: KeyRing | None = None,
        refresh_semantics: RefreshSemantics = "entra",
    ) -> None:
        self.clock = Clock(real_clock)
        self.started_at = self.clock.now()
        self.keys = keys or KeyRing()
        self.control_key = secrets.token_urlsafe(32)
        self.codes = AuthorizationCodes(self.clock)
        self.device_codes = DeviceCodes(self.clock)
        self.refresh_tokens = RefreshTokens(self.clock, refresh_semantics)
        self.sessions = BrowserSessions(self.clock)
        self.customer_sessions = BrowserSessions(self.clock)
        self.customers = Customers()
        self.journeys: UnderWay[Journey] = UnderWay(self.clock)
        self.consents = Consents()
        self.policies = Policies()
        self.credentials = Credentials()
        self.issued = IssuedTokens()
        self.totp = Totp()
        self.pushes = Pushes(self.clock)
        self.attempts = Attempts(self.clock)
        self.lockouts = Lockouts(self.clock)
        self.faults = Faults()
        self.recorder = Recorder()
        self.marks = Marks(secrets.token_bytes(32))
        self.logout_sends_iss = True
        self.continuous_access_evaluation = False
        self._valid_from: dict[tuple[str, str], datetime] = {}

    def tokens_valid_from(self, user: User) -> datetime | None:
        """Before this moment nothing issued to the person is valid; None if nothing was revoked."""
        return self._valid_from.get((user.tenant_id, user.id))

    def revoke_sessions(self, user: User) -> None:
        """Revokes the person's refresh tokens and browser sessions, as `revokeSignInSessions` does."""
        self._valid_from[(user.tenant_id, user.id)] = self.clock.now()
        self.sessions.end_for(user)


def issue_code(state: State, grant: CodeGrant) -> str:
    """An authorization code for what a person has just agreed to."""
    return state.codes.issue(grant)
