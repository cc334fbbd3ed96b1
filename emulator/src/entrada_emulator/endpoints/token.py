"""The token endpoint."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.clients.checks import tenant_path
from entrada_emulator.clients.client_auth import presented
from entrada_emulator.errors import EntraError
from entrada_emulator.grants import GRANTS
from entrada_emulator.grants.request import TokenRequest
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.issuing.sign_in import EndpointVersion
from entrada_emulator.issuing.version1 import for_application, for_person
from entrada_emulator.wire.responses import error_response, json_response, preflight, trace_of

CROSS_ORIGIN_REFUSED = 9002326
EXPOSED = "x-ms-request-id, x-ms-httpver, Retry-After"


def token(version: EndpointVersion) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint of one version: answers a grant with tokens or with Entra's error body."""

    async def endpoint(request: Request) -> Response:
        emulator, trace = emulator_of(request), trace_of(request)
        form = await _form(request)
        try:
            if form is None:
                raise EntraError(9002313)
            answer = _granted(emulator, request, form, version)
        except EntraError as refused:
            headers = _telemetry(refused.code) | _cross_origin(emulator, request, form or {}, refused.code)
            return error_response(refused, trace=trace, headers=headers)
        return json_response(answer, trace=trace, headers=_telemetry(0) | _cross_origin(emulator, request, form, 0))

    return endpoint


def _granted(
    emulator: Emulator, request: Request, form: Mapping[str, str], version: EndpointVersion
) -> Mapping[str, object]:
    path = tenant_path(emulator.world, request.path_params["tenant"])
    grant_type = form.get("grant_type")
    if not grant_type:
        raise EntraError(900144, parameter="grant_type")
    if grant_type not in GRANTS:
        raise EntraError(70003, grant_type=grant_type)
    if version == 1:
        form = for_application(form) if grant_type == "client_credentials" else for_person(form)
    elif "resource" in form:
        raise EntraError(901002)
    proof = presented(form, request.headers.get("authorization"))
    return GRANTS[grant_type](emulator, TokenRequest(path, form, proof, request.headers.get("origin"), version))


async def only_post(request: Request) -> Response:
    """Refuses every other method with 900561."""
    return error_response(EntraError(900561, method=request.method), trace=trace_of(request))


async def _form(request: Request) -> dict[str, str] | None:
    """The body's fields, or None if it is not a form or repeats one."""
    if not request.headers.get("content-type", "").lower().startswith("application/x-www-form-urlencoded"):
        return {}
    async with request.form() as form:
        pairs = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else None


def _cross_origin(emulator: Emulator, request: Request, form: Mapping[str, str], code: int) -> dict[str, str]:
    """Lets a script read the answer only where the application has single-page redirect URIs."""
    application = emulator.world.application(form.get("client_id", ""))
    is_spa = application is not None and any(uri.kind == "spa" for uri in application.redirect_uris)
    if not is_spa or "origin" not in request.headers or code == CROSS_ORIGIN_REFUSED:
        return {}
    return {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED}


def _telemetry(code: int) -> dict[str, str]:
    return {"x-ms-clitelem": f"1,{code},0,,"}


PATHS: tuple[tuple[str, EndpointVersion], ...] = (("/{tenant}/oauth2/v2.0/token", 2), ("/{tenant}/oauth2/token", 1))
routes = [
    route
    for path, version in PATHS
    for route in (
        Route(path, token(version), methods=["POST"]),
        Route(path, preflight, methods=["OPTIONS"]),
        Route(path, only_post, methods=["GET", "PUT", "PATCH", "DELETE"]),
    )
]
