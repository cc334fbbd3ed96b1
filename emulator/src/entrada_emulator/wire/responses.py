"""Headers and bodies common to the endpoints that clients call."""

import json
import uuid
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from entrada_emulator.directory.world_checks import is_guid
from entrada_emulator.errors import EntraError, Trace, error_body
from entrada_emulator.instance import emulator_of

JSON_TYPE = "application/json; charset=utf-8"
NO_STORE = {"Cache-Control": "no-store, no-cache", "Pragma": "no-cache", "Expires": "-1"}
OPEN_TO_ALL = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "GET, OPTIONS"}
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
    "Access-Control-Allow-Headers": "*, Authorization",
    "Access-Control-Max-Age": "3600",
}


def trace_of(request: Request) -> Trace:
    """The identifiers of this request; the correlation id is the caller's `client-request-id` where that is a GUID."""
    given = request.headers.get("client-request-id") or request.query_params.get("client-request-id") or ""
    correlation_id = given.lower() if is_guid(given.lower()) else str(uuid.uuid4())
    return Trace(str(uuid.uuid4()), correlation_id, emulator_of(request).state.clock.now())


def entra_headers(trace: Trace) -> dict[str, str]:
    """What Entra sends with every answer, but for HSTS: on localhost that would turn the http pages away."""
    return {
        "X-Content-Type-Options": "nosniff",
        "P3P": 'CP="DSP CUR OTPi IND OTRi ONL FIN"',
        "x-ms-request-id": trace.trace_id,
        "x-ms-ests-server": "2.1.0 - ENTRADA EMULATOR",
        "client-request-id": trace.correlation_id,
    }


def json_response(
    body: Mapping[str, Any], *, trace: Trace, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer with Entra's headers; it is not to be stored unless `headers` says otherwise."""
    merged = entra_headers(trace) | NO_STORE | dict(headers or {})
    return Response(json.dumps(body, separators=(",", ":")), status, headers=merged, media_type=JSON_TYPE)


def error_response(error: EntraError, *, trace: Trace, headers: Mapping[str, str] | None = None) -> Response:
    """The JSON body of a refusal."""
    return json_response(error_body(error, trace), trace=trace, status=error.status, headers=headers)


async def preflight(_: Request) -> Response:
    """Answers a CORS preflight generously; whether a token may be redeemed is decided on the request itself."""
    return Response(status_code=204, headers=PREFLIGHT)
