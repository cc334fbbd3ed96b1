"""All of the audit log that one worker needs, built once."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from entrada.audit import alerts, delivery, state
from entrada.audit.alerts import Alerts
from entrada.audit.delivery import Delivery
from entrada.audit.log import AuditLog
from entrada.audit.recorder import AuditRecorder
from entrada.audit.retention import EVERY, Retention
from entrada.audit.spans import AHEAD_EVERY, SpanCounts
from entrada.audit.state import StateNotes
from entrada.audit.trail import AuditTrail
from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.events import Events
from entrada.keyring import KeyRing
from entrada.provider.egress import Egress
from entrada.sessions.leases import Leases
from entrada.settings import Settings
from entrada.users.database import Database

D = TypeVar("D")
NOTE_EVERY = timedelta(minutes=1)  # compared in memory; the database is asked only when something is new


class Audit:
    """The log of one application: `trail` writes, `log` reads, `spans` counts; every event is recorded."""

    def __init__(
        self, settings: Settings, database: Database, ring: KeyRing, *, leases: Leases, clock: Clock, events: Events
    ) -> None:
        self.trail = AuditTrail(database, ring, clock=clock)
        self.log = AuditLog(database)
        self.spans = SpanCounts(database, clock=clock)
        events.record_with(AuditRecorder(self.trail, clock=clock))
        self._alerts = Alerts(database, leases, events, thresholds=settings, clock=clock)
        self._webhook = settings.audit_webhook
        self._has_overview = settings.admin
        self._database, self._leases, self._clock = database, leases, clock
        self._settings = state.of_settings(settings)
        self._ring = state.of_ring(ring)
        self._notes = StateNotes(database, self.trail, clock=clock)
        self._retention = Retention(database, self.trail, leases, kept=settings, clock=clock)

    def use(self, ring: KeyRing) -> None:
        """Sign with the active key of this ring from now on; that it has changed is noted within a minute."""
        self.trail.use(ring)
        self._ring = state.of_ring(ring)

    async def note(self) -> None:
        """Write down what the application runs with, unless the log says so already."""
        await self._notes.note("configuration_changed", self._settings)
        await self._notes.note("keys_changed", self._ring)

    async def start(self) -> None:
        """Do `note`; a database that does not answer keeps nobody from starting."""
        with suppress(StoreUnavailable):
            await self.note()

    def duties(self, duty: Callable[[str, timedelta, Callable[[], Awaitable[None]]], D], egress: Egress) -> Iterator[D]:
        """Give what is to be done now and then, each made by `duty` of its name, how often, and how."""
        yield duty("alerts", alerts.EVERY, self._alerts.once)
        if self._webhook is not None:
            url, secret = self._webhook
            kept = (self._database, self._leases, egress)
            yield duty("audit_webhook", delivery.EVERY, Delivery(*kept, url=url, secret=secret, clock=self._clock).once)
        yield duty("audit_state", NOTE_EVERY, self.note)
        yield duty("audit", EVERY, self._retention.once)
        if self._has_overview:
            yield duty("audit_numbers", AHEAD_EVERY, self.spans.ahead)
