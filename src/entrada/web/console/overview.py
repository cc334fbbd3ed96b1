"""`GET /admin`: how things are, at a glance: charts of what happened, and what wants attention."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from entrada.audit.log import Filter
from entrada.events import EventName
from entrada.users.people import Wanted
from entrada.web.console.charts import Chart, Series
from entrada.web.console.rows import shown
from entrada.web.console.shell import ADMIN, show
from entrada.web.console.way_in import Visit

FAILURES: tuple[EventName, ...] = ("sign_in_failed", "access_denied", "session_refused")
COUNTED: tuple[EventName, ...] = ("sign_in", *FAILURES, "renewal_failed", "session_ended", "sign_out")
LATEST = 6

Counts = Mapping[tuple[datetime, EventName], int]


@dataclass(frozen=True, slots=True)
class Period:
    """How far the charts look back, and in what spans."""

    name: str
    label: str
    every: timedelta
    spans: int
    form: str
    """How the beginning of a span is written."""

    def begins(self, now: datetime) -> list[datetime]:
        """Return when each span begins, the oldest first; the last one is going on."""
        whole = int(self.every.total_seconds())
        last = datetime.fromtimestamp(int(now.timestamp()) // whole * whole, UTC)
        return [last - self.every * back for back in reversed(range(self.spans))]


PERIODS = (
    Period("day", "24 hours", timedelta(hours=1), 24, "%H:%M"),
    Period("week", "7 days", timedelta(hours=6), 28, "%a %-d, %H:%M"),
    Period("month", "30 days", timedelta(days=1), 30, "%-d %b"),
)
MONTH = PERIODS[-1]


async def overview(visit: Visit) -> Response:
    """Show charts, figures, what wants attention, and what happened last."""
    asked = visit.request.query_params.get("period")
    period = next((each for each in PERIODS if each.name == asked), MONTH)
    return show(
        visit,
        "overview.html",
        section="Overview",
        heading="Overview",
        period=period,
        periods=PERIODS,
        charts=await _charts(visit, period),
        figures=await _figures(visit),
        notices=[notice async for notice in notices(visit)],
        rows=[shown(row) for row in (await visit.house.audit.log.page(limit=LATEST)).rows],
    )


async def _charts(visit: Visit, period: Period) -> Sequence[Chart]:
    begins = period.begins(visit.house.clock())
    since, until = begins[0], begins[-1] + period.every
    counts = await visit.house.audit.log.counts(COUNTED, since=since, until=until, every=period.every)
    return list(charts(counts, begins, [f"{at:{period.form}}" for at in begins]))


def charts(counts: Counts, begins: Sequence[datetime], spans: Sequence[str]) -> Iterator[Chart]:
    """Give the charts of these counts."""

    def series(name: str, *events: EventName, alarm: bool = False) -> Series:
        values = [sum(counts.get((at, event), 0) for event in events) for at in begins]
        return Series(name, values, "alarm" if alarm else "calm")

    yield Chart("sign-ins", "Sign-ins", spans, [series("signed in", "sign_in")])
    yield Chart("failures", "Failures", spans, [series("failed or refused", *FAILURES, alarm=True)])


async def _figures(visit: Visit) -> list[tuple[str, int, str]]:
    """Return what is counted now: a name, a number and where it leads."""
    people = visit.house.administration.people
    return [
        ("people", await people.count(), f"{ADMIN}/users"),
        ("inactive", await people.count(Wanted(is_active=False)), f"{ADMIN}/users?standing=inactive"),
        ("administrators", await people.count(Wanted(is_admin=True)), f"{ADMIN}/users?standing=admins"),
        ("log entries", (await visit.house.audit.log.total(Filter())).rows, f"{ADMIN}/audit"),
    ]


async def notices(visit: Visit) -> AsyncIterator[tuple[str, str]]:
    """Give what wants somebody's attention: a sentence, and the page that says more."""
    house = visit.house
    days = house.expiry.days_left()
    if days is not None:
        left = f"ends in {days} day{'' if days == 1 else 's'}" if days >= 0 else "has ended"
        yield f"A credential of this application {left}.", f"{ADMIN}/system"
    if house.chores.failing:
        yield f"Work in the background fails: {', '.join(house.chores.failing)}.", f"{ADMIN}/system"
    if waiting := house.audit.trail.waiting:
        yield f"{waiting} entries of the audit log are not written yet.", f"{ADMIN}/system"
    if house.people.admission is not None:
        asked = [each for each in await house.people.admission.table.all() if each.status == "requested"]
        if asked:
            yield f"{len(asked)} organisation{'s' if len(asked) > 1 else ''} asked to be let in.", f"{ADMIN}/tenants"
