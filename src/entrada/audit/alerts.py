"""What happens too often, found in the audit log, which knows of all workers, and told as the event `alert`.

For whoever has no Prometheus: `@entrada.on("alert")` takes it to a chat or a pager. The same is told once in half an
hour; the log itself remembers what was told, so that another worker does not tell it again.
"""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select

from entrada.audit.filters import Filter
from entrada.audit.log import MOST_AT_ONCE, AuditLog
from entrada.clock import Clock
from entrada.events import Event, EventName, Events
from entrada.logs import log
from entrada.sessions.leases import Leases
from entrada.users.database import Database
from entrada.users.tables import audit

EVERY = timedelta(minutes=1)
LOOKED_AT = timedelta(minutes=5)  # a burst of a minute is still seen, and one person's mistake is none
ADDRESSES_IN = timedelta(hours=1)
TOLD_EVERY = timedelta(minutes=30)
NOW = timedelta(microseconds=1)  # what happens at this moment is among what happened before the next
LISTENED_FOR = 30.0  # seconds; a pager that has not taken it by then would hold up what comes next, for ever
MOST_PEOPLE = 20  # of one round; where there are more, the first alerts say enough
LABEL = "the application"


class Thresholds(Protocol):
    """From how many on it is too often; 0 for never."""

    @property
    def alert_failures_per_minute(self) -> int:
        """Sign-ins that fail."""
        ...

    @property
    def alert_refusals_per_minute(self) -> int:
        """Renewals that are refused."""
        ...

    @property
    def alert_denials_per_minute(self) -> int:
        """Requests for what somebody may not have."""
        ...

    @property
    def alert_addresses_per_hour(self) -> int:
        """Addresses from which one person signs in."""
        ...


@dataclass(frozen=True, slots=True)
class Rule:
    """Events that are counted together."""

    reason: str
    actions: tuple[EventName, ...]
    per_minute: int

    @property
    def most(self) -> int:
        """How many of them there may be in the time that is looked at."""
        return self.per_minute * int(LOOKED_AT / timedelta(minutes=1))


class Alerts:
    """Looks now and then, in one worker at a time."""

    def __init__(
        self,
        database: Database,
        leases: Leases,
        events: Events,
        *,
        thresholds: Thresholds,
        clock: Clock,
        listened_for: float = LISTENED_FOR,
    ) -> None:
        self._listened_for = listened_for
        self._database = database
        self._log = AuditLog(database)
        self._leases = leases
        self._events = events
        self._clock = clock
        self._addresses = thresholds.alert_addresses_per_hour
        self._rules = (
            Rule("sign_ins_fail", ("sign_in_failed",), thresholds.alert_failures_per_minute),
            Rule("renewals_refused", ("renewal_failed",), thresholds.alert_refusals_per_minute),
            Rule("access_denied", ("access_denied", "session_refused"), thresholds.alert_denials_per_minute),
        )

    async def once(self) -> None:
        """Tell what is too often, unless it was told or another worker is at it; StoreUnavailable without the log."""
        async with self._leases.taken(b"chore:alerts") as lease:
            if lease is None:
                return
            now = self._clock()
            told = await self._told(now)
            found = [*await self._frequent(now), *await self._travelling(now)]
            for event in found:
                if (event.reason, event.resource) not in told:
                    log.warning("alert", reason=event.reason, resource=event.resource, **event.details)
                    await self._tell(event)

    async def _tell(self, event: Event) -> None:
        try:
            async with asyncio.timeout(self._listened_for):
                await self._events.tell(event)
        except TimeoutError:
            log.error("alert_listener_too_slow", reason=event.reason, seconds=self._listened_for)

    async def _told(self, now: datetime) -> set[tuple[str | None, str | None]]:
        """Return what was told lately, or is said to be soon: clocks of workers differ, but by less than that."""
        lately = Filter(actions=("alert",), since=now - TOLD_EVERY, until=now + TOLD_EVERY)
        return {(row.reason, row.resource) for row in (await self._log.page(lately, limit=MOST_AT_ONCE)).rows}

    async def _frequent(self, now: datetime) -> list[Event]:
        wanted = [rule for rule in self._rules if rule.per_minute]
        actions = [action for rule in wanted for action in rule.actions]
        if not actions:
            return []
        since, until = now - LOOKED_AT, now + NOW
        counts = await self._log.counts(actions, since=since, until=until)
        return list(_too_many(wanted, counts, now))

    async def _travelling(self, now: datetime) -> list[Event]:
        """Find people who sign in from more addresses than anybody is at: their account is in others' hands."""
        if not self._addresses:
            return []
        addresses = func.count(audit.c.address.distinct())
        asked = (
            select(audit.c.person, addresses.label("addresses"), func.max(audit.c.label).label("label"))
            .where(audit.c.action == "sign_in", audit.c.person.is_not(None))
            .where(audit.c.at >= now - ADDRESSES_IN, audit.c.at < now + NOW)
            .group_by(audit.c.person)
            .having(addresses >= self._addresses)
            .limit(MOST_PEOPLE)
        )
        async with self._database.unit_of_work(read_only=True) as connection:
            rows = (await connection.execute(asked)).all()
        return [
            Event("alert", at=now, label=row.label or LABEL, reason="many_addresses", resource=f"user:{row.person}",
                  details={"count": row.addresses, "minutes": int(ADDRESSES_IN / timedelta(minutes=1))})
            for row in rows
        ]  # fmt: skip


def _too_many(rules: list[Rule], counts: Mapping[EventName, int], now: datetime) -> Iterator[Event]:
    for rule in rules:
        count = sum(counts.get(action, 0) for action in rule.actions)
        if count >= rule.most:
            details = {"count": count, "minutes": int(LOOKED_AT / timedelta(minutes=1))}
            yield Event("alert", at=now, label=LABEL, reason=rule.reason, details=details)
