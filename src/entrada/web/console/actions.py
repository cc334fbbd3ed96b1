"""What the buttons of a person's page do. Each leads back to the page, which says what was done."""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from entrada.errors import NotFound, RequestRefused
from entrada.flows.administration import Administration, Edit
from entrada.web.console.people import USERS
from entrada.web.console.person import known, person_id
from entrada.web.console.way_in import Page, Visit
from entrada.web.embedding import PRIVATE
from entrada.web.forms import only, read_form
from entrada.web.routes.login import SEE_OTHER

Form = list[tuple[str, str]]
Change = Callable[[Administration, UUID, Visit, Form], Awaitable[object]]


def changes(done: str, change: Change) -> Page:
    """Return the page of a button that makes this change and says so by this word of `person.DONE`."""

    async def page(visit: Visit) -> Response:
        who = person_id(visit.request)
        await known(visit)
        await change(visit.house.administration, who, visit, await read_form(visit.request))
        return back(who, done)

    return page


def back(who: UUID, done: str) -> Response:
    """Lead back to the person's page."""
    return RedirectResponse(f"{USERS}/{who}?done={done}", SEE_OTHER, headers=PRIVATE)


def version(form: Form) -> int | None:
    """Return the version of the person that the page was made from."""
    written = only(form, "version")
    if written is None:
        return None
    if not written.isascii() or not written.isdecimal() or len(written) > 9:  # noqa: PLR2004 digits
        raise RequestRefused("version: the one that the page was made from")
    return int(written)


deactivate = changes("deactivated", lambda do, who, visit, form: do.deactivate(who, by=visit.actor, version=version(form)))
reactivate = changes("reactivated", lambda do, who, visit, form: do.reactivate(who, by=visit.actor, version=version(form)))
promote = changes("granted", lambda do, who, visit, _form: do.promote(who, by=visit.actor))
demote = changes("revoked", lambda do, who, visit, _form: do.demote(who, by=visit.actor))
grant = changes("granted", lambda do, who, visit, form: do.grant(who, _role(form), by=visit.actor))
revoke = changes("revoked", lambda do, who, visit, form: do.revoke(who, _role(form), by=visit.actor))
edit = changes("saved", lambda do, who, visit, form: do.update(who, _edit(form), by=visit.actor, version=version(form)))


async def end_session(visit: Visit) -> Response:
    """End one session of the person."""
    found = await known(visit)
    session = await visit.house.sessions.by_handle(found.user, visit.request.path_params["handle"])
    if session is None:
        raise NotFound("no session of this person has this handle")
    await visit.house.endings.end([session])
    await _ended(visit, found.id, 1)
    return back(found.id, "ended")


async def end_sessions(visit: Visit) -> Response:
    """End all sessions of the person."""
    found = await known(visit)
    await _ended(visit, found.id, await visit.house.endings.end_all_of(found.user))
    return back(found.id, "all-ended")


async def delete(visit: Visit) -> Response:
    """Delete the person, with their traces in the log when that was chosen."""
    form = await read_form(visit.request)
    who = (await known(visit)).id
    if only(form, "erase") == "yes":
        await visit.house.administration.erase(who, by=visit.actor)
    else:
        await visit.house.administration.delete(who, by=visit.actor, version=version(form))
    return RedirectResponse(f"{USERS}?done=deleted", SEE_OTHER, headers=PRIVATE)


async def export(visit: Visit) -> Response:
    """Answer all that is kept of the person, as a file."""
    found = await known(visit)
    kept = await visit.house.administration.export(found.id, by=visit.actor)
    headers = {**PRIVATE, "content-disposition": f'attachment; filename="person-{found.id}.json"'}
    return Response(json.dumps(kept, indent=2, ensure_ascii=False), media_type="application/json", headers=headers)


async def _ended(visit: Visit, who: UUID, count: int) -> None:
    details = {"ended": count}
    await visit.context.tell(
        "session_ended", user=visit.user, reason="ended_by_administrator", resource=f"user:{who}", details=details
    )


def _role(form: Form) -> str:
    role = (only(form, "role") or "").strip()
    if not role:
        raise RequestRefused("role: its name is missing")
    return role


def _edit(form: Form) -> Edit:
    return Edit(name=only(form, "name"), department=only(form, "department"), job_title=only(form, "job_title"))
