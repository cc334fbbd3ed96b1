"""`/{tenant}/oauth2/v2.0/authorize` and its version 1: checks what an application asks, then begins to talk."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from entrada_emulator.endpoints.parameters import parameters_of, single
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import emulator_of
from entrada_emulator.issuing.sign_in import EndpointVersion
from entrada_emulator.issuing.version1 import at_authorize
from entrada_emulator.signing_in.authorization_request import (
    Parameters,
    authorization_request,
    correlation_id_of,
    registered_client,
)
from entrada_emulator.signing_in.outcome import error_page, refuse
from entrada_emulator.signing_in.progress import start
from entrada_emulator.signing_in.visit import Visit


def authorize(version: EndpointVersion) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of one version: answers with the first page, with a code at once, or with an error."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        given: Parameters = {}
        try:
            given = single(request.query_params)
            client = replace(registered_client(emulator.world, request.path_params["tenant"], given), version=version)
        except EntraError as error:
            return error_page(emulator.state, error, correlation_id=correlation_id_of(given))
        try:
            asked = authorization_request(emulator.world, client, at_authorize(given) if version == 1 else given)
        except EntraError as error:
            return refuse(client, error, emulator.state)
        visit = Visit(request)
        return visit.answer(start(visit, emulator.state.attempts.begin(asked, browser=visit.browser)))

    return endpoint


async def authorize_by_post(request: Request) -> Response:
    """Goes on as a GET: a POST from another site comes without this browser's Lax cookies."""
    try:
        given = await parameters_of(request)
    except EntraError as error:
        return error_page(emulator_of(request).state, error)
    return RedirectResponse(f"{quote(request.scope['path'])}?{urlencode(given)}", 303, {"cache-control": "no-store"})


routes = [
    Route("/{tenant}/oauth2/v2.0/authorize", authorize(2), methods=["GET"]),
    Route("/{tenant}/oauth2/authorize", authorize(1), methods=["GET"]),
    Route("/{tenant}/oauth2/v2.0/authorize", authorize_by_post, methods=["POST"]),
    Route("/{tenant}/oauth2/authorize", authorize_by_post, methods=["POST"]),
]
