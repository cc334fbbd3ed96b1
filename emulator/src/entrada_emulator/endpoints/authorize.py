"""`/{tenant}/oauth2/v2.0/authorize`: checks what an application asks, then begins the conversation."""

from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from entrada_emulator.authorization_request import (
    Parameters,
    authorization_request,
    correlation_id_of,
    registered_client,
)
from entrada_emulator.endpoints.parameters import parameters_of, single
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import emulator_of
from entrada_emulator.outcome import error_page, refuse
from entrada_emulator.progress import start
from entrada_emulator.visit import Visit


async def authorize(request: Request) -> Response:
    """Answers with the first page, with a code at once where nothing has to be asked, or with an error."""
    emulator = emulator_of(request)
    given: Parameters = {}
    try:
        given = single(request.query_params)
        client = registered_client(emulator.world, request.path_params["tenant"], given)
    except EntraError as error:
        return error_page(emulator.state, error, correlation_id=correlation_id_of(given))
    try:
        asked = authorization_request(emulator.world, client, given)
    except EntraError as error:
        return refuse(client, error, emulator.state)
    visit = Visit(request)
    return visit.answer(start(visit, emulator.state.attempts.begin(asked, browser=visit.browser)))


async def authorize_by_post(request: Request) -> Response:
    """Goes on as a GET: a POST from another site comes without this browser's Lax cookies."""
    try:
        given = await parameters_of(request)
    except EntraError as error:
        return error_page(emulator_of(request).state, error)
    tenant = quote(request.path_params["tenant"], safe="")
    return RedirectResponse(f"/{tenant}/oauth2/v2.0/authorize?{urlencode(given)}", 303, {"cache-control": "no-store"})


routes = [
    Route("/{tenant}/oauth2/v2.0/authorize", authorize, methods=["GET"]),
    Route("/{tenant}/oauth2/v2.0/authorize", authorize_by_post, methods=["POST"]),
]
