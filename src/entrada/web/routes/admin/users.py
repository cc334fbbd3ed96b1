"""`/api/admin/users` and below: people, their roles and their sessions."""

from collections.abc import Mapping
from typing import Any, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada.errors import InputRefused
from entrada.flows.admin.administration import Edit
from entrada.flows.admin.desk import Desk
from entrada.sessions.session import Session
from entrada.users.people import MOST_AT_ONCE, MOST_OFFSET, Wanted
from entrada.users.person import Person
from entrada.users.place import Order
from entrada.web.pages.devices import device
from entrada.web.pages.photo import photo_answer
from entrada.web.routes.admin import schemas
from entrada.web.routes.admin.asked import Query, fields, user_id, version
from entrada.web.routes.admin.door import prove_freshly

PAGE = 50
FIELDS: Mapping[str, type] = {
    "is_active": bool, "is_admin": bool, "department": str, "job_title": str, "display_name": str
}  # fmt: skip
RIGHTS = frozenset({"is_active", "is_admin"})
ORDERS: tuple[Order, ...] = get_args(Order)


async def list_users(request: Request, desk: Desk) -> Response:
    """List people, newest first unless another order is asked for; `next` begins the page after this one."""
    asked = Query(request, schemas.PEOPLE)
    wanted = Wanted(
        text=asked.text("q"),
        is_active=asked.flag("active"),
        is_admin=asked.flag("admin"),
        role=asked.text("role"),
        tenant_id=(asked.text("tenant") or "").lower() or None,
    )
    limit = asked.number("limit", PAGE, least=1, most=MOST_AT_ONCE)
    offset = asked.number("offset", 0, least=0, most=MOST_OFFSET)
    order = asked.choice("sort", ORDERS) or "newest"
    page = await desk.people(wanted, order=order, limit=limit, after=asked.text("after"), offset=offset)
    return JSONResponse(
        {
            "users": [summary(person) for person in page.people],
            "total": await desk.count(wanted),
            "limit": limit,
            "offset": offset,
            "next": page.next,
        }
    )


async def get_user(request: Request, desk: Desk) -> Response:
    """Answer all that the directory has of one person, and the version by which it is changed."""
    return _person(await desk.one(user_id(request)))


async def put_user(request: Request, desk: Desk) -> Response:
    """Change what is given and may be changed; rights want a fresh proof."""
    given = await fields(request, FIELDS)
    edit = Edit(
        name=given.get("display_name"),
        department=given.get("department"),
        job_title=given.get("job_title"),
        is_active=given.get("is_active"),
        is_admin=given.get("is_admin"),
    )
    if all(value is None for value in given.values()):
        raise InputRefused("No fields to update.")
    if any(given.get(name) is not None for name in RIGHTS):
        await prove_freshly(request)
    return _done("The user was updated.", await desk.update(user_id(request), edit, version=version(request)))


async def delete_user(request: Request, desk: Desk) -> Response:
    """Forget a person and end their sessions; the log keeps what they did, under their label."""
    person = await desk.delete(user_id(request), version=version(request))
    return JSONResponse({"message": "The user was deleted.", "id": str(person.id)})


async def erase_user(request: Request, desk: Desk) -> Response:
    """Forget a person, in the log too; that somebody did something then stays (SEC-150)."""
    person = await desk.delete(user_id(request), erase=True)
    return JSONResponse({"message": "The user and their data were erased.", "id": str(person.id)})


async def deactivate_user(request: Request, desk: Desk) -> Response:
    """Let a person in no more, and end what they have open."""
    person = await desk.update(user_id(request), Edit(is_active=False), version=version(request))
    return _done("The user was deactivated and signed out everywhere.", person)


async def reactivate_user(request: Request, desk: Desk) -> Response:
    """Let a person in again."""
    person = await desk.update(user_id(request), Edit(is_active=True), version=version(request))
    return _done("The user may sign in again.", person)


async def export_user(request: Request, desk: Desk) -> Response:
    """Answer all that is kept of a person (SEC-150)."""
    person_id = user_id(request)
    found = await desk.export(person_id)
    disposition = f'attachment; filename="user-{person_id}.json"'
    return JSONResponse(found, headers={"content-disposition": disposition})


async def get_photo(request: Request, desk: Desk) -> Response:
    """Answer with a person's picture, as the authority had it at their last sign-in."""
    return photo_answer(await desk.photo(user_id(request)))


async def list_roles(request: Request, desk: Desk) -> Response:
    """Answer which roles were granted to a person here; those of the authority come with each of their sign-ins."""
    return _roles(await desk.one(user_id(request)))


async def grant_role(request: Request, desk: Desk) -> Response:
    """Grant a role; it works on the person's next request."""
    return _roles(await desk.grant(user_id(request), request.path_params["role"]))


async def revoke_role(request: Request, desk: Desk) -> Response:
    """Take a role back that was granted here; also from the person's next request on."""
    return _roles(await desk.revoke(user_id(request), request.path_params["role"]))


async def list_sessions(request: Request, desk: Desk) -> Response:
    """Answer where a person is signed in, by handles (SEC-076)."""
    found = await desk.sessions(user_id(request))
    return JSONResponse({"sessions": [_session(desk, session) for session in found]})


async def end_session(request: Request, desk: Desk) -> Response:
    """End one session of a person on every worker."""
    await desk.end_session(user_id(request), request.path_params["handle"])
    return JSONResponse({"ended": 1})


async def end_sessions(request: Request, desk: Desk) -> Response:
    """End every session of a person on every worker."""
    return JSONResponse({"ended": await desk.end_sessions(user_id(request))})


def summary(person: Person) -> dict[str, Any]:
    """Return what a list shows of a person."""
    return {
        "id": str(person.id),
        "email": person.email,
        "display_name": person.name,
        "username": person.username,
        "is_active": person.is_active,
        "is_admin": person.is_admin,
        "created_at": person.created_at.isoformat(),
        "last_login": person.last_sign_in_at.isoformat(),
        "department": person.department,
        "job_title": person.job_title,
        "tenant_id": person.tenant_id,
    }


def _person(person: Person) -> Response:
    return JSONResponse(_document(person), headers={"etag": f'"{person.version}"'})


def _done(message: str, person: Person) -> Response:
    document = {"message": message, "user": _document(person)}
    return JSONResponse(document, headers={"etag": f'"{person.version}"'})


def _document(person: Person) -> dict[str, Any]:
    return summary(person) | {
        "azure_oid": person.object_id,
        "first_name": person.given_name,
        "last_name": person.family_name,
        "updated_at": (person.updated_at or person.last_sign_in_at).isoformat(),
        "has_photo": person.photo is not None,
        "roles": sorted(person.grants),
        "version": person.version,
    }


def _roles(person: Person) -> Response:
    return JSONResponse({"roles": sorted(person.grants)}, headers={"etag": f'"{person.version}"'})


def _session(desk: Desk, session: Session) -> dict[str, Any]:
    facts = session.record.facts
    return {
        "handle": desk.handle(session),
        "device": device(facts.user_agent),
        "user_agent": facts.user_agent,
        "address": facts.address,
        "new": facts.new_device,
        "created_at": session.created_at.isoformat(),
        "last_seen_at": session.last_seen_at.isoformat(),
        "idle_expires_at": session.idle_expires_at.isoformat(),
        "expires_at": session.expires_at.isoformat(),
    }
