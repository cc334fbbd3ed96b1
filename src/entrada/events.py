"""What happened, as values; who writes it down, and who listens.

The recorder comes first, and may refuse: what cannot be written down then does not happen. A listener observes: what it
raises is logged and changes nothing for the person at the browser.
"""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from entrada.logs import log

AdministrationName = Literal[
    "tenant_onboarded",
    "tenant_approved",
    "tenant_suspended",
    "user_changed",
    "user_deactivated",
    "user_reactivated",
    "user_deleted",
    "user_exported",
    "user_erased",
    "role_granted",
    "role_revoked",
    "configuration_changed",
    "keys_changed",
    "audit_pruned",
    "audit_exported",
]
"""What administrators and operators do."""

EventName = Literal[
    "sign_in",
    "new_device",
    "session_refused",
    "sign_in_failed",
    "sign_out",
    "session_ended",
    "renewal_failed",
    "credential_expiring",
    "step_up",
    "access_denied",
    AdministrationName,
    "audit_gap",
    "alert",
]
Outcome = Literal["success", "failure", "denied"]

OUTCOMES: Mapping[EventName, Outcome] = {
    "sign_in_failed": "failure",
    "renewal_failed": "failure",
    "audit_gap": "failure",
    "alert": "failure",
    "session_refused": "denied",
    "access_denied": "denied",
}
"""Of what is no success."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; it never holds a token, a code or a session id."""

    name: EventName
    at: datetime
    user_key: str | None = None
    """Who did it, or tried to."""
    reason: str | None = None
    """The error's code, for failures; why a session ended, for ends."""
    correlation_id: str | None = None
    address: str | None = None
    user_agent: str | None = None
    label: str | None = None
    """Who that is, to be read."""
    tenant_id: str | None = None
    resource: str | None = None
    """What it was done to, such as `user:` and the id of a person; None for the person's own session."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """What else is known, as JSON can say it; before and after, for changes."""
    uti: str | None = None
    """Entra's id of the token, by which its sign-in logs know the same sign-in."""

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return OUTCOMES.get(self.name, "success")


EVENT_NAMES: tuple[EventName, ...] = get_args(EventName)
Listener = Callable[[Event], Awaitable[None] | None]
Recorder = Callable[[Event], Awaitable[None]]


class Events:
    """Has each event recorded, then tells each listener of those that it asked for, in the order of their asking."""

    def __init__(self) -> None:
        self._listeners: dict[EventName, list[Listener]] = {}
        self._recorder: Recorder | None = None

    def on(self, name: EventName, listener: Listener) -> None:
        """Call `listener` for each event of this name from now on."""
        self._listeners.setdefault(name, []).append(listener)

    def record_with(self, recorder: Recorder) -> None:
        """Have this called first with every event from now on; what it raises goes to whoever tells."""
        self._recorder = recorder

    async def tell(self, event: Event) -> None:
        """Have the event recorded and announce it; StoreUnavailable when it must not happen unrecorded."""
        if self._recorder is not None:
            await self._recorder(event)
        await self.announce(event)

    async def announce(self, event: Event) -> None:
        """Call all who listen for an event that is recorded; a listener's failure is logged and goes no further."""
        for listener in self._listeners.get(event.name, ()):
            try:
                outcome = listener(event)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                log.exception("listener_failed", event_name=event.name)
