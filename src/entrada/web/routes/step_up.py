"""`GET {prefix}/step-up`: to the authority, for more proof; `GET {prefix}/resume`: back, to send a form again."""

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from entrada.errors import MethodRefused, NothingKept, TransactionRefused
from entrada.principal import User
from entrada.web import return_to
from entrada.web.context import context_of
from entrada.web.routes.login import SEE_OTHER, lead_to_authority, refuse_prefetch, stopped, wanted_return_to

PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}


async def step_up(request: Request) -> Response:
    """Send the browser to the authority for what a rule, or the authority itself, has asked of its person."""
    context = context_of(request.scope)
    house = context.house
    if request.method != "GET":
        raise MethodRefused("HEAD begins nothing", allowed=("GET",))  # SEC-088
    refuse_prefetch(context)
    asked = house.step_ups.open(request.query_params.get("for", ""))
    if asked is None:
        raise TransactionRefused("what a step-up was asked for is not ours, or too old")
    going_to = context.return_to = return_to.accepted(asked.return_to) or wanted_return_to(request, context)
    session = await context.session()
    if session is not None and session.user.key != asked.user_key:  # the rule decides anew for who is here now
        return RedirectResponse(house.settings.home, SEE_OTHER, headers=PRIVATE)
    if loop := stopped(request, context):
        return loop
    started = await house.sign_in.start(
        return_to=going_to,
        hints=_hint(session.user) if session else {},
        replaces=context.session_id,
        remember=session.remembered if session else False,
        device=house.cookies.device_in(context.cookie_header),
        proof=asked.proof,
        asked=(*house.step_ups.asked_before(session), asked.proof.name),
    )
    return lead_to_authority(context, started)


async def resume(request: Request) -> Response:
    """Send a form again that was on hold: a page that does so by itself, with a button where scripts are off."""
    context = context_of(request.scope)
    session = await context.require_session()
    held = await context.house.step_ups.on_hold.look(session, request.query_params.get("of", ""))
    if held is None:
        raise NothingKept("no such request is on hold in this session")
    return context.house.pages.resume(
        address=held.address,
        number=held.id,
        csrf_token=context.csrf_token,
        name=session.user.name or session.user.username,
        home=context.house.settings.home,
    )


def _hint(user: User) -> dict[str, str]:
    """Tell the authority who is asked, so that nobody has to choose an account."""
    hint = user.login_hint or user.username
    return {"login_hint": hint} if hint else {}
