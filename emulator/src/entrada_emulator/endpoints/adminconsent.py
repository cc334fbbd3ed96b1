"""`/{tenant}/v2.0/adminconsent` and `/{tenant}/adminconsent`: an administrator agrees for the whole organisation."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.directory.graph_resource import GRAPH
from entrada_emulator.endpoints.parameters import single
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.signing_in.authorization_request import (
    AuthorizationRequest,
    Client,
    Parameters,
    correlation_id_of,
    registered_client,
)
from entrada_emulator.signing_in.outcome import error_page, refuse
from entrada_emulator.signing_in.progress import start
from entrada_emulator.signing_in.visit import Visit

REGISTERED = f"{GRAPH.identifier_uris[0]}/.default"
"""What version 1 asks, which knows no scope parameter: the permissions of the registration."""


def adminconsent(version: Literal[1, 2]) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of one version."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        given: Parameters = {}
        try:
            given = single(request.query_params)
            client = registered_client(emulator.world, request.path_params["tenant"], given)
        except EntraError as error:
            return error_page(emulator.state, error, correlation_id=correlation_id_of(given))
        # The answer is documented for the query only; nobody needs a proof key, because there is no code to redeem.
        client = replace(client, version=version, response_mode="query")
        return _begin(request, emulator, client, given)

    return endpoint


def _begin(request: Request, emulator: Emulator, client: Client, given: Parameters) -> Response:
    scope = "" if client.version == 1 else given.get("scope", "")
    try:
        asked = AuthorizationRequest(
            client=client,
            purpose="admin_consent",
            scope=tuple(scope.split()),
            scopes=parse_scopes(emulator.world, scope or REGISTERED, tenant=client.path.directory),
        )
    except EntraError as error:
        return refuse(client, error, emulator.state, for_organisation=True)
    visit = Visit(request)
    return visit.answer(start(visit, emulator.state.attempts.begin(asked, browser=visit.browser)))


routes = [
    Route("/{tenant}/v2.0/adminconsent", adminconsent(2), methods=["GET"]),
    Route("/{tenant}/adminconsent", adminconsent(1), methods=["GET"]),
]
