"""`GET /admin/users/{id}`: one person: who, with which rights, where they are signed in, what they have done."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import NotFound
from entrada.sessions.session import Session
from entrada.users.person import Person
from entrada.web.console.people import USERS
from entrada.web.console.places import ADMIN
from entrada.web.console.rows import shown_rows
from entrada.web.console.shell import initials, show
from entrada.web.console.way_in import Visit
from entrada.web.pages.moments import ago, moment
from entrada.web.routes.admin.table import ROOT as API
from entrada.web.routes.admin.table import USER as API_USER
from entrada.web.routes.sessions import MOST_SHOWN, session_shown

HISTORY = 12
DONE = {
    "ended": "The session has ended. Its browser is out at its next click.",
    "all-ended": "All sessions have ended. Their browsers are out at their next click.",
    "deactivated": "Deactivated. Nobody signs in with this account any more, and its sessions have ended.",
    "reactivated": "Reactivated. This person may sign in again.",
    "promoted": "This person is an administrator from the next request on.",
    "demoted": "This person is no administrator any more, from the next request on.",
    "granted": "The role is granted. It counts from the next request on.",
    "revoked": "The role is taken back. It counts from the next request on.",
    "saved": "The profile is saved.",
}


async def person(visit: Visit) -> Response:
    """Show a person."""
    found = await visit.desk.one(person_id(visit.request))
    sessions = await visit.desk.sessions(found.id, limit=MOST_SHOWN)
    history = await visit.desk.history(found.id, limit=HISTORY)
    return show(
        visit,
        "user.html",
        section="People",
        heading=found.called,
        initials=initials(found.called),
        photo=f"{API}{API_USER.format(user_id=found.id)}/photo" if found.photo else None,
        person=found,
        path=f"{USERS}/{found.id}",
        facts=_facts(found),
        roles_there=sorted(_roles_there(sessions)),
        roles_here=sorted(found.grants),
        is_oneself=found.id == visit.desk.person.id,
        shown=[session_shown(visit.house, each, current=visit.session) for each in sessions],
        rows=await shown_rows(visit, history.rows),
        more=f"{ADMIN}/audit?about={found.id}" if history.next else None,
        last_seen=ago(visit.house.clock() - found.last_sign_in_at),
        done=DONE.get(visit.request.query_params.get("done", "")),
    )


async def delete_person(visit: Visit) -> Response:
    """Ask once more before somebody is deleted."""
    found = await visit.desk.one(person_id(visit.request))
    values: dict[str, Any] = {"person": found, "path": f"{USERS}/{found.id}"}
    return show(visit, "delete.html", section="People", heading=f"Delete {found.called}?", **values)


def person_id(request: Request) -> UUID:
    """Return the id in the address; NotFound when it is none."""
    try:
        return UUID(request.path_params["id"])
    except ValueError:
        raise NotFound("no id of a person") from None


def _roles_there(sessions: Sequence[Session]) -> frozenset[str]:
    """Return the roles that the authority has told of at the sign-ins that still last."""
    return frozenset().union(*(each.user.roles - each.user.granted for each in sessions))


def _facts(person: Person) -> list[tuple[str, str]]:
    said = (
        ("Mail", person.email),
        ("Job title", person.job_title),
        ("Department", person.department),
        ("Tenant", person.tenant_id),
        ("Object id", person.object_id),
        ("Issuer", None if person.object_id else person.issuer),
        ("Subject", None if person.object_id else person.subject),
        ("First seen", moment(person.created_at)),
        ("Last sign-in", moment(person.last_sign_in_at)),
        ("Id here", str(person.id)),
    )
    return [(name, value) for name, value in said if value]
