"""`GET /admin`: how things are, at a glance: charts of what happened, and what wants attention."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from entrada.events import EventName
from entrada.users.people import Wanted
from entrada.web.console.charts import Chart, Series, Tone
from entrada.web.console.rows import shown
from entrada.web.console.shell import ADMIN, show
from entrada.web.console.way_in import Visit

Kinds = Sequence[tuple[str, tuple[EventName, ...], Tone]]
CHARTS: Sequence[tuple[str, str, Kinds]] = (
    ("Sign-ins", "signed in", (("Signed in", ("sign_in",), "calm"),)),
    (
        "Failures",
        "failed or were refused",
        (
            ("Sign-in failed", ("sign_in_failed",), "alarm"),
            ("Refused", ("access_denied", "session_refused"), "calm"),
        ),
    ),
)
COUNTED: tuple[EventName, ...] = tuple(event for *_, kinds in CHARTS for _, events, _ in kinds for event in events)
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
        rows=[shown(row) for row in (await visit.desk.log(limit=LATEST)).rows],
    )


async def _charts(visit: Visit, period: Period) -> Sequence[Chart]:
    begins = period.begins(visit.house.clock())
    since, until = begins[0], begins[-1] + period.every
    counts = await visit.house.audit.log.counts(COUNTED, since=since, until=until, every=period.every)
    return [bars(counts, begins, [f"{at:{period.form}}" for at in begins], *each) for each in CHARTS]


def bars(
    counts: Counts, begins: Sequence[datetime], spans: Sequence[str], title: str, note: str, kinds: Kinds
) -> Chart:
    """Return a chart of events: of each kind one series."""
    series = [
        Series(name, [sum(counts.get((at, event), 0) for event in events) for at in begins], tone)
        for name, events, tone in kinds
    ]
    total = sum(value or 0 for each in series for value in each.values)
    return Chart(title.lower(), title, spans, series, sum=f"{total:,}".replace(",", " "), note=note)


async def _figures(visit: Visit) -> list[tuple[str, int, str]]:
    """Return what is counted now: a name, a number and where it leads."""
    count = visit.desk.count
    return [
        ("people", await count(), f"{ADMIN}/users"),
        ("inactive", await count(Wanted(is_active=False)), f"{ADMIN}/users?standing=inactive"),
        ("administrators", await count(Wanted(is_admin=True)), f"{ADMIN}/users?standing=admins"),
        ("log entries", (await visit.desk.total()).rows, f"{ADMIN}/audit"),
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
