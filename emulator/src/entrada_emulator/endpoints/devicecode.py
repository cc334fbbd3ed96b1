"""`/{tenant}/oauth2/v2.0/devicecode` and its version 1: what a device shows, and what it polls with."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.clients.checks import application_at, tenant_path
from entrada_emulator.endpoints.parameters import form_of
from entrada_emulator.errors import EntraError
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.issuing.device_codes import DEVICE_CODE_LIFE, INTERVAL
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.issuing.sign_in import EndpointVersion
from entrada_emulator.issuing.version1 import at_authorize
from entrada_emulator.wire.responses import OPEN_TO_ALL, error_response, json_response, preflight, trace_of

PAGE = "/devicelogin"


def devicecode(version: EndpointVersion) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of one version."""

    async def endpoint(request: Request) -> Response:
        emulator, trace = emulator_of(request), trace_of(request)
        form: Mapping[str, str] = await form_of(request)
        try:
            body = _issued(emulator, request.path_params["tenant"], at_authorize(form) if version == 1 else form)
        except EntraError as refused:
            return error_response(refused, trace=trace, headers=OPEN_TO_ALL)
        return json_response(_as_version_1(body) if version == 1 else body, trace=trace, headers=OPEN_TO_ALL)

    return endpoint


def _issued(emulator: Emulator, segment: str, form: Mapping[str, str]) -> dict[str, Any]:
    path = tenant_path(emulator.world, segment)
    for name in ("client_id", "scope"):
        if not form.get(name):
            raise EntraError(900144, parameter=name)
    application = application_at(emulator.world, form["client_id"], path)
    parse_scopes(emulator.world, form["scope"], tenant=path.directory)
    device_code, waiting = emulator.state.device_codes.issue(
        application.client_id, path_name=path.name, scope=form["scope"]
    )
    address = f"{emulator.origins.pages}{PAGE}"
    return {
        "user_code": waiting.user_code,
        "device_code": device_code,
        "verification_uri": address,
        "expires_in": int(DEVICE_CODE_LIFE.total_seconds()),
        "interval": INTERVAL,
        "message": f"To sign in, use a web browser to open the page {address} and enter the code {waiting.user_code} "
        "to authenticate.",
    }


def _as_version_1(body: dict[str, Any]) -> dict[str, Any]:
    address = {"verification_url": body.pop("verification_uri")}
    return body | address | {name: str(body[name]) for name in ("expires_in", "interval")}


routes = [
    Route("/{tenant}/oauth2/v2.0/devicecode", devicecode(2), methods=["POST"]),
    Route("/{tenant}/oauth2/devicecode", devicecode(1), methods=["POST"]),
    Route("/{tenant}/oauth2/v2.0/devicecode", preflight, methods=["OPTIONS"]),
    Route("/{tenant}/oauth2/devicecode", preflight, methods=["OPTIONS"]),
]
