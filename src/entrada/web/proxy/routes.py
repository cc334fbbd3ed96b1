"""`proxy(…)`: everything below a path of the application goes to another API, with the caller's token for it."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta

from fastapi import APIRouter, FastAPI, Request, WebSocket
from starlette.responses import Response

from entrada.requirements import Rule
from entrada.web.proxy.upstream import BELOW, MARK, Upstream
from entrada.web.requires import requires

ALL = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
PATIENCE = timedelta(seconds=30)


def proxy(
    app: FastAPI | APIRouter,
    prefix: str,
    *,
    to: str,
    scopes: Sequence[str],
    rule: Rule | None = None,
    methods: Sequence[str] = ALL,
    websockets: bool = False,
    cookies: Collection[str] = (),
    patience: timedelta = PATIENCE,
) -> None:
    """Pass on what is asked at `prefix`, and below it, to the same path below `to`, with the caller's token for it.

    The token is for `scopes`, as `api_client` gets it. `rule` says who may; any person may without one. With
    `websockets` GET handshakes are passed on too. No cookie goes up but those named in `cookies`. An upstream that
    shows no sign of life for `patience` has failed; streams of events may be silent. Call it once for each upstream;
    what is wrong with any of them is a TypeError when the application starts.
    """
    upstream = Upstream(
        to=to,
        scopes=scopes if isinstance(scopes, str) else tuple(scopes),  # type: ignore[arg-type]  # told at the start
        methods=tuple(methods),
        websockets=websockets,
        cookies=frozenset(cookies),
        patience=patience,
    )
    allowed = [requires() if rule is None else requires(rule)]
    forward, connect = _endpoints(upstream)
    taken = list(methods or ALL)
    for path in (prefix, f"{prefix}{BELOW}"):
        app.add_api_route(path, forward, methods=taken, dependencies=allowed, include_in_schema=False)
        if websockets:
            app.add_api_websocket_route(path, connect, dependencies=allowed)


def _endpoints(upstream: Upstream) -> tuple[Callable[..., Awaitable[Response]], Callable[..., Awaitable[None]]]:
    async def forward(request: Request) -> Response:
        from entrada.web.proxy.exchange import Forwarded

        return await Forwarded.begun(request, upstream)

    async def connect(websocket: WebSocket) -> None:
        from entrada.web.proxy.sockets import join

        await join(websocket, upstream)

    for endpoint in (forward, connect):
        setattr(endpoint, MARK, upstream)
    return forward, connect
