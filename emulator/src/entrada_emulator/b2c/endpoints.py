"""The endpoints of a policy: metadata, keys, authorize, its pages, token, logout."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from entrada_emulator.b2c import documents
from entrada_emulator.b2c.errors import B2CError, body
from entrada_emulator.b2c.grants import PolicyTokenRequest, granted
from entrada_emulator.b2c.journey import Journey, next_step
from entrada_emulator.b2c.policy import PolicyPath, UnknownPolicy, policy_path
from entrada_emulator.b2c.progress import end, error_page, go_on, refuse, start
from entrada_emulator.b2c.replies import Reply, answer
from entrada_emulator.b2c.request import client_of, policy_request
from entrada_emulator.clients.checks import is_registered
from entrada_emulator.clients.client_auth import presented
from entrada_emulator.endpoints.metadata import CACHED
from entrada_emulator.endpoints.parameters import form_of, parameters_of
from entrada_emulator.endpoints.token import EXPOSED
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import failed, noted, passed
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.pages import render
from entrada_emulator.signing_in.authorization_request import correlation_id_of
from entrada_emulator.signing_in.visit import Visit
from entrada_emulator.wire.responses import json_response, preflight, trace_of

REFUSED = 400
OVER = "This sign-in is over, or it began in another browser. Go back to the application and sign in again."
Handler = Callable[[Request, Emulator, PolicyPath], Awaitable[Response]]


def at_policy(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Makes a handler the endpoint of every policy there is; 404 for the others."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        try:
            path = policy_path(emulator.world, request.path_params["tenant"], request.path_params["policy"])
        except UnknownPolicy:
            return PlainTextResponse("There is no such policy in this tenant.", 404)
        return await handler(request, emulator, path)

    return endpoint


def published(document: Callable[[Emulator, PolicyPath], dict[str, Any]]) -> Handler:
    """Serves one document to anybody."""

    async def handler(request: Request, emulator: Emulator, path: PolicyPath) -> Response:
        return json_response(document(emulator, path), trace=trace_of(request), headers=CACHED)

    return handler


async def authorize(request: Request, emulator: Emulator, path: PolicyPath) -> Response:
    """Answers with the first page, with a code at once where nothing has to be asked, or with an error."""
    given: Mapping[str, str] = dict(request.query_params)
    try:
        client = client_of(emulator.world, path, given)
    except B2CError as error:
        return error_page(emulator.state, error, correlation_id=correlation_id_of(given))
    try:
        asked = policy_request(emulator.world, path, client, given)
    except B2CError as error:
        return refuse(client, error, emulator.state)
    visit = Visit(request, customers=True)
    return visit.answer(start(visit, asked))


async def authorize_by_post(request: Request, _: Emulator, path: PolicyPath) -> Response:
    """Goes on as a GET: a POST from another site comes without this browser's Lax cookies."""
    query = urlencode(await form_of(request))
    return RedirectResponse(f"{quote(path.path)}/oauth2/v2.0/authorize?{query}", 303, {"cache-control": "no-store"})


async def page(request: Request, _: Emulator, path: PolicyPath) -> Response:
    """Shows where the journey stands."""
    visit = Visit(request, customers=True)
    journey = _journey(visit, request.query_params, path)
    return visit.answer(go_on(visit, journey) if journey else _lost())


async def form(request: Request, emulator: Emulator, path: PolicyPath) -> Response:
    """Takes the answer to the page that the journey stands at; an answer to any other page changes nothing."""
    visit, fields = Visit(request, customers=True), await form_of(request)
    journey = _journey(visit, fields, path)
    if journey is None:
        return visit.answer(_lost())
    try:
        step = next_step(journey)
        if fields.get("step") == step.value:
            journey = answer(Reply(emulator, journey, fields), step=step)
    except B2CError as error:
        return visit.answer(end(visit, journey, error))
    return visit.answer(go_on(visit, journey, posted=True))


