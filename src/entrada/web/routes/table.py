"""All our routes in one table, and which paths are ours."""

from starlette.routing import Route, Router

from entrada.settings import Settings
from entrada.web.console.routes import console_routes, console_trees
from entrada.web.monitoring.exposition import PATH as METRICS
from entrada.web.pages.assets import ROOT
from entrada.web.routes import debug
from entrada.web.routes.admin.table import ROOT as ADMIN
from entrada.web.routes.admin.table import admin_routes
from entrada.web.routes.callback import callback
from entrada.web.routes.failed import failed
from entrada.web.routes.health import health, ready
from entrada.web.routes.login import login
from entrada.web.routes.logout import logout, signed_out
from entrada.web.routes.me import me
from entrada.web.routes.metrics import metrics
from entrada.web.routes.onboarding import onboarding_routes
from entrada.web.routes.remote_logout import backchannel_logout, frontchannel_logout
from entrada.web.routes.sessions import end_one, end_others, sessions
from entrada.web.routes.static import static_routes
from entrada.web.routes.step_up import resume, step_up


def routes(settings: Settings) -> list[Route]:
    """Return our routes; those that take part in signing in are below the prefix of the settings."""
    prefix = settings.prefix
    return [
        Route(f"{prefix}/login", login, methods=["GET"]),
        Route(f"{prefix}/callback", callback, methods=["GET", "POST"]),
        Route(f"{prefix}/failed", failed, methods=["GET"]),
        Route(f"{prefix}/step-up", step_up, methods=["GET"]),
        Route(f"{prefix}/resume", resume, methods=["GET"]),
        *onboarding_routes(settings),
        Route(f"{prefix}/logout", logout, methods=["POST"]),
        Route(f"{prefix}/frontchannel-logout", frontchannel_logout, methods=["GET"]),
        *([Route(f"{prefix}/backchannel-logout", backchannel_logout, methods=["POST"])] if settings.issuer else []),
        Route(f"{prefix}/me", me, methods=["GET"]),
        Route(f"{prefix}/sessions", sessions, methods=["GET"]),
        Route(f"{prefix}/sessions/others", end_others, methods=["POST", "DELETE"]),
        Route(f"{prefix}/sessions/{{handle}}", end_one, methods=["POST", "DELETE"]),
        Route("/signed-out", signed_out, methods=["GET"]),
        Route("/health", health, methods=["GET"]),
        Route("/ready", ready, methods=["GET"]),
        *([Route(METRICS, metrics, methods=["GET"])] if settings.metrics_offered else []),
        *([Route(debug.PATH, debug.debug_info, methods=["GET"])] if debug.offered(settings) else []),
        *admin_routes(settings),
        *console_routes(settings),
        *static_routes(),
    ]


def router(settings: Settings) -> Router:
    """Return the application that answers our routes."""
    return Router(routes(settings), redirect_slashes=False)


def own_paths(settings: Settings) -> frozenset[str]:
    """Return the paths of our routes that are no patterns."""
    return frozenset(route.path for route in routes(settings) if "{" not in route.path)


def own_trees(settings: Settings) -> tuple[str, ...]:
    """Return what the paths begin with that are ours too: files, single sessions, administration."""
    admin = [f"{ADMIN}/"] if settings.admin else []
    return f"{ROOT}/", f"{settings.prefix}/sessions/", *admin, *console_trees(settings)
