"""The one layer that every request passes: which host, which number, whose session, from where.

It asks the store nothing: the session is looked up when a dependency wants it, once. Our own routes are answered here,
beside the application's, so that no dependency or catch-all of the application's guards or hides them. What the answer
is to carry, the number and cookies, it leaves in the context for the layer of the headers, which is around it.
"""

from collections.abc import Sequence
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.routing import Router
from starlette.types import ASGIApp, Receive, Scope, Send

from entrada.errors import CsrfRefused, EntradaError, MethodRefused, PageOutdated, Unavailable
from entrada.guard_errors import CookiesTooLarge, ProofMissing
from entrada.logs import correlation_id, log
from entrada.web import cookies, denials
from entrada.web.context import KEY, Context, House, context_of
from entrada.web.failures import POLICY_VIOLATION, answer, answer_http_exception, tell_of_socket
from entrada.web.guards import csrf
from entrada.web.guards.guards import METHODS
from entrada.web.guards.request_size import check_head
from entrada.web.middleware.open_sockets import ends_in_time
from entrada.web.pages.assets import ROOT
from entrada.web.request_body import Recorded, kind_of
from entrada.web.resuming import resumed
from entrada.web.session_data import SessionData

BEARER = b"bearer"
BELOW_A_PATH = (
    "our own addresses, such as /api/auth and /entrada, are at the root of base_url: give the application a host name "
    "of its own, and where it is mounted, install Entrada on the outermost application"
)
LIFE_SPAN = (
    "deactivations elsewhere are not followed, routes not checked, tokens not renewed ahead: give your own life span "
    "to FastAPI(lifespan=…), install Entrada on the outermost application, let the server run it (no `--lifespan off`),"
    " and in tests write `with TestClient(app) as client`"
)


