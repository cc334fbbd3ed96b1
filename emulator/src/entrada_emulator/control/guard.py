"""Who may use the control API: the bearer of this instance's key, on loopback (SEC-194)."""

import hmac
import json
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from entrada_emulator.instance import Emulator, emulator_of

IN_PROCESS = frozenset({"testclient"})
LOOPBACK = frozenset({"127.0.0.1", "::1"})

Json = dict[str, Any]
Handler = Callable[[Emulator, Json, Request], Json]


class BadControl(Exception):
    """The request to the control API makes no sense; the text says what would."""


def guarded(handler: Handler) -> Callable[[Request], Any]:
    """Makes a handler an endpoint behind the loopback check and the key."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        if not is_loopback(request, emulator) or not _has_key(request, emulator):
            return JSONResponse({"error": "This needs the control key, on loopback."}, 403)
        try:
            return JSONResponse(handler(emulator, await _json(request), request))
        except BadControl as refused:
            return JSONResponse({"error": str(refused)}, 400)

    return endpoint


def is_loopback(request: Request, emulator: Emulator) -> bool:
    """Whether the request comes from this machine."""
    host = request.client.host if request.client else None
    return host in LOOPBACK or (emulator.origins.in_process and (host is None or host in IN_PROCESS))


def _has_key(request: Request, emulator: Emulator) -> bool:
    given = request.headers.get("authorization", "").encode()
    return hmac.compare_digest(given, f"Bearer {emulator.state.control_key}".encode())


async def _json(request: Request) -> Json:
    text = await request.body()
    if not text:
        return {}
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadControl("the body must be JSON") from None
    if not isinstance(body, dict):
        raise BadControl("the body must be a JSON object")
    return body


def number(body: Json, name: str, *, limit: float, default: float | None = None) -> float:
    """A number of the body, no farther from zero than the limit. Raises `BadControl`."""
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= limit:
        raise BadControl(f'"{name}" must be a number, at most {limit:g}')
    return value
