"""What is done with the log now and then: what is old goes, and its ends are told to the application's own log."""

from datetime import timedelta
from typing import Protocol

from sqlalchemy import select

from entrada.audit.appending import head_of
from entrada.audit.pruning import prune
from entrada.audit.rows import Stream
from entrada.audit.state import LABEL
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import Anchor
from entrada.clock import Clock
from entrada.events import Event
from entrada.logs import log
from entrada.sessions.leases import Leases
from entrada.users.database import Database
from entrada.users.tables import audit_streams

EVERY = timedelta(hours=1)


class Kept(Protocol):
    """How long rows are kept, in days: of what people do, and of what administrators do."""

    @property
    def audit_days(self) -> int:
        """Of what people do."""
        ...

    @property
    def audit_admin_days(self) -> int:
        """Of what administrators do."""
        ...


class Retention:
    """Prunes both streams by the settings, in one worker at a time."""

    def __init__(self, database: Database, trail: AuditTrail, leases: Leases, *, kept: Kept, clock: Clock) -> None:
        self._database = database
        self._trail = trail
        self._leases = leases
        self._days: dict[Stream, int] = {"activity": kept.audit_days, "administration": kept.audit_admin_days}
        self._clock = clock

    async def once(self) -> None:
        """Prune what is too old, unless another worker is at it; then tell the anchors."""
        async with self._leases.taken(b"chore:audit") as lease:
            if lease is None:
                return
            for stream, days in self._days.items():
                await self._prune(stream, days)
            log.info("audit_anchors", anchors=[str(anchor) for anchor in await anchors(self._database)])

    async def _prune(self, stream: Stream, days: int) -> None:
        now = self._clock()
        by = Event("audit_pruned", at=now, label=LABEL, details={"older_than_days": days})
        await prune(self._database, self._trail.keys, stream=stream, before=now - timedelta(days=days), by=by)


async def anchors(database: Database) -> list[Anchor]:
    """Return the ends of the streams as they are now: whoever keeps one elsewhere can prove later that it was there."""
    async with database.unit_of_work(read_only=True) as connection:
        found = await connection.execute(select(audit_streams).order_by(audit_streams.c.name))
        return [Anchor(head.name, head.last_id, head.hash) for head in map(head_of, found)]
