"""What happened, as values, and who listens.

A listener observes: what it raises is logged and changes nothing for the person at the browser.
"""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from entrada.logs import log

EventName = Literal[
    "sign_in",
    "new_device",
    "session_refused",
    "sign_in_failed",
    "sign_out",
    "session_ended",
    "renewal_failed",
    "credential_expiring",
    "tenant_onboarded",
]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened; it never holds a token, a code or a session id."""

    name: EventName
    at: datetime
    user_key: str | None = None
    reason: str | None = None
    """The error's code, for failures; why a session ended, for ends."""
    correlation_id: str | None = None
    address: str | None = None
    user_agent: str | None = None


Listener = Callable[[Event], Awaitable[None] | None]


class Events:
    """Tells each listener of the events that it asked for, in the order in which they asked."""

    def __init__(self) -> None:
        self._listeners: dict[EventName, list[Listener]] = {}

    def on(self, name: EventName, listener: Listener) -> None:
        """Call `listener` for each event of this name from now on."""
        self._listeners.setdefault(name, []).append(listener)

    async def tell(self, event: Event) -> None:
        """Call all who listen for this event; a listener's failure is logged and goes no further."""
        for listener in self._listeners.get(event.name, ()):
            try:
                outcome = listener(event)
                if inspect.isawaitable(outcome):
                    await outcome
            except Exception:
                log.exception("listener_failed", event_name=event.name)
