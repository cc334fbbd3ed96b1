"""`GET` or `POST {prefix}/callback`: the authority's answer."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from entrada.errors import (
    AuthorityRefused,
    EntradaError,
    MethodRefused,
    StoreUnavailable,
    TenantMismatch,
    TransactionRefused,
    Unavailable,
)
from entrada.flows.signing_in.callback import AuthorizationResponse
from entrada.flows.signing_in.signin import SignedIn
from entrada.flows.signing_in.transaction import handle_of
from entrada.flows.signing_in.user_flows import Onward
from entrada.web import cookies, return_to
from entrada.web.context import Context, context_of
from entrada.web.failures import answer, navigates
from entrada.web.forms import parse, read_form
from entrada.web.routes.failed import PRIVATE, lead_to_failed
from entrada.web.routes.login import SEE_OTHER, count_visit, refuse_prefetch


async def callback(request: Request) -> Response:
    """Finish a sign-in and go where the person was going, or say why not."""
    context = context_of(request.scope)
    refuse_prefetch(context)
    parameters = await _parameters(request, context)
    try:
        done = await _sign_in(context, AuthorizationResponse.parse(parameters))
        if isinstance(done, SignedIn):
            await _tell(context, done)
    except TransactionRefused as refused:
        count_visit(context, errand=False)
        if await context.session() is not None:  # back button, reload or second click: nothing harmed (REL-061)
            return RedirectResponse(context.return_to or context.house.settings.home, SEE_OTHER, headers=PRIVATE)
        return await _failed(request, context, refused)
    except EntradaError as error:
        count_visit(context, errand=False)
        return await _failed(request, context, error)
    count_visit(context, errand=isinstance(done, Onward))
    if isinstance(done, Onward):
        return _onward(context, done)
    if (limits := context.house.guards.limits) is not None:
        await limits.sign_in_finished(context)
    written = context.house.cookies
    context.set_cookies.extend([written.begin_session(done.session_id, seconds=_kept_for(done)), written.arrive()])
    context.set_cookies.append(written.keep_device(done.device_id))
    going_to = return_to.accepted(done.return_to) or context.house.settings.home
    return RedirectResponse(going_to, SEE_OTHER, headers=PRIVATE)


async def _tell(context: Context, done: SignedIn) -> None:
    """Tell of a sign-in before anybody has its cookie: a session that cannot be recorded is none (SEC-149)."""
    record = done.session.record
    try:
        await context.tell("sign_in", user=done.user, uti=done.uti)
        if record.asked:
            proven = {"asked": record.asked, "acr": done.user.acr, "amr": done.user.amr, "acrs": sorted(done.user.acrs)}
            await context.tell("step_up", user=done.user, uti=done.uti, details=proven)
    except StoreUnavailable:
        await context.house.sessions.end(done.session_id)
        raise
    if record.facts.new_device:
        await context.tell("new_device", user=done.user)
    if done.surplus:
        await context.tell("session_ended", user=done.user, reason="too_many_sessions")


def _kept_for(done: SignedIn) -> int | None:
    """Return how long the browser keeps the cookie, in seconds; None: until it closes."""
    session = done.session
    return int((session.expires_at - session.created_at).total_seconds()) if session.remembered else None


async def _sign_in(context: Context, response: AuthorizationResponse) -> SignedIn | Onward:
    house = context.house
    handle = handle_of(response.state)
    sealed = cookies.single(context.cookie_header, house.cookies.transaction_prefix + handle)
    attempt = house.sign_in.open(handle, sealed) if sealed else None
    context.return_to = return_to.accepted(attempt.return_to) if attempt else None
    try:
        matched = await house.sign_in.match(response, sealed=sealed)
    except AuthorityRefused:  # the attempt is spent all the same (SEC-015)
        context.set_cookies.append(house.cookies.drop_transaction(handle))
        raise
    context.set_cookies.append(house.cookies.drop_transaction(handle))
    if isinstance(matched, Onward):
        return matched
    device = house.cookies.device_in(context.cookie_header)
    return await house.sign_in.finish(matched, facts=context.facts, replacing=context.session_id, device=device)


def _onward(context: Context, onward: Onward) -> Response:
    """Lead to the next user flow, to sign in again, or back."""
    going_to = return_to.accepted(onward.return_to) or context.house.settings.home
    if onward.sign_in:
        asked = {"return_to": going_to, "flow": onward.flow, "remember": "1" if onward.remember else None}
        query = urlencode({name: value for name, value in asked.items() if value})
        going_to = f"{context.house.path('login')}?{query}"
    return RedirectResponse(going_to, SEE_OTHER, headers=PRIVATE)


async def _failed(request: Request, context: Context, error: EntradaError) -> Response:
    await context.tell("sign_in_failed", reason=error.code)
    if navigates(request) and not isinstance(error, Unavailable):  # there, a reload may yet succeed
        again = context.house.path("onboarding") if isinstance(error, TenantMismatch) else None
        return lead_to_failed(context, error, again=again)
    response = answer(request, error)
    response.headers.update(PRIVATE)
    return response


async def _parameters(request: Request, context: Context) -> list[tuple[str, str]]:
    """Return the answer's parameters, taken only in the mode that was asked for (SEC-018)."""
    form_post = context.house.settings.response_mode == "form_post"
    if request.method != ("POST" if form_post else "GET"):
        raise MethodRefused("not the response mode asked for", allowed=("POST",) if form_post else ("GET",))
    if not form_post:
        return parse(request.scope["query_string"])
    return await read_form(request)
