"""`GET /metrics`: the numbers of this machine's workers for Prometheus, for whoever the settings name, and nobody else.

The route is there only when `metrics_token` or `metrics_networks` is set. An address is that of the connection, or
beyond trusted proxies; without such, whoever comes through a proxy, which says so, is not known by it (SEC-153).
"""

from hmac import compare_digest
from ipaddress import ip_network

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from entrada.logs import log
from entrada.settings import Settings
from entrada.web.context import Context, context_of
from entrada.web.guards.client_address import within
from entrada.web.monitoring.exposition import CONTENT_TYPE

FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip", b"via")
FRESH = {"cache-control": "no-store"}


async def metrics(request: Request) -> Response:
    """Answer with the numbers; 401 without the token, 403 from elsewhere."""
    context = context_of(request.scope)
    settings = context.house.settings
    if not _from_there(context, settings):
        return _refused(context, 403, "not from a network of metrics_networks")
    if not _has_token(context, settings):
        if (limits := context.house.guards.limits) is not None:
            await limits.own_token_refused(context)
        return _refused(context, 401, "not with metrics_token", **{"www-authenticate": 'Bearer realm="metrics"'})
    return Response(await context.house.numbers.page(), headers={"content-type": CONTENT_TYPE, **FRESH})


def _refused(context: Context, status: int, reason: str, **headers: str) -> Response:
    lines = context.house.guards.lines
    lines.write(log.warning, "metrics_refused", kind="metrics", status=status, reason=reason)
    return PlainTextResponse("Not for you.\n", status, headers={**FRESH, **headers})


def _from_there(context: Context, settings: Settings) -> bool:
    if not settings.metrics_networks:
        return True
    if context.house.guards.proxies is None and any(name in context.headers for name in FORWARDED):
        return False
    return within(context.address, tuple(map(ip_network, settings.metrics_networks)))


def _has_token(context: Context, settings: Settings) -> bool:
    if settings.metrics_token is None:
        return True
    given = context.authorization
    wanted = f"Bearer {settings.metrics_token.get_secret_value()}".encode()
    return len(given) == 1 and compare_digest(given[0], wanted)
