"""Assembly: everything is built once, from the settings, and installed on an application."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import FastAPI
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from entrada import tracing
from entrada.clock import Clock, system_clock
from entrada.errors import SettingsRefused
from entrada.events import EVENT_NAMES, EventName, Events, Listener
from entrada.logs import log
from entrada.settings import Settings
from entrada.settings.doubts import doubts_of

if TYPE_CHECKING:
    import httpx2

    from entrada.flows.signing_in.provisioning import Provision
    from entrada.provider.clients.credentials import AssertionSource
    from entrada.web.building.house import Building
    from entrada.web.monitoring.numbers import Numbers

L = TypeVar("L", bound=Listener)
CORS_MAX_AGE = 600  # seconds for which a browser need not ask again what an origin may


class Entrada:
    """Complete sign-in for one FastAPI application: `Entrada().install(app)`.

    Settings come from the environment unless given; SettingsRefused names every fault. `provision` decides who becomes
    a user, `client_assertion` gives a federated assertion to prove the application with, `templates` are directories
    whose pages replace ours, `transport` is the way out to other hosts.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        clock: Clock = system_clock,
        transport: "httpx2.AsyncBaseTransport | None" = None,
        provision: "Provision | None" = None,
        client_assertion: "AssertionSource | None" = None,
        templates: Sequence[str | Path] = (),
    ) -> None:
        self.settings = Settings.load() if settings is None else _checked(settings)
        self._clock = clock
        self._transport = transport
        self._provision = provision
        self._client_assertion = client_assertion
        self._templates = tuple(Path(directory) for directory in templates)
        self._events = Events()
        self._numbers: Numbers | None = None

    def on(self, name: EventName) -> Callable[[L], L]:
        """Return a decorator that has a function called with each event of this name; ValueError for no such event."""
        if name not in EVENT_NAMES:
            raise ValueError(f"no event is called {name!r}; there are {', '.join(EVENT_NAMES)}")

        def register(listener: L) -> L:
            self._events.on(name, listener)
            return listener

        return register

    async def metrics(self) -> str:
        """Return the numbers of this process, for whoever serves them elsewhere: Prometheus' text format 0.0.4.

        With `metrics_token` or `metrics_networks` set they are those of all workers of this machine. RuntimeError
        before `install`.
        """
        if self._numbers is None:
            raise RuntimeError("there are no numbers before Entrada().install(app)")
        return await self._numbers.page()

    def install(self, app: FastAPI) -> None:
        """Guard `app`: its requests, its errors, its life span. Call it once, before the application starts."""
        import httpx2

        from entrada.web.building.house import build
        from entrada.web.failures import answer_http_exception, answer_invalid, answer_refusals
        from entrada.web.middleware.gate import Gate
        from entrada.web.monitoring import logs
        from entrada.web.unreachable import answer_unreachable

        if not isinstance(app, FastAPI):
            raise TypeError("install() takes the FastAPI application itself")
        layers: list[object] = [layer.cls for layer in app.user_middleware]
        if Gate in layers:
            raise RuntimeError("Entrada is installed on this application already")
        if app.middleware_stack is not None:
            raise RuntimeError(
                "this application has started: call install() where it is made, not in its life span or at startup"
            )
        if self.settings.production:
            _close_inside(app)
        if self.settings.traces:
            tracing.turn_on()
        building = build(
            self.settings,
            clock=self._clock,
            transport=self._transport,
            provision=self._provision,
            client_assertion=self._client_assertion,
            templates=self._templates,
            events=self._events,
        )
        self._numbers = building.house.numbers
        _describe(app, building)
        _add_layers(app, building)
        answer_refusals(app)
        if app.exception_handlers.get(HTTPException) in {None, http_exception_handler}:
            app.add_exception_handler(HTTPException, answer_http_exception)
        if app.exception_handlers.get(RequestValidationError) in {None, request_validation_exception_handler}:
            app.add_exception_handler(RequestValidationError, answer_invalid)
        app.add_exception_handler(httpx2.TransportError, answer_unreachable)
        _wrap_lifespan(app, building)
        logs.set_up(as_json=self.settings.log_as_json, auth_paths=building.auth_paths)
        asserted = self._client_assertion is not None
        _tell_of_the_start(self.settings, public=building.outside.credentials.public, asserted=asserted)


def _checked(settings: Settings) -> Settings:
    """Return settings that somebody else has made, as safe as those that `Settings.load` has read."""
    if not isinstance(settings, Settings):
        raise TypeError("Entrada() takes Settings; an application is given to install: Entrada().install(app)")
    if faults := settings.faults():
        raise SettingsRefused(faults)
    return settings


