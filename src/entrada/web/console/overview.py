"""`GET /admin`: how things are, at a glance: charts of what happened, and what wants attention."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from entrada.events import EventName
from entrada.flows.admin.statistics import Per, Span
from entrada.users.people import Wanted
from entrada.web.console.charts import Chart, Series, Tone
from entrada.web.console.places import ADMIN
from entrada.web.console.rows import shown_rows
from entrada.web.console.shell import show
from entrada.web.console.way_in import Visit
from entrada.web.console.words import grouped


@dataclass(frozen=True, slots=True)
class Drawing:
    """What one chart counts: kinds, each a name, events and a tone."""

    id: str
    title: str
    note: str
    kinds: Sequence[tuple[str, tuple[EventName, ...], Tone]]


DRAWINGS = (
    Drawing("sign-ins", "Sign-ins", "sign-ins", [("Signed in", ("sign_in",), "calm")]),
    Drawing(
        "failures",
        "Failures",
        "failed or refused",
        [("Sign-in failed", ("sign_in_failed",), "alarm"), ("Access denied", ("access_denied",), "open")],
    ),
    Drawing(
        "endings",
        "Sessions that ended",
        "ended, those that ran out not counted",
        [
            ("Signed out", ("sign_out",), "calm"),
            ("Ended by somebody", ("session_ended",), "open"),
        ],
    ),
)
LATEST = 6


@dataclass(frozen=True, slots=True)
class Period:
    """How far the charts look back, and in what spans."""

    name: str
    label: str
    per: Per
    back: timedelta
    form: str
    """How the beginning of a span is written."""


PERIODS = (
    Period("day", "24 hours", "hour", timedelta(hours=23), "%H:%M"),
    Period("month", "30 days", "day", timedelta(days=29), "%-d %b"),
    Period("quarter", "90 days", "day", timedelta(days=89), "%-d %b"),
)
MONTH = PERIODS[1]


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
        rows=await shown_rows(visit, (await visit.desk.log(limit=LATEST)).rows),
    )


async def _charts(visit: Visit, period: Period) -> list[Chart]:
    now = visit.house.clock()
    spans = await visit.desk.statistics(since=now - period.back, until=now, per=period.per)
    names = [f"{span.at:{period.form}}" for span in spans]
    sign_ins, failures, endings = (bars(spans, names, drawing) for drawing in DRAWINGS)
    each = "an hour" if period.per == "hour" else "a day"
    people = line("people", "People who signed in", names, [span.people for span in spans], note=f"at most {each}")
    if not visit.sees_everybody:
        return [sign_ins, failures, people, endings]
    in_use = [span.active_sessions for span in spans]
    sessions = line("sessions", "Active sessions", names, in_use, note=f"at most {each}")
    return [sign_ins, failures, sessions, renewals(spans, names), people, endings]


def line(chart_id: str, title: str, names: Sequence[str], values: Sequence[int | None], *, note: str) -> Chart:
    """Return the chart of something that is there at a time, with the most there was."""
    most = max((value for value in values if value is not None), default=0)
    return Chart(chart_id, title, names, [Series(title, values)], kind="line", sum=grouped(most), note=note)


def renewals(spans: Sequence[Span], names: Sequence[str]) -> Chart:
    """Return the chart of tokens that were renewed, and of renewals that the authority refused."""
    renewed = [span.renewals for span in spans]
    refused = [span.counts["renewal_failed"] for span in spans]
    series = [Series("Renewed", renewed), Series("Refused", refused, "alarm")]
    note = f"renewed, {grouped(sum(refused))} refused"
    return Chart("renewals", "Renewals", names, series, sum=grouped(sum(value or 0 for value in renewed)), note=note)


def bars(spans: Sequence[Span], names: Sequence[str], drawing: Drawing) -> Chart:
    """Return the chart of what a drawing counts: of each kind one series."""
    series = [
        Series(name, [sum(span.counts[event] for event in events) for span in spans], tone)
        for name, events, tone in drawing.kinds
    ]
    total = sum(value or 0 for each in series for value in each.values)
    return Chart(drawing.id, drawing.title, names, series, sum=grouped(total), note=drawing.note)


async def _figures(visit: Visit) -> list[tuple[str, str, str]]:
    """Return what is counted now: a name, a number and where it leads."""
    count = visit.desk.count
    return [
        ("people", grouped(await count()), f"{ADMIN}/users"),
        ("inactive", grouped(await count(Wanted(is_active=False))), f"{ADMIN}/users?standing=inactive"),
        ("promoted to administrator", grouped(await count(Wanted(is_admin=True))), f"{ADMIN}/users?standing=admins"),
        ("log entries", grouped((await visit.desk.total()).rows), f"{ADMIN}/audit"),
    ]


async def notices(visit: Visit) -> AsyncIterator[tuple[str, str]]:
    """Give what wants somebody's attention: a sentence, and the page that says more."""
    house = visit.house
    if not visit.sees_everybody:
        return
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
