"""`{prefix}/onboarding` and below: an administrator brings their organisation in, and reads what came of it."""

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from entrada.errors import EntradaError, MethodRefused, TenantRefused, TenantWaits, Unavailable
from entrada.flows.admin.onboarding import ConsentAnswer
from entrada.settings import Settings
from entrada.web import cookies
from entrada.web.context import Context, context_of
from entrada.web.failures import answer, navigates
from entrada.web.forms import parse
from entrada.web.pages.pages import Outcome
from entrada.web.routes.failed import PRIVATE, lead_to_failed
from entrada.web.routes.login import SEE_OTHER, lead_to_authority, refuse_prefetch


async def onboarding(request: Request) -> Response:
    """Say how an organisation is let in, with a button that begins it."""
    house = context_of(request.scope).house
    return house.pages.onboarding(
        begin=house.path("onboarding/begin"),
        approved_later=house.settings.onboarding == "approval",
        home=house.settings.home,
    )


async def begin(request: Request) -> Response:
    """Send the browser to the authority's page of consent."""
    context = context_of(request.scope)
    if request.method != "GET":
        raise MethodRefused("HEAD begins nothing", allowed=("GET",))  # SEC-088
    refuse_prefetch(context)
    begun = await context.house.onboarding.begin()
    context.set_cookies.append(context.house.cookies.open_onboarding(begun.sealed))
    return RedirectResponse(begun.url, 302, headers=PRIVATE)


async def returned(request: Request) -> Response:
    """Take the answer, and have whoever brought it sign in: only their ID token says whose organisation it is."""
    context = context_of(request.scope)
    if request.method != "GET":
        raise MethodRefused("HEAD answers nothing", allowed=("GET",))
    refuse_prefetch(context)
    try:
        return await _confirm(context, ConsentAnswer.parse(parse(request.scope["query_string"])))
    except EntradaError as error:
        if navigates(request) and not isinstance(error, Unavailable):  # there, a reload may yet succeed
            return lead_to_failed(context, error, again=context.house.path("onboarding"))
        refused = answer(request, error)
        refused.headers.update(PRIVATE)
        return refused


async def _confirm(context: Context, consent: ConsentAnswer) -> Response:
    house = context.house
    sealed = cookies.single(context.cookie_header, house.cookies.onboarding)
    try:
        tenant_id = await house.onboarding.match(consent, sealed=sealed)
    except Unavailable:
        raise
    except EntradaError:
        context.set_cookies.append(house.cookies.drop_onboarding())
        raise
    context.set_cookies.append(house.cookies.drop_onboarding())
    started = await house.sign_in.start(
        return_to=f"{house.path('onboarding/done')}?{urlencode({'of': house.onboarding.seal_outcome(tenant_id)})}",
        hints={},
        replaces=context.session_id,
        device=house.cookies.device_in(context.cookie_header),
        onboards=tenant_id,
    )
    return lead_to_authority(context, started)


async def done(request: Request) -> Response:
    """Say whether the organisation is in, as things are now; without a page of that, how it is brought in."""
    house = context_of(request.scope).house
    tenant_id, admission = house.onboarding.open_outcome(request.query_params.get("of", "")), house.people.admission
    if tenant_id is None or admission is None:
        return RedirectResponse(house.path("onboarding"), SEE_OTHER, headers=PRIVATE)
    outcome: Outcome = "in"
    try:
        await admission.check(tenant_id)
    except TenantWaits:
        outcome = "waiting"
    except TenantRefused:
        outcome = "out"
    return house.pages.onboarded(outcome, tenant_id=tenant_id, home=house.settings.home, headers=PRIVATE)


def onboarding_routes(settings: Settings) -> list[Route]:
    """Return these routes, or none where nobody is on-boarded."""
    if settings.onboarding == "off":
        return []
    below = f"{settings.prefix}/onboarding"
    return [
        Route(below, onboarding, methods=["GET"]),
        Route(f"{below}/begin", begin, methods=["GET"]),
        Route(f"{below}/return", returned, methods=["GET"]),
        Route(f"{below}/done", done, methods=["GET"]),
    ]
