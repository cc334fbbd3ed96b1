"""`GET /admin/audit`: the audit log, narrowed down by a form, page by page; a little script lets it go on by itself."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast, get_args
from urllib.parse import urlencode
from uuid import UUID

from starlette.responses import Response

from entrada.audit.filters import Filter
from entrada.audit.rows import STREAMS
from entrada.errors import InputRefused
from entrada.events import EVENT_NAMES, Outcome
from entrada.web.console.places import ADMIN
from entrada.web.console.rows import shown_rows, shown_rows_and_name
from entrada.web.console.shell import asked, show
from entrada.web.console.way_in import Visit
from entrada.web.console.words import choices, grouped
from entrada.web.pages.assets import assets
from entrada.web.pages.content_policy import ContentPolicy
from entrada.web.routes.admin.export import FORMS
from entrada.web.routes.admin.table import ROOT as API

LIMIT = 50
MOST_NEW = 200  # at one look of a page that is followed; it says so when there were more
AUDIT = f"{ADMIN}/audit"
FIELDS = ("q", "action", "outcome", "since", "until", "stream", "address", "user", "about", "correlation_id")
"""Named as the parameters of the admin API are."""
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


async def log(visit: Visit) -> Response:
    """Show a page of the log."""
    chosen = _chosen(visit)
    wanted = wanted_of(chosen)
    page, total = await visit.desk.log_and_total(wanted, limit=LIMIT, after=asked(visit, "after") or None)
    person = wanted.about or wanted.person
    rows, name = await shown_rows_and_name(visit, page.rows, person)
    return show(
        visit,
        "audit.html",
        section="Audit log",
        heading="Audit log",
        rows=rows,
        newest=await visit.house.audit.log.last_id(),
        count=grouped(total.rows) + ("+" if total.more else "") if total.rows or not total.more else None,
        is_one=total.rows == 1 and not total.more,
        looked_until=page.looked_until,
        chosen={name: chosen.get(name, "") for name in FIELDS},
        about=name or ("somebody who is not in the directory" if person else None),
        choices=choices(),
        outcomes=OUTCOMES,
        streams=STREAMS,
        action=AUDIT,
        first=address(chosen) if asked(visit, "after") else None,
        next=address({**chosen, "after": page.next}) if page.next else None,
        follow=address(chosen, path=f"{AUDIT}/new"),
        exports=[(form.upper(), address(_as_api(chosen, form), path=f"{API}/audit-logs/export")) for form in FORMS],
        console_script=assets()["console.js"].url,
        content_policy=ContentPolicy.calling_us,
    )


async def new_rows(visit: Visit) -> Response:
    """Answer the rows that came after the one that a page has seen, as they stand in it."""
    try:
        after = int(asked(visit, "seen") or "0")
    except ValueError:
        raise InputRefused("seen: the id of a row") from None
    newest = await visit.house.audit.log.last_id()  # before the rows: what comes in between is of the next look
    page = await visit.desk.log(wanted_of(_chosen(visit)), limit=MOST_NEW)
    fresh = [row for row in page.rows if after < row.id <= newest]
    left_out = {"x-left-out": "1"} if page.next and len(fresh) == len(page.rows) else {}
    rows = await shown_rows(visit, fresh)
    headers = {"x-newest": str(newest)} | left_out
    return visit.house.pages.render("console/rows.html", headers=headers, rows=rows, person_page=None)


def wanted_of(chosen: Mapping[str, str]) -> Filter:
    """Return the filter that a form, or an address, asks for; InputRefused for a value that is none."""
    values: dict[str, Any] = {name: chosen.get(name) for name in ("outcome", "stream", "address", "correlation_id")}
    values |= {"text": chosen.get("q"), "person": _person(chosen.get("user")), "about": _person(chosen.get("about"))}
    since, until = _day(chosen.get("since")), _day(chosen.get("until"), after=1)
    actions = (cast("Any", chosen["action"]),) if chosen.get("action") else ()
    return Filter(actions=actions, since=since, until=until, **values)


def address(chosen: Mapping[str, str], *, path: str = AUDIT) -> str:
    """Return the address of the log under this filter."""
    return f"{path}?{urlencode(chosen)}" if chosen else path


def _chosen(visit: Visit) -> dict[str, str]:
    """Return what was chosen of what there is to choose; what is unknown is left out."""
    given = {name: value for name in FIELDS if (value := asked(visit, name))}
    known = {"action": EVENT_NAMES, "outcome": OUTCOMES, "stream": STREAMS}
    return {name: value for name, value in given.items() if name not in known or value in known[name]}


def _as_api(chosen: Mapping[str, str], form: str) -> dict[str, str]:
    """Return the same filter as the admin API takes it: there, `until` is not included."""
    until = _day(chosen.get("until"), after=1)
    mark = {"bom": "true"} if form == "csv" else {}
    return {**chosen, **({"until": f"{until:%Y-%m-%d}"} if until else {}), "format": form, **mark}


def _person(written: str | None) -> UUID | None:
    try:
        return UUID(written) if written else None
    except ValueError:
        raise InputRefused("user, about: the id of a person here") from None


def _day(written: str | None, *, after: int = 0) -> datetime | None:
    """Return the beginning of a day, or of one so many days later."""
    try:
        day = datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=UTC) if written else None
    except ValueError:
        raise InputRefused("since, until: days such as 2026-11-21") from None
    try:
        return day + timedelta(days=after) if day else None
    except OverflowError:
        return None  # nothing comes after the last day there is
