"""How many signed in, failed and were there, by the hour or by the day: from the audit log and the tallies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from entrada.audit.spans import COUNTED, SpanCounts
from entrada.errors import InputRefused
from entrada.events import EventName
from entrada.users.tallies import Tallies, TallyName

Per = Literal["hour", "day"]
SPANS: Mapping[Per, timedelta] = {"hour": timedelta(hours=1), "day": timedelta(days=1)}
SESSIONS: Mapping[Per, TallyName] = {"hour": "sessions_of_hour", "day": "sessions_of_day"}
MOST_SPANS = 750  # a month of hours, or two years of days


@dataclass(frozen=True, slots=True)
class Span:
    """One hour or day in UTC: what was counted in it."""

    at: datetime
    counts: Mapping[EventName, int]
    """By what happened; nothing is left out for being none."""
    people: int
    """How many different people signed in."""
    renewals: int | None = None
    """How often tokens were renewed; None where only one tenant is asked about: it is counted for all together."""
    active_sessions: int | None = None
    """How many different sessions were in use; None as above."""


async def statistics(
    counting: SpanCounts, tallies: Tallies, *, since: datetime, until: datetime, per: Per, tenant_id: str | None
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
    counted = await counting.between(begin, until, every=every, tenant_id=tenant_id)
    spans = [Span(at, {name: count.counts.get(name, 0) for name in COUNTED}, count.people) for at, count in counted]
    if tenant_id is not None:
        return spans
    renewals = await tallies.sums("renewals", since=begin, until=until, every=every)
    in_use = await tallies.sums(SESSIONS[per], since=begin, until=until, every=every)
    return [replace(span, renewals=renewals.get(span.at, 0), active_sessions=in_use.get(span.at, 0)) for span in spans]
