"""What the buttons of a person's page do. Each leads back to the page, which says what was done."""

import json
from collections.abc import Awaitable, Callable
from uuid import UUID

from starlette.responses import RedirectResponse, Response

from entrada.errors import InputRefused
from entrada.flows.admin.administration import Edit
from entrada.flows.admin.desk import Desk
from entrada.web.console.people import USERS
from entrada.web.console.person import person_id
from entrada.web.console.way_in import Page, Visit
from entrada.web.embedding import PRIVATE
from entrada.web.forms import only, read_form
from entrada.web.routes.login import SEE_OTHER

Form = list[tuple[str, str]]
Change = Callable[[Desk, UUID, Form], Awaitable[object]]
MOST_DIGITS = 9


def changes(done: str, change: Change) -> Page:
    """Return the page of a button that makes this change and says so by this word of `person.DONE`."""

    async def page(visit: Visit) -> Response:
        who = person_id(visit.request)
        await change(visit.desk, who, await read_form(visit.request))
        return back(who, done)

    return page


def back(who: UUID, done: str) -> Response:
    """Lead back to the person's page."""
    return RedirectResponse(f"{USERS}/{who}?done={done}", SEE_OTHER, headers=PRIVATE)


def rights(*, is_active: bool | None = None, is_admin: bool | None = None) -> Change:
    """Return the change that gives or takes these."""
    edit = Edit(is_active=is_active, is_admin=is_admin)
    return lambda desk, who, form: desk.update(who, edit, version=_version(form))


deactivate = changes("deactivated", rights(is_active=False))
reactivate = changes("reactivated", rights(is_active=True))
promote = changes("promoted", rights(is_admin=True))
demote = changes("demoted", rights(is_admin=False))
grant = changes("granted", lambda desk, who, form: desk.grant(who, _role(form)))
revoke = changes("revoked", lambda desk, who, form: desk.revoke(who, _role(form)))
edit = changes("saved", lambda desk, who, form: desk.update(who, _edit(form), version=_version(form)))
end_sessions = changes("all-ended", lambda desk, who, _form: desk.end_sessions(who))


async def end_session(visit: Visit) -> Response:
    """End one session of the person."""
    who = person_id(visit.request)
    await visit.desk.end_session(who, visit.request.path_params["handle"])
    return back(who, "ended")


async def delete(visit: Visit) -> Response:
    """Delete the person, with their traces in the log when that was chosen."""
    form = await read_form(visit.request)
    erase = only(form, "erase") == "yes"
    await visit.desk.delete(person_id(visit.request), version=None if erase else _version(form), erase=erase)
    return RedirectResponse(f"{USERS}?done=deleted", SEE_OTHER, headers=PRIVATE)


async def export(visit: Visit) -> Response:
    """Answer all that is kept of the person, as a file."""
    who = person_id(visit.request)
    kept = json.dumps(await visit.desk.export(who), indent=2, ensure_ascii=False)
    headers = {**PRIVATE, "content-disposition": f'attachment; filename="person-{who}.json"'}
    return Response(kept, media_type="application/json", headers=headers)


def _version(form: Form) -> int | None:
    """Return the version of the person that the page was made from."""
    written = only(form, "version")
    if written is None:
        return None
    if not (written.isascii() and written.isdecimal() and len(written) <= MOST_DIGITS):
        raise InputRefused("version: the one that the page was made from")
    return int(written)


def _role(form: Form) -> str:
    role = (only(form, "role") or "").strip()
    if not role:
        raise InputRefused("role: its name is missing")
    return role


def _edit(form: Form) -> Edit:
    return Edit(name=only(form, "name"), department=only(form, "department"), job_title=only(form, "job_title"))
