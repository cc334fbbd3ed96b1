"""The headers that every response gets: the protective ones (SEC-160 to SEC-162), its number, and cookies of ours.

Errors, unknown paths and files get them too.

A header that the application set itself stays, for it knows its pages; nosniff alone is not its to weaken. What is
left out is never taken for a wish: a content policy without `frame-ancestors` gets that rule beside it.
Everything that can be built beforehand is: this runs for each request.
"""

import secrets
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from entrada import tracing
from entrada.web.context import KEY, Context
from entrada.web.pages.content_policy import BARE, DOCUMENTATION, ContentPolicy

Header = tuple[bytes, bytes]
Audience = Literal["anyone", "one person", "one person signing in"]
SIGNING_IN: Audience = "one person signing in"

ACCEPT = "websocket.accept"  # no document comes with it
HEADS = frozenset({"http.response.start", "websocket.http.response.start", ACCEPT})
CORRELATION = b"x-correlation-id"
NONCE = "entrada_csp_nonce"
CSP = b"content-security-policy"
FRAME = b"x-frame-options"
NOSNIFF: Header = (b"x-content-type-options", b"nosniff")
NO_STORE: Header = (b"cache-control", b"no-store")
NO_FRAME: Header = (FRAME, b"DENY")
NO_FRAME_POLICY: Header = (CSP, BARE.encode())
DOCUMENTATION_POLICY = DOCUMENTATION.encode()
HSTS: Header = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
ONE_ORIGIN: Header = (b"cross-origin-resource-policy", b"same-origin")
OF_DOCUMENTS: tuple[
    Header, ...
] = (  # on an answer to a script they mean nothing, and servers look at each byte of them
    (b"cross-origin-opener-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), "
        b"microphone=(), midi=(), payment=(), usb=()",
    ),
)
CONTENT_TYPE = b"content-type"
REFERRER = b"referrer-policy"
OURS = frozenset({CSP, FRAME, REFERRER, *(name for name, _ in (NOSNIFF, NO_STORE, HSTS, ONE_ORIGIN, *OF_DOCUMENTS))})
KINDS_KEPT = 64  # content types are the application's own, so they are few; this only bounds a mistake
NOT_MODIFIED = 304  # its headers replace those of the kept response, whose own policy is the right one

DOCUMENTS = (b"text/html", b"application/xhtml+xml", b"image/svg+xml", b"text/xml", b"application/xml")
"""Types that a browser shows as a page and runs scripts of."""
IMPERSONAL = (b"text/css", b"text/javascript", b"application/javascript", b"font/")
"""Types that a page is made of; they may be kept although the request carried a session."""


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """What the headers depend on; all of it is known at the start."""

    policy: ContentPolicy
    https: bool
    """Whether people reach the application by https: by configuration, never by the request."""
    session_cookie: bytes
    """The name of the cookie that makes a request, and so its answer, private."""
    auth_paths: tuple[str, ...]
    """Beginnings of the paths that take part in signing in and out."""
    documentation: frozenset[str] = frozenset()
    """Paths of pages of FastAPI's that load scripts from elsewhere; empty in production."""
    general: tuple[Header, ...] = field(init=False)
    auth: tuple[Header, ...] = field(init=False)

    def __post_init__(self) -> None:
        common = (ONE_ORIGIN, HSTS) if self.https else (ONE_ORIGIN,)
        object.__setattr__(self, "general", ((REFERRER, b"strict-origin-when-cross-origin"), *common))
        object.__setattr__(self, "auth", ((REFERRER, b"no-referrer"), *common))


class BrokenOff(Exception):
    """An answer that has begun does not come to its end: the server closes the connection, so that everybody sees."""


class HeadersMiddleware:
    """Completes the headers of each response; it is the outermost layer but for Starlette's own.

    A response that brings none of these headers gets all of them from a table, by its type and for whom it is.
    """

    def __init__(self, app: ASGIApp, *, rules: HeaderRules) -> None:
        self.app = app
        self.rules = rules
        self._ready: dict[tuple[bytes | None, Audience, bytes], list[Header]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back with its headers complete."""
        if scope["type"] == "lifespan" or KEY in scope:  # such a layer is around this one already
            await self.app(scope, receive, send)
            return

        context: Context | None = None

        def complete_and_send(message: Message) -> Awaitable[None]:
            nonlocal context
            if message["type"] not in HEADS:
                return send(message) if context is None or not context.broken_off else _break_off()
            context = scope.get(KEY)
            if context is not None and (context.save_data is not None or context.next_id is not None):
                return self._settle_and_send(scope, message, context, send)
            message["headers"] = self._head(scope, message, context)
            return send(message)

        await self.app(scope, receive, complete_and_send)

    async def _settle_and_send(self, scope: Scope, message: Message, context: Context, send: Send) -> None:
        """Write `request.session` before the answer says that it was done, and give the session's next identifier."""
        if context.save_data is not None:
            await context.save_data()
        await context.give_next_id()
        message["headers"] = self._head(scope, message, context)
        await send(message)

    def _head(self, scope: Scope, message: Message, context: Context | None) -> list[Header]:
        given: list[Header] = message.get("headers", [])
        headers = list(given) if message["type"] == ACCEPT else self._complete(scope, message["status"], given, context)
        if context is not None:
            context.answered = True
            headers.append((CORRELATION, context.correlation_id.encode()))
            if context.limit_headers:
                headers += context.limit_headers
            if context.set_cookies:
                headers = _for_nobody_else(headers)
                headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in context.set_cookies]
        return headers

    def _complete(self, scope: Scope, status: int, given: list[Header], context: Context | None) -> list[Header]:
        who = audience(self.rules, scope, context)
        if who is SIGNING_IN and scope["query_string"]:
            tracing.hide_query()  # SEC-146
        kind = None
        plain = status != NOT_MODIFIED and scope["path"] not in self.rules.documentation
        for name, value in given:
            if name == CONTENT_TYPE:
                kind = value
            elif name in OURS:
                plain = False
        if not plain or NONCE in scope.get("state", ()):
            return complete(self.rules, scope, who=who, status=status, headers=list(given))
        key = (kind, who, self.rules.policy.application)
        return [*given, *(self._ready.get(key) or self._make_ready(key, scope))]

    def _make_ready(self, key: tuple[bytes | None, Audience, bytes], scope: Scope) -> list[Header]:
        headers = [] if key[0] is None else [(CONTENT_TYPE, key[0])]
        added = complete(self.rules, scope, who=key[1], status=200, headers=headers)[len(headers) :]
        if len(self._ready) < KINDS_KEPT:
            self._ready[key] = added
        return added