def _tell_of_the_start(settings: Settings, *, public: bool, asserted: bool) -> None:
    """Log what may be meant, and should be known."""
    for doubt in doubts_of(settings):
        name, _, reason = doubt.partition(": ")
        log.warning("setting_in_doubt", setting=name, reason=reason)
    if not settings.secure:
        log.warning("session_cookie_not_secure", reason="plain http, for development on this machine")
    if public and not settings.production:
        log.info(
            "public_client", reason="there is no AZURE_CLIENT_SECRET and no certificate; PKCE alone protects sign-in"
        )
    if settings.store == "memory:":
        log.warning("sessions_in_memory", reason="for one worker; people are signed out when it starts again")
    if settings.production and not settings.limits:
        log.warning("limits_off", reason="ENTRADA_LIMITS=false: a layer in front has to limit requests by rate")
    if settings.production and settings.rests_on_a_secret and not asserted:
        log.warning("client_secret_alone", reason="a certificate or an assertion is not copied from an environment")


def _close_inside(app: FastAPI) -> None:
    """Show nobody the inside in production: refuse debug, take OpenAPI and its pages away (SEC-183, SEC-186).

    Whoever means to publish them adds path operations of their own.
    """
    if app.debug:
        raise SettingsRefused(["FastAPI(debug=True): shows tracebacks to anybody; leave it out in production"])
    inside = {app.openapi_url, app.docs_url, app.redoc_url, app.swagger_ui_oauth2_redirect_url}
    app.router.routes[:] = [
        route
        for route in app.router.routes
        if isinstance(route, APIRoute) or getattr(route, "path", None) not in inside
    ]


def _describe(app: FastAPI, building: "Building") -> None:
    """Have the OpenAPI document say who may call what, and `/docs` load nothing from elsewhere (API-7)."""
    if app.openapi_url is None:
        return
    from entrada.web.openapi import OpenApi
    from entrada.web.swagger import publish

    app.openapi = OpenApi(app, building.house)  # type: ignore[method-assign]
    _without_redoc(app)
    if not building.house.settings.production:
        publish(app, building.house)


def _without_redoc(app: FastAPI) -> None:
    """Take FastAPI's ReDoc page away: it runs a script from elsewhere beside people's sessions (SEC-161)."""
    routes = app.router.routes
    theirs = next((route for route in routes if app.redoc_url and getattr(route, "path", None) == app.redoc_url), None)
    if theirs:
        routes.remove(theirs)
    app.redoc_url = None


def _add_layers(app: FastAPI, building: "Building") -> None:
    """Add the gate, and around everything the headers: what fails outside the gate has them too (SEC-160)."""
    from entrada.web.middleware.gate import Gate
    from entrada.web.middleware.headers import HeadersMiddleware
    from entrada.web.routes import table

    settings = building.house.settings
    app.add_middleware(
        Gate,
        house=building.house,
        routes=table.router(settings),
        own_paths=building.house.own_paths,
        own_trees=table.own_trees(settings),
    )
    if settings.cors_origins:
        _let_scripts_call(app, settings.cors_origins)
    rules, build_inner = building.header_rules(app), app.build_middleware_stack
    # FastAPI's own outermost layers answer for an application's handler of Exception, and too large a body
    app.build_middleware_stack = lambda: HeadersMiddleware(build_inner(), rules=rules)  # type: ignore[method-assign]


def _let_scripts_call(app: FastAPI, origins: Sequence[str]) -> None:
    """Let scripts of these origins call, around the gate so that they read refusals; never with cookies (SEC-094)."""
    from starlette.middleware.cors import CORSMiddleware

    app.add_middleware(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["*"],
        expose_headers=["WWW-Authenticate", "Retry-After", "X-Correlation-ID", "RateLimit", "RateLimit-Policy"],
        max_age=CORS_MAX_AGE,
    )


def _wrap_lifespan(app: FastAPI, building: "Building") -> None:
    """Run our life span around the application's own."""
    from entrada.background import watching_keys
    from entrada.web.failures import answer_refusals
    from entrada.web.route_faults import mounted, refuse_faults

    inner = app.router.lifespan_context

    @asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[Any]:
        for below in mounted(app.routes):
            answer_refusals(below)
            if building.house.settings.production:
                _close_inside(below)
        refuse_faults(app, building.house.settings)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(building.running())
            await stack.enter_async_context(building.house.chores.going_on())
            watching = watching_keys(building.key_file, building.use_keys, chores=building.house.chores)
            await stack.enter_async_context(watching)
            yield await stack.enter_async_context(inner(application))

    app.router.lifespan_context = lifespan
