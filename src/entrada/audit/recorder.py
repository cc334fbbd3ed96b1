"""What each event demands of the log: whether it may happen unrecorded, and how long its doer waits (SEC-149)."""

from entrada.audit.trail import AuditTrail
from entrada.clock import Clock
from entrada.events import Event, EventName
from entrada.logs import log

REQUIRED: frozenset[EventName] = frozenset({"sign_in", "step_up"})
"""Nobody gets a session that the log does not know of. What administrators change is written with the change itself."""

PATIENCE = 1.0  # seconds; then a sign-out, an end or a refusal goes on, and is written when the database answers
STRANGERS_PER_SECOND = 2.0  # entries that nobody in particular caused, in each worker: a flood is counted, not kept;
# one that never ends adds 172 800 a day, as many as a busy organisation's people do
STRANGERS_AT_ONCE = 500
GAP_EVERY = 60.0  # seconds between two entries that say how many were only counted


class AuditRecorder:
    """Has events recorded: the first thing that happens to each of them."""

    def __init__(self, trail: AuditTrail, *, clock: Clock) -> None:
        self._trail = trail
        self._clock = clock
        self._left = float(STRANGERS_AT_ONCE)
        self._at = clock().timestamp()
        self._counted = 0
        self._told_at = self._at

    async def __call__(self, event: Event) -> None:
        """Record it; StoreUnavailable when it must not happen and the database does not answer."""
        if event.name in REQUIRED:
            await self._trail.require(event)
            return
        if event.user_key is None and not self._has_room():
            self._counted += 1
            return
        await self._tell_of_flood()
        if not await self._trail.record(event, patience=PATIENCE):
            log.warning("audit_entry_waits", action=event.name, user_key=event.user_key, reason=event.reason)

    def _has_room(self) -> bool:
        now = self._clock().timestamp()
        self._left = min(STRANGERS_AT_ONCE, self._left + max(0.0, now - self._at) * STRANGERS_PER_SECOND)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

    async def _tell_of_flood(self) -> None:
        now = self._clock().timestamp()
        if not self._counted or now - self._told_at < GAP_EVERY:
            return
        counted, self._counted, self._told_at = self._counted, 0, now
        gap = Event("audit_gap", at=self._clock(), reason="flood", details={"entries": counted})
        await self._trail.record(gap, patience=PATIENCE)