class Gate:
    """ASGI middleware around one application."""

    def __init__(
        self, app: ASGIApp, *, house: House, routes: Router, own_paths: frozenset[str], own_trees: tuple[str, ...]
    ) -> None:
        self._app = app
        self._house = house
        self._routes = routes
        self._own_paths = own_paths
        self._own_trees = own_trees
        self._session_cookie = house.cookies.session.encode()
        self._guards = house.guards
        self._limits = house.guards.limits
        self._all_harmless = house.guards.harmless.all
        self._below_a_path = False
        self._begun = self._told_of_no_beginning = False
        self._exempt = house.path("callback") if house.settings.response_mode == "form_post" else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or let the request through with its context in the scope."""
        if scope["type"] not in {"http", "websocket"} or KEY in scope:
            await self._app(scope, receive, send)
            return
        if self._guards.proxies is not None:
            self._guards.proxies.settle(scope)
        context = scope[KEY] = Context(self._house, scope)
        if "session" not in scope:  # whoever adds Starlette's SessionMiddleware, around us or within, means its cookie
            scope["session"] = SessionData(context)
        correlation_id.set(context.correlation_id)
        try:
            if not self._begun:
                self._check_beginning()
            self._read_headers(scope, context)
            if self._limits is not None and not self._limits.lets(context):
                await self._limits.admit(scope, context)
            if scope["type"] == "websocket" or scope["method"] not in csrf.SAFE_METHODS:
                receive = await self._check_source(scope, context, self._bounded(scope, context, receive))
            elif b"content-length" in context.headers or b"transfer-encoding" in context.headers:
                receive = self._bounded(scope, context, receive)
            await self._route(scope, context)(scope, receive, send)
        except EntradaError as error:
            if context.answered:
                raise
            await _refuse(error, scope, receive, send)
        except HTTPException as error:
            await (await answer_http_exception(Request(scope), error))(scope, receive, send)
        except Exception:
            if context.answered or _application_handles(scope):
                raise
            log.exception("unhandled")
            await _refuse(EntradaError("see the log"), scope, receive, send)

    def _check_beginning(self) -> None:
        """Say so where nobody has run the life span; in production Unavailable: much is not looked at then (0384)."""
        self._begun = self._house.chores.begun
        if self._begun:
            return
        if not self._told_of_no_beginning:
            self._told_of_no_beginning = True
            log.warning("life_span_not_run", reason=LIFE_SPAN)
        if self._house.settings.production:
            raise Unavailable("the application's life span has not been run")

    def _route(self, scope: Scope, context: Context) -> ASGIApp:
        if scope["type"] == "websocket":
            stranger = context.session_id is None and not context.bearer
            return self._app if stranger else ends_in_time(self._app, context)
        path = scope["path"]
        if scope.get("root_path") and not self._below_a_path:
            self._below_a_path = True
            log.warning("below_a_path", path=scope["root_path"], reason=BELOW_A_PATH)
        ours = path in self._own_paths or path.startswith(self._own_trees)
        return self._routes if ours else self._app

    def _bounded(self, scope: Scope, context: Context, receive: Receive) -> Receive:
        """Bound what comes with an HTTP request; refuse a method that nobody here knows (SEC-166)."""
        if scope["type"] == "websocket":
            return receive
        if scope["method"] not in METHODS:
            raise MethodRefused("not a method of ours", allowed=tuple(sorted(METHODS)))
        return self._guards.bodies.bounded(scope, context, receive)

    def _read_headers(self, scope: Scope, context: Context) -> None:
        """Take what we need from the headers; refuse a wrong host, and more than anybody honest sends."""
        lines: list[cookies.HeaderLine] = scope["headers"]
        headers = context.headers = dict(lines)
        if not self._all_harmless(headers):
            lines = scope["headers"] = self._guards.harmless.dropped(lines)
            headers = context.headers = dict(lines)
        check_head(headers, scope)
        if b"authorization" in headers:
            context.personal = True
            context.authorization = (headers[b"authorization"],)
        if len(headers) < len(lines):
            _settle_repeated(headers, lines)
            context.authorization = tuple([value for name, value in lines if name == b"authorization"])
        for authorization in context.authorization:
            context.bearer = context.bearer or _is_bearer(authorization)
        cookie_header = headers.get(b"cookie", b"")
        if cookie_header.find(self._session_cookie) >= 0:  # `in` makes and drops an exception when both are bytes
            context.personal = True
        self._house.hosts.check(headers.get(b"host"))
        if self._guards.admin_networks:
            self._guards.check_network(scope, context.address)
        if len(cookie_header) > cookies.MOST_HEADER_BYTES:
            if scope["path"].startswith(f"{ROOT}/"):  # what the page that says so is made of
                return
            raise CookiesTooLarge("the Cookie header is over 16 KiB")
        context.cookie_header = cookie_header
        if cookie_header and not context.bearer:  # a bearer token never falls back to the cookie (SEC-095)
            context.session_id = self._house.cookies.session_in(cookie_header)
            if context.session_id is not None:  # nothing behind this layer can log it, or send it to an error tracker
                scope["headers"] = self._house.cookies.without_session(lines, cookie_header)

    async def _check_source(self, scope: Scope, context: Context, receive: Receive) -> Receive:
        """Refuse an unsafe request, or a WebSocket, that does not come from our own pages (SEC-089 to SEC-093)."""
        if context.session_id is None or scope["path"] == self._exempt:
            return receive
        headers = context.headers
        if not csrf.comes_from_us(headers, self._house.hosts.origins):
            raise CsrfRefused("neither Sec-Fetch-Site nor Origin names our own pages")
        if scope["type"] == "websocket":
            return receive  # a browser cannot send a header of ours on a handshake: Origin is what there is
        if scope["method"] == "POST" and (kind := kind_of(headers)):
            receive = context.body = Recorded(receive, kind)
        token: str | None = headers[csrf.HEADER].decode("latin-1") if csrf.HEADER in headers else None
        if token == csrf.PLAIN_HEADER_VALUE:
            return receive
        if token is None:
            token, receive = await csrf.token_in_form(headers.get(b"content-type", b""), receive)
        if token is None:
            raise ProofMissing("neither a token of this session nor the header X-CSRF: 1")
        if not self._house.csrf.recognises(token, context.session_id):
            raise PageOutdated("the token is not this session's")  # another account's, or from before (REL-063)
        return await resumed(scope, context, receive)


def _is_bearer(authorization: bytes) -> bool:
    return authorization.lstrip()[: len(BEARER)].lower() == BEARER


def _settle_repeated(headers: dict[bytes, bytes], lines: Sequence[cookies.HeaderLine]) -> None:
    """Join the cookies that HTTP/2 sends in several lines; several hosts are none."""
    headers[b"cookie"] = b"; ".join(value for name, value in lines if name == b"cookie")
    if sum(name == b"host" for name, _ in lines) > 1:
        del headers[b"host"]


async def _refuse(error: EntradaError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await tell_of_socket(scope, error)
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        return
    await denials.tell(context_of(scope), scope, error)
    await answer(HTTPConnection(scope), error)(scope, receive, send)


def _application_handles(scope: Scope) -> bool:
    """Say whether the application wants its unforeseen errors for itself: its own handler, or debug."""
    app = scope.get("app")
    handlers = getattr(app, "exception_handlers", {})
    return bool(getattr(app, "debug", False)) or not handlers.keys().isdisjoint(
        {Exception, int(HTTPStatus.INTERNAL_SERVER_ERROR)}
    )
