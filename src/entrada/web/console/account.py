"""`GET /account`: for everybody who is signed in: who they are here, where they are signed in, their last sign-ins."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from entrada.audit.filters import Filter
from entrada.audit.recorded import Recorded
from entrada.errors import NotAllowed
from entrada.events import EventName
from entrada.flows.admin.administration import Actor
from entrada.principal import ADMIN_ROLE, User
from entrada.sessions.session import Session
from entrada.users.person import Person
from entrada.web.console.places import ADMIN, OWN_PHOTO
from entrada.web.console.rows import shown
from entrada.web.console.shell import SAME_ORIGIN, initials
from entrada.web.context import House, context_of
from entrada.web.pages.assets import assets
from entrada.web.pages.moments import moment
from entrada.web.pages.photo import photo_answer
from entrada.web.routes.sessions import MOST_SHOWN, session_shown

SIGN_INS: tuple[EventName, ...] = ("sign_in", "new_device", "sign_in_failed", "session_refused")
LATEST = 10


async def account(request: Request, session: Session) -> Response:
    """Show a person their own account."""
    context = context_of(request.scope)
    house = context.house
    person = await house.people.directory.known(session.user)
    theirs = await house.sessions.by_user(session.user, limit=MOST_SHOWN)
    return house.pages.render(
        "console/account.html",
        headers=SAME_ORIGIN,
        heading="Your account",
        initials=initials(session.user.name or session.user.username),
        photo=OWN_PHOTO if person and person.photo else None,
        user=session.user,
        facts=_facts(session),
        roles=sorted(session.user.roles - {ADMIN_ROLE}),
        admin=ADMIN if await _administers(house, session.user) else None,
        shown=[session_shown(house, each, current=session) for each in theirs],
        rows=[shown(row) for row in await _sign_ins(house, person)],
        path=house.path("sessions"),
        sign_out=house.path("logout"),
        home=house.settings.home,
        csrf_token=context.csrf_token,
        console_stylesheet=assets()["console.css"].url,
    )


async def own_photo(request: Request, session: Session) -> Response:
    """Answer with a person's own picture."""
    people = context_of(request.scope).house.people
    person = await people.directory.known(session.user)
    return photo_answer(await people.photos.of(person.id) if person else None)


async def _administers(house: House, user: User) -> bool:
    """Say whether there is a way to the console to show; the console decides for itself."""
    if not house.settings.admin:
        return False
    try:
        await house.administrators.desk(user, Actor(user.label))
    except NotAllowed:
        return False
    return True


async def _sign_ins(house: House, person: Person | None) -> Sequence[Recorded]:
    """Return what the log says of the person's own sign-ins, the newest first."""
    if person is None:
        return ()
    return (await house.audit.log.page(Filter(actions=SIGN_INS, person=person.id), limit=LATEST)).rows


def _facts(session: Session) -> list[tuple[str, str]]:
    user = session.user
    said = (
        ("User name", user.username),
        ("Mail", user.email),
        ("Organisation", user.tenant_id),
        ("Proved by", ", ".join(user.amr)),
        ("Signed in", moment(user.auth_time) if user.auth_time else None),
        ("Ends if unused", moment(session.idle_expires_at) if session.idle_expires_at < session.expires_at else None),
        ("Ends in any case", moment(session.expires_at)),
    )
    return [(name, value) for name, value in said if value]
