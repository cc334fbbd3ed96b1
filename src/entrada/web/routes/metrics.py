"""`GET /metrics`: the numbers of this machine's workers for Prometheus, for whoever the settings name, and nobody else.

The route is there only when `metrics_token` or `metrics_networks` is set.
"""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from entrada.logs import log
from entrada.web.context import Context, context_of
from entrada.web.monitoring.exposition import CONTENT_TYPE
from entrada.web.routes.watchers import from_there, has_token

FRESH = {"cache-control": "no-store"}


async def metrics(request: Request) -> Response:
    """Answer with the numbers; 401 without the token, 403 from elsewhere."""
    context = context_of(request.scope)
    settings = context.house.settings
    if not from_there(context, settings):
        return _refused(context, 403, "not from a network of metrics_networks")
    if not has_token(context, settings):
        if (limits := context.house.guards.limits) is not None:
            await limits.own_token_refused(context)
        return _refused(context, 401, "not with metrics_token", **{"www-authenticate": 'Bearer realm="metrics"'})
    return Response(await context.house.numbers.page(), headers={"content-type": CONTENT_TYPE, **FRESH})


def _refused(context: Context, status: int, reason: str, **headers: str) -> Response:
    lines = context.house.guards.lines
    lines.write(log.warning, "metrics_refused", kind="metrics", status=status, reason=reason)
    return PlainTextResponse("Not for you.\n", status, headers={**FRESH, **headers})
