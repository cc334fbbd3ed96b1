"""The one layer that every request passes: which host, which number, whose session, from where.

It asks the store nothing: the session is looked up when a dependency wants it, once. Our own routes are answered here,
beside the application's, so that no dependency or catch-all of the application's guards or hides them.
"""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.routing import Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada.errors import CsrfRefused, EntradaError, HeadersTooLarge
from entrada.logs import correlation_id, log
from entrada.web import cookies, csrf
from entrada.web.context import KEY, Context, House
from entrada.web.failures import POLICY_VIOLATION, answer, answer_http_exception

BEARER = b"bearer"
CORRELATION_HEADER = b"x-correlation-id"


class Gate:
    """ASGI middleware around one application."""

    def __init__(self, app: ASGIApp, *, house: House, routes: Router, own_paths: frozenset[str], own_tree: str) -> None:
        self._app = app
        self._house = house
        self._routes = routes
        self._own_paths = own_paths
        self._own_tree = own_tree
        self._exempt = house.path("callback") if house.settings.response_mode == "form_post" else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, refuse, or let the request through with its context in the scope."""
        if scope["type"] not in {"http", "websocket"} or KEY in scope:
            await self._app(scope, receive, send)
            return
        context = scope[KEY] = Context(self._house, scope)
        correlation_id.set(context.correlation_id)
        answering = _Answer(context, send)
        try:
            self._read_headers(context)
            if scope["type"] == "websocket" or scope["method"] not in csrf.SAFE_METHODS:
                receive = await self._check_source(context, receive)
            await self._route(scope)(scope, receive, answering)
        except EntradaError as error:
            if answering.started:
                raise
            await self._refuse(error, context, receive, answering)
        except HTTPException as error:
            await (await answer_http_exception(Request(scope), error))(scope, receive, answering)
        except Exception:
            if answering.started or self._application_handles(scope):
                raise
            log.exception("unhandled")
            await self._refuse(EntradaError("see the log"), context, receive, answering)

    def _route(self, scope: Scope) -> ASGIApp:
        path = scope["path"]
        ours = scope["type"] == "http" and (path in self._own_paths or path.startswith(self._own_tree))
        return self._routes if ours else self._app

    def _read_headers(self, context: Context) -> None:
        """Take what we need from the headers in one pass; refuse a wrong host and too many cookies."""
        hosts: list[bytes] = []
        cookie_headers: list[bytes] = []
        for name, value in context.scope["headers"]:
            if name == b"host":
                hosts.append(value)
            elif name == b"cookie":
                cookie_headers.append(value)
            elif name == b"authorization":
                context.bearer |= value.lstrip()[: len(BEARER)].lower() == BEARER
        self._house.hosts.check(hosts)
        context.cookie_header = b"; ".join(cookie_headers)
        if len(context.cookie_header) > cookies.MOST_HEADER_BYTES:
            raise HeadersTooLarge("the Cookie header is over 16 KiB")
        context.session_id = cookies.single(context.cookie_header, self._house.cookies.session)

    async def _check_source(self, context: Context, receive: Receive) -> Receive:
        """Refuse an unsafe request, or a WebSocket, that does not come from our own pages (SEC-089 to SEC-093)."""
        scope = context.scope
        if context.session_id is None or scope["path"] == self._exempt:
            return receive
        headers = context.headers
        if not csrf.comes_from_us(headers, self._house.hosts.origins):
            raise CsrfRefused("neither Sec-Fetch-Site nor Origin names our own pages")
        if scope["type"] == "websocket":
            return receive  # a browser cannot send a header of ours on a handshake: Origin is what there is
        token: str | None = headers[csrf.HEADER].decode("latin-1") if csrf.HEADER in headers else None
        if token == csrf.PLAIN_HEADER_VALUE:
            return receive
        if token is None:
            token, receive = await csrf.token_in_form(headers.get(b"content-type", b""), receive)
        if token is None or not self._house.csrf.recognises(token, context.session_id):
            raise CsrfRefused("neither a token of this session nor the header X-CSRF: 1")
        return receive

    async def _refuse(self, error: EntradaError, context: Context, receive: Receive, send: "_Answer") -> None:
        if context.scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
            return
        await answer(HTTPConnection(context.scope), error)(context.scope, receive, send)

    @staticmethod
    def _application_handles(scope: Scope) -> bool:
        """Say whether the application wants its unforeseen errors for itself: its own handler, or debug."""
        app = scope.get("app")
        handlers = getattr(app, "exception_handlers", {})
        return bool(getattr(app, "debug", False)) or not handlers.keys().isdisjoint(
            {Exception, int(HTTPStatus.INTERNAL_SERVER_ERROR)}
        )


class _Answer:
    """`send` with the correlation id and the cookies of the context added to the head of the response."""

    __slots__ = ("_context", "_send", "started")

    def __init__(self, context: Context, send: Send) -> None:
        self._context = context
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] in {"http.response.start", "websocket.accept"}:
            self.started = True
            context = self._context
            headers = [*message.get("headers", ()), (CORRELATION_HEADER, context.correlation_id.encode())]
            headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in context.set_cookies]
            message["headers"] = headers
        await self._send(message)
