"""The emulator as an ASGI application."""

import os

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute

from entrada_emulator import control
from entrada_emulator.b2c import endpoints as b2c
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.endpoints import devicecode, graph, metadata, people, token
from entrada_emulator.inspector import endpoints as inspector
from entrada_emulator.instance import Emulator
from entrada_emulator.pages import said
from entrada_emulator.state import State
from entrada_emulator.wire.date_header import DateHeader
from entrada_emulator.wire.middleware import KnownHosts, OneSlash, PolicyPath, Watched
from entrada_emulator.wire.origins import Origins
from entrada_emulator.wire.safety import refuse_microsoft_names, refuse_production

OWN_PORTS = {"https": ":443", "http": ":80"}
ROUTES: list[BaseRoute] = [
    *token.routes,  # first: routes are tried one after the other, and this one is asked most
    *inspector.routes,
    *control.routes,
    *graph.routes,
    *metadata.routes,
    *devicecode.routes,
    *b2c.routes,
    *people.routes,
]


def create_app(
    world: World | None = None,
    *,
    state: State | None = None,
    public_origin: str | None = None,
    pages_origin: str | None = None,
) -> Starlette:
    """An emulator for a directory; without one, for the default directory.

    In process, with neither origin given, it answers under Microsoft's own host names. Served, `public_origin` is what
    clients reach (`https://localhost:8443`) and `pages_origin` what people reach, the same unless given.
    `app.state.emulator` holds the parts. Raises `RefusedToStart` where the environment says production or an origin
    is Microsoft's.
    """
    refuse_production(os.environ)
    world = world or default_world()
    origins = _origins(world, public_origin, pages_origin)
    emulator = Emulator(world, state or State(), origins)
    layers = [
        Middleware(DateHeader, clock=emulator.state.clock),
        Middleware(OneSlash),
        Middleware(KnownHosts, origins=origins, world=world),
        Middleware(PolicyPath, world=world),
        Middleware(Watched, emulator=emulator),
    ]
    app = Starlette(routes=ROUTES, middleware=layers, exception_handlers={404: _not_found})
    app.state.emulator = emulator
    return app


async def _not_found(request: Request, _: Exception) -> Response:
    """A page for people; programs get the two words of before."""
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("Not Found", 404)
    return said(
        "Nothing is here", "The emulator has no page at this address.", status=404, onward=("/", "What there is")
    )


def _origins(world: World, public_origin: str | None, pages_origin: str | None) -> Origins:
    external = {tenant.id: tenant.name for tenant in world.tenants if tenant.kind == "external"}
    if public_origin is None:
        return Origins(external=external)
    for origin in (public_origin, pages_origin or public_origin):
        refuse_microsoft_names(origin)
    public = _origin(public_origin)
    return Origins(login=public, pages=_origin(pages_origin or public), graph=public, external=external)


def _origin(address: str) -> str:
    """Without a slash and without the scheme's own port, as clients write it in `Host`."""
    bare = address.rstrip("/")
    for scheme, port in OWN_PORTS.items():
        if bare.startswith(f"{scheme}://"):
            return bare.removesuffix(port)
    return bare