async def token(request: Request, emulator: Emulator, path: PolicyPath) -> Response:
    """Answers a grant with tokens or with B2C's error body."""
    trace, fields = trace_of(request), await form_of(request)
    headers = _cross_origin(emulator, request, fields)
    try:
        proof = presented(fields, request.headers.get("authorization"))
        answered = granted(emulator, PolicyTokenRequest(path, fields, proof))
    except EntraError:
        return json_response(body(B2CError(90008), trace), trace=trace, status=REFUSED, headers=headers)
    except B2CError as error:
        return json_response(body(error, trace), trace=trace, status=REFUSED, headers=headers)
    return json_response(answered, trace=trace, headers=headers)


async def only_post(request: Request, _: Emulator, __: PolicyPath) -> Response:
    """Refuses every other method with 90001."""
    trace = trace_of(request)
    return json_response(body(B2CError(90001, method=request.method), trace), trace=trace, status=REFUSED)


async def logout(request: Request, emulator: Emulator, path: PolicyPath) -> Response:
    """Signs this tenant's customers out at this browser and leads back.

    It follows `post_logout_redirect_uri` where an application of the tenant registered it (the real service follows any
    unless it is told to ask for `id_token_hint`); there is no account picker.
    """
    try:
        given = await parameters_of(request)
    except EntraError:
        given = {}
    visit = Visit(request, customers=True)
    noted(policy=path.flow.name, page="signed_out")
    for account in [one for one in visit.accounts if one.user.tenant_id == path.tenant.id]:
        noted(person=account.user.mail or account.user.user_principal_name, sid=account.sid)
        visit.sign_out(account)
    target = _target(emulator, path, given)
    if target:
        return visit.answer(RedirectResponse(target, 302, {"cache-control": "no-store"}))
    heading, text = "You are signed out", "You can close this window."
    return visit.answer(render("signed_out.html", heading=heading, text=text, target=None, frames=()))


def _target(emulator: Emulator, path: PolicyPath, given: Mapping[str, str]) -> str | None:
    uri = given.get("post_logout_redirect_uri", "")
    for application in emulator.world.applications:
        if application.tenant_id == path.tenant.id and is_registered(application, uri):
            state = urlencode({"state": given["state"]}) if "state" in given else ""
            return f"{uri}{'&' if '?' in uri else '?'}{state}" if state else uri
    return None


def _journey(visit: Visit, fields: Mapping[str, str], path: PolicyPath) -> Journey | None:
    browser = visit.browser if visit.is_known else None
    found = visit.emulator.state.journeys.find(fields.get("journey", ""), browser=browser)
    mine = found if found and found.request.path == path else None
    if mine is None:
        failed("attempt", OVER)
    else:
        passed("attempt")
    return mine


def _lost() -> Response:
    noted(page="lost")
    return render("error.html", text=OVER, advice=None, facts=[])


def _cross_origin(emulator: Emulator, request: Request, fields: Mapping[str, str]) -> dict[str, str]:
    application = emulator.world.application(fields.get("client_id", ""))
    is_spa = application is not None and any(uri.kind == "spa" for uri in application.redirect_uris)
    if not is_spa or "origin" not in request.headers:
        return {}
    return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}


DOCUMENTS = {
    "/{tenant}/{policy}/v2.0/.well-known/openid-configuration": documents.metadata,
    "/{tenant}/{policy}/discovery/v2.0/keys": documents.keys,
}
OAUTH = "/{tenant}/{policy}/oauth2/v2.0"
routes = [
    *(Route(path, at_policy(published(document))) for path, document in DOCUMENTS.items()),
    *(Route(path, preflight, methods=["OPTIONS"]) for path in DOCUMENTS),
    Route(f"{OAUTH}/authorize", at_policy(authorize), methods=["GET"]),
    Route(f"{OAUTH}/authorize", at_policy(authorize_by_post), methods=["POST"]),
    Route(f"{OAUTH}/token", at_policy(token), methods=["POST"]),
    Route(f"{OAUTH}/token", preflight, methods=["OPTIONS"]),
    Route(f"{OAUTH}/token", at_policy(only_post), methods=["GET"]),
    Route(f"{OAUTH}/logout", at_policy(logout), methods=["GET", "POST"]),
    Route("/{tenant}/{policy}/page", at_policy(page), methods=["GET"]),
    Route("/{tenant}/{policy}/page", at_policy(form), methods=["POST"]),
]
