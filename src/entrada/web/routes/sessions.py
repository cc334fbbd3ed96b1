"""`{prefix}/sessions`: where a person is signed in, as a page and as an API, and ending it there (SES-7, SEC-076).

A session is named by a handle, which is good for nothing but this. Ending one deletes it from the store that all
workers share: the next request with its cookie is nobody's, wherever it arrives.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from entrada.errors import NotFound, NotSignedIn
from entrada.sessions.session import Session
from entrada.web.context import Context, House, context_of
from entrada.web.embedding import PRIVATE, refuse_embedding
from entrada.web.failures import navigates, refuse
from entrada.web.pages.devices import device, handheld
from entrada.web.pages.moments import ago, moment
from entrada.web.pages.pages import SessionShown
from entrada.web.routes.login import SEE_OTHER

MOST_SHOWN = 100
ENDED_BY_USER = "ended_by_user"


async def sessions(request: Request) -> Response:
    """Answer where this person is signed in: a page for a browser, a document for a script."""
    context = context_of(request.scope)
    refuse_embedding(context)
    current = await _required(request, context)
    theirs = await context.house.sessions.by_user(current.user, limit=MOST_SHOWN)
    if navigates(request):
        return _page(context, current, theirs)
    found = [_document(context, session, current=session.key == current.key) for session in theirs]
    return JSONResponse({"sessions": found}, headers=PRIVATE)


async def end_one(request: Request) -> Response:
    """End one session of this person; 404 for a handle that is none of theirs."""
    context = context_of(request.scope)
    current = await _required(request, context)
    session = await context.house.sessions.by_handle(current.user, request.path_params["handle"])
    if session is None:
        raise NotFound("no session of this person has this handle")
    if session.key == current.key:
        await context.house.endings.end([current])
        context.forget_session()
        await context.tell("session_ended", user=current.user, reason=ENDED_BY_USER)
        return _done(request, context, ended=1, back_to=context.house.settings.home)
    await context.house.endings.end([session])
    await context.tell("session_ended", user=current.user, reason=ENDED_BY_USER)
    return _done(request, context, ended=1)


async def end_others(request: Request) -> Response:
    """End every session of this person but the one that asks."""
    context = context_of(request.scope)
    current = await _required(request, context)
    ended = await context.house.endings.end_all_of(current.user, but=current)
    if ended:
        await context.tell("session_ended", user=current.user, reason=ENDED_BY_USER)
    return _done(request, context, ended=ended)


async def _required(request: Request, context: Context) -> Session:
    try:
        return await context.require_session()
    except NotSignedIn as error:
        raise refuse(request, error) from None


def _done(request: Request, context: Context, *, ended: int, back_to: str | None = None) -> Response:
    """Lead a form back to the page, which shows what is left; tell a script how many ended."""
    if request.method == "POST":
        return RedirectResponse(back_to or context.house.path("sessions"), SEE_OTHER, headers=PRIVATE)
    return JSONResponse({"ended": ended}, headers=PRIVATE)


def _document(context: Context, session: Session, *, current: bool) -> dict[str, object]:
    return {
        "handle": context.house.sessions.handle(session),
        "current": current,
        "new": session.record.facts.new_device,
        "device": device(session.record.facts.user_agent),
        "address": session.record.facts.address,
        "created_at": session.created_at.isoformat(),
        "last_seen_at": session.last_seen_at.isoformat(),
        "idle_expires_at": session.idle_expires_at.isoformat(),
        "expires_at": session.expires_at.isoformat(),
    }


def _page(context: Context, current: Session, theirs: list[Session]) -> Response:
    house = context.house
    ordered = sorted(theirs, key=lambda session: session.key != current.key)
    shown = [session_shown(house, session, current=current) for session in ordered]
    return house.pages.sessions(
        shown,
        name=current.user.name or current.user.username,
        path=house.path("sessions"),
        sign_out=house.path("logout"),
        home=house.settings.home,
        csrf_token=context.csrf_token,
    )


def session_shown(house: House, session: Session, *, current: Session) -> SessionShown:
    """Return what a page shows of a session; `current` is that of whoever looks at it."""
    facts = session.record.facts
    return SessionShown(
        handle=house.sessions.handle(session),
        current=session.key == current.key,
        new=facts.new_device,
        device=device(facts.user_agent),
        handheld=handheld(facts.user_agent),
        address=facts.address,
        created=moment(session.created_at),
        last_seen=ago(house.clock() - session.last_seen_at),
        last_seen_at=session.last_seen_at.isoformat(),
    )
