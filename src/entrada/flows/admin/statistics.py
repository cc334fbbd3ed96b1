"""How many signed in and failed, by the hour or by the day: counted in the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from entrada.audit.log import AuditLog
from entrada.errors import InputRefused
from entrada.events import EventName

Per = Literal["hour", "day"]
SPANS: Mapping[Per, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
MOST_SPANS = 750  # a month of hours, or two years of days
COUNTED: tuple[EventName, ...] = (
    "sign_in", "sign_in_failed", "step_up", "sign_out", "session_ended", "renewal_failed", "access_denied",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """One hour or day in UTC: what was counted in it."""

    at: datetime
    counts: Mapping[EventName, int]
    """By what happened; nothing is left out for being none."""
    people: int
    """How many different people signed in."""


async def statistics(
    log: AuditLog, *, since: datetime, until: datetime, per: Per, tenant_id: str | None
) -> Sequence[Span]:
    """Return each span from that of `since` to that of `until`, the earliest first.

    InputRefused when there would be too many, or none.
    """
    every = SPANS[per]
    begin = since.replace(minute=0, second=0, microsecond=0)
    begin = begin if per == "hour" else begin.replace(hour=0)
    number = -(-(until - begin) // every)
    if not 1 <= number <= MOST_SPANS:
        raise InputRefused(f"since, until: from 1 to {MOST_SPANS} {per}s")
    counts = await log.counts(COUNTED, since=begin, until=until, every=every, tenant_id=tenant_id)
    people = await log.people("sign_in", since=begin, until=until, every=every, tenant_id=tenant_id)
    times = [begin + place * every for place in range(number)]
    return [Span(at, {name: counts.get((at, name), 0) for name in COUNTED}, people.get(at, 0)) for at in times]