async def _break_off() -> None:
    """Send no end of an answer that has none: middleware of Starlette's makes one up before it lets the error out."""
    raise BrokenOff


def csp_nonce(connection: HTTPConnection) -> str:
    """Return the nonce for inline scripts and styles of the page that answers this request."""
    nonce: str = connection.scope.setdefault("state", {}).setdefault(NONCE, secrets.token_urlsafe(16))
    return nonce


def audience(rules: HeaderRules, scope: Scope, context: Context | None) -> Audience:
    """Tell for whom an answer may be: the request says who it is from, or is part of signing in."""
    if scope["path"].startswith(rules.auth_paths):
        return SIGNING_IN
    personal = context.personal if context is not None else _says_who(rules, scope)
    return "one person" if personal else "anyone"


def _says_who(rules: HeaderRules, scope: Scope) -> bool:
    """Say what the gate would have found, of a request that it never saw."""
    return any(
        name == b"authorization" or (name == b"cookie" and rules.session_cookie in value)
        for name, value in scope["headers"]
    )


def complete(rules: HeaderRules, scope: Scope, *, who: Audience, status: int, headers: list[Header]) -> list[Header]:
    """Return the headers of a response with all that it left out; the given list stays as it is."""
    given = dict(headers)
    defaults = rules.auth if who is SIGNING_IN else rules.general
    if is_document(given):
        defaults += OF_DOCUMENTS
    completed = [header for header in headers if header[0] != NOSNIFF[0]]
    completed += [NOSNIFF, *(header for header in defaults if header[0] not in given)]
    if status == NOT_MODIFIED:
        return completed
    if NO_STORE[0] not in given and who != "anyone" and not given.get(CONTENT_TYPE, b"").startswith(IMPERSONAL):
        completed.append(NO_STORE)
    return [*completed, *(_framing(headers) if CSP in given else _policy(rules, scope, given))]


def _for_nobody_else(headers: list[Header]) -> list[Header]:
    """Return the headers of an answer that has cookies: no cache may keep it, and hand them to the next person."""
    kept = [line for line in headers if line == NO_STORE or not _is_for_caches(line[0])]
    return kept if NO_STORE in kept else [*kept, NO_STORE]


def _is_for_caches(name: bytes) -> bool:
    """Say whether a header tells caches what to keep: the standard's, and those that only the ones in front heed."""
    return name.endswith(b"cache-control") or name in {b"surrogate-control", b"expires"}


def is_document(given: dict[bytes, bytes]) -> bool:
    """Say whether a browser may show the answer as a page; one that does not say what it is may be."""
    kind = given.get(CONTENT_TYPE)
    return kind is None or kind.lower().startswith(DOCUMENTS)


def _framing(headers: list[Header]) -> tuple[Header, ...]:
    """Complete an application's own policy: it may allow framing, but only by saying so."""
    if any(name == FRAME or (name == CSP and b"frame-ancestors" in value) for name, value in headers):
        return ()
    return (NO_FRAME, NO_FRAME_POLICY)


def _policy(rules: HeaderRules, scope: Scope, given: dict[bytes, bytes]) -> tuple[Header, ...]:
    """Return the policy of a response that brought none."""
    document = is_document(given)
    if not document:
        policy = NO_FRAME_POLICY[1]
    elif scope["path"] in rules.documentation:
        policy = DOCUMENTATION_POLICY
    else:
        policy = _document_policy(rules, scope)
    if FRAME not in given:
        return (NO_FRAME, (CSP, policy)) if document else ((CSP, policy),)
    if given[FRAME].upper() == b"SAMEORIGIN":
        policy = policy.replace(b"frame-ancestors 'none'", b"frame-ancestors 'self'")
    return ((CSP, policy),)


def _document_policy(rules: HeaderRules, scope: Scope) -> bytes:
    nonce = scope.get("state", {}).get(NONCE)
    return rules.policy.application if nonce is None else rules.policy.with_nonce(nonce).encode()
