"""What went wrong, said in HTTP: the only place that knows status codes.

A browser that navigates gets a page that says what happened, what to do, and the number to quote; any other client gets
`application/problem+json` (RFC 9457) with a stable `code`. Neither repeats anything that came with the request.
"""

from collections.abc import Mapping
from http import HTTPStatus
from http.client import responses
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException, WebSocketException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import Scope
from starlette.websockets import WebSocket

from entrada.errors import (
    ApiTooSlow,
    ApiUnavailable,
    AuthorityRefused,
    BearerMissing,
    BearerRefused,
    ChangedMeanwhile,
    CsrfRefused,
    EntradaError,
    HeadersTooLarge,
    InteractionRequired,
    LastAdmin,
    MediaTypeRefused,
    MethodRefused,
    NotAllowed,
    NotFound,
    NothingKept,
    NotSignedIn,
    OwnAccount,
    PageOutdated,
    Prefetched,
    RenewalRefused,
    RequestRefused,
    ScopeNotAskedFor,
    SignInRefused,
    StepUpInVain,
    StepUpRequired,
    TooMany,
    TransactionRefused,
    Unavailable,
    VersionMissing,
)
from entrada.guard_errors import (
    AddressRefused,
    BodyRefused,
    BodyTooLarge,
    BodyTooSlow,
    HostRefused,
    LimitReached,
    UrlTooLong,
)
from entrada.logs import log
from entrada.web import denials, return_to
from entrada.web.challenges import challenges
from entrada.web.context import Context, context_of

if TYPE_CHECKING:
    from entrada.web.pages.pages import Way

POLICY_VIOLATION = 1008  # WebSocket close code, RFC 6455 7.4.1
PROBLEM = "application/problem+json"
OUR_SETUP = frozenset({"invalid_client", "unauthorized_client", "invalid_scope", "redirect_uri_mismatch"})
"""Refusals of the authority that no person at a browser can mend."""

STATUS: Mapping[type[EntradaError], HTTPStatus] = {
    HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    UrlTooLong: HTTPStatus.REQUEST_URI_TOO_LONG,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    BodyTooSlow: HTTPStatus.REQUEST_TIMEOUT,
    AddressRefused: HTTPStatus.FORBIDDEN,
    MethodRefused: HTTPStatus.METHOD_NOT_ALLOWED,
    MediaTypeRefused: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    NotFound: HTTPStatus.NOT_FOUND,
    NothingKept: HTTPStatus.GONE,
    ChangedMeanwhile: HTTPStatus.PRECONDITION_FAILED,
    LastAdmin: HTTPStatus.CONFLICT,
    OwnAccount: HTTPStatus.CONFLICT,
    VersionMissing: HTTPStatus.PRECONDITION_REQUIRED,
    CsrfRefused: HTTPStatus.FORBIDDEN,
    RequestRefused: HTTPStatus.BAD_REQUEST,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    BearerRefused: HTTPStatus.UNAUTHORIZED,
    StepUpRequired: HTTPStatus.UNAUTHORIZED,
    StepUpInVain: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
    RenewalRefused: HTTPStatus.UNAUTHORIZED,
    TransactionRefused: HTTPStatus.BAD_REQUEST,
    SignInRefused: HTTPStatus.FORBIDDEN,
    ScopeNotAskedFor: HTTPStatus.FORBIDDEN,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    ApiTooSlow: HTTPStatus.GATEWAY_TIMEOUT,
    ApiUnavailable: HTTPStatus.BAD_GATEWAY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    EntradaError: HTTPStatus.INTERNAL_SERVER_ERROR,
}

PLAIN: Mapping[int, type[EntradaError]] = {401: NotSignedIn, 403: NotAllowed, 404: NotFound, 405: MethodRefused}
"""Whose words a page has when the application, or the framework, raises a bare status."""


class Refused(HTTPException):
    """A refusal on its way to the client; a mounted application that does not know it still answers rightly."""

    def __init__(self, error: EntradaError, *, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(status, detail=error.public, headers=headers)
        self.error = error


class RefusedSocket(WebSocketException):
    """A refusal of a WebSocket, raised by a dependency; `error` is why."""

    def __init__(self, error: EntradaError) -> None:
        super().__init__(POLICY_VIOLATION, error.public)
        self.error = error


def status_of(error: EntradaError) -> HTTPStatus:
    """Return the status of an error: its own, or that of the nearest class above it."""
    if isinstance(error, AuthorityRefused) and error.code in OUR_SETUP:
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)


def navigates(connection: HTTPConnection) -> bool:
    """Say whether a person's browser is opening a page, as opposed to a script calling an API (LOG-3)."""
    mode = connection.headers.get("sec-fetch-mode")
    return mode in {None, "navigate"} and "text/html" in connection.headers.get("accept", "")


def refuse(connection: HTTPConnection, error: EntradaError) -> Refused | RefusedSocket:
    """Return the exception that refuses this connection for this error."""
    if connection.scope["type"] == "websocket":
        return RefusedSocket(error)
    context = context_of(connection.scope)
    asks_for_sign_in = isinstance(error, NotSignedIn | RenewalRefused) and not isinstance(error, BearerMissing)
    if asks_for_sign_in and _may_be_sent_to_sign_in(connection, context):
        return Refused(error, status=HTTPStatus.FOUND, headers={"location": _login_url(connection), **PRIVATE})
    return Refused(error, status=status_of(error), headers=_headers(error, context))


def answer(connection: HTTPConnection, error: EntradaError) -> Response:
    """Answer with an error: a page for a browser, a problem for any other client."""
    context = context_of(connection.scope)
    if isinstance(error, HostRefused) and error.alias and _opens_a_page(connection):
        return _under_our_name(connection, f"{error.here}")
    status = status_of(error)
    log_refusal(context, error)
    context.house.numbers.refused(error)
    headers = _headers(error, context)
    if not navigates(connection):
        login = None if isinstance(error, StepUpInVain) else _step(error)
        said_in_full = problem(context, status, code=error.code, detail=error.public, headers=headers, login=login)
        for further in challenges(error, context)[1:]:
            said_in_full.headers.append("www-authenticate", further)
        return said_in_full
    from entrada.web.pages.explanations import explain

    if connection.scope["method"] not in {"GET", "HEAD"}:
        context.return_to = context.return_to or page_of_form(context)
    said = explain(error)
    return context.house.pages.error(
        status=status,
        title=said.title,
        happened=said.happened,
        advice=said.advice,
        correlation_id=context.correlation_id,
        ways=_ways(error, context),
        code=said.code,
        meaning=said.meaning,
        headers=headers,
    )


def log_refusal(context: Context, error: EntradaError) -> None:
    """Note a refusal for whoever runs the application."""
    status = status_of(error)
    write = log.error if status >= HTTPStatus.INTERNAL_SERVER_ERROR else log.warning
    values = {"status": int(status), "error": error.code, "reason": str(error)}
    if isinstance(error, NotSignedIn | LimitReached | Prefetched):
        log.debug("refused", **values)  # every stranger's request; or a flood, which is told once a minute
        return
    context.house.guards.lines.write(write, "refused", kind=type(error).__name__, **values)


def ways_after(context: Context, *, again: str | None = None) -> "tuple[Way, ...]":
    """Return the ways on from a sign-in that failed, or from what is begun anew at `again`."""
    from entrada.web.pages.pages import Way

    if again is not None:
        return (Way("Try again", again), _home(context))
    return (Way("Sign in", context.sign_in_url), _home(context))


async def answer_refusal(request: Request, refused: Exception) -> Response:
    """Answer a refusal that a dependency raised: the handler that `install` registers for `Refused`."""
    if not isinstance(refused, Refused):
        raise refused
    if refused.status_code == HTTPStatus.FOUND:
        return Response(status_code=refused.status_code, headers=refused.headers)
    await denials.tell(context_of(request.scope), request.scope, refused.error)
    return answer(request, refused.error)


async def close_refused(socket: WebSocket, refused: Exception) -> None:
    """Close a WebSocket that a dependency refused: the handler that `install` registers for `RefusedSocket`."""
    if not isinstance(refused, RefusedSocket):
        raise refused
    await tell_of_socket(socket.scope, refused.error)
    await socket.close(refused.code, refused.reason)


def answer_refusals(app: FastAPI) -> None:
    """Have an application, or one that is mounted in it, answer what our dependencies refuse as we do."""
    app.add_exception_handler(Refused, answer_refusal)
    app.add_exception_handler(RefusedSocket, close_refused)


async def tell_of_socket(scope: Scope, error: EntradaError) -> None:
    """Log and count a WebSocket's refusal, and tell of it if access was denied."""
    context = context_of(scope)
    log_refusal(context, error)
    context.house.numbers.refused(error)
    await denials.tell(context, scope, error)


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Answer an HTTPException of the application or of the framework (404, 405, …) with its own words."""
    if not isinstance(error, HTTPException):
        raise error
    if isinstance(error, Refused) and error.status_code != HTTPStatus.FOUND:
        return answer(request, error.error)
    context = context_of(request.scope)
    status = error.status_code
    if status < HTTPStatus.BAD_REQUEST:
        return Response(status_code=status, headers=error.headers)
    if not navigates(request):
        return problem(context, status, code=_word(status), detail=error.detail, headers=error.headers)
    return context.house.pages.error(
        status=status,
        title=_phrase(status).capitalize(),
        happened=_said(error),
        advice="Go back, or start again from the first page.",
        correlation_id=context.correlation_id,
        ways=(_home(context),),
        headers=error.headers,
    )


async def answer_invalid(_request: Request, error: Exception) -> Response:
    """Say which parts of a request do not fit, as FastAPI does, without repeating what was sent (SEC-177)."""
    if not isinstance(error, RequestValidationError):
        raise error
    found = [{name: fault[name] for name in ("type", "loc", "msg")} for fault in error.errors()]
    return JSONResponse({"detail": found}, HTTPStatus.UNPROCESSABLE_ENTITY)


def problem(
    context: Context,
    status: int,
    *,
    code: str,
    detail: Any,
    headers: Mapping[str, str] | None = None,
    login: str | None = None,
) -> Response:
    """Return a problem document; `detail` is ours or the application's, never the request's.

    `login` is where a script sends its browser to prove more.
    """
    document = {
        "type": "about:blank",
        "title": _phrase(status),
        "status": int(status),
        "code": code,
        "detail": detail,
        "correlation_id": context.correlation_id,
    } | ({"login": login} if login else {})
    return JSONResponse(document, status, headers=dict(headers or {}), media_type=PROBLEM)


def _login_url(connection: HTTPConnection) -> str:
    """Return the address that begins a sign-in and comes back to this request's page."""
    scope = connection.scope
    here = return_to.of_request(scope["path"], scope["query_string"])
    login = context_of(scope).house.path("login")
    return f"{login}?{urlencode({'return_to': here})}" if here else login


def page_of_form(context: Context) -> str | None:
    """Return the page with the form that came too late, to come back to; what it said is never sent again (REL-065).

    A page of the console that said what was done before does not say so again: this was not.
    """
    referrer = context.headers.get(b"referer", b"").decode("latin-1")
    return return_to.of_referrer(referrer.partition("?done=")[0], context.house.hosts.origins)


PRIVATE = {"cache-control": "no-store"}


def _may_be_sent_to_sign_in(connection: HTTPConnection, context: Context) -> bool:
    """Only a page that is being opened by GET can be come back to; a bearer token shows an API client."""
    return _opens_a_page(connection) and not context.bearer


def _opens_a_page(connection: HTTPConnection) -> bool:
    return connection.scope["method"] in {"GET", "HEAD"} and navigates(connection)


def _under_our_name(connection: HTTPConnection, here: str) -> Response:
    """Send a developer's browser from another name of this machine to the base URL, where its cookies will be."""
    page = return_to.of_request(connection.scope["path"], connection.scope["query_string"])
    return Response(status_code=HTTPStatus.FOUND, headers={"location": f"{here}{page or '/'}", **PRIVATE})


def _headers(error: EntradaError, context: Context) -> dict[str, str]:
    headers = dict(PRIVATE)
    if isinstance(error, StepUpRequired | InteractionRequired) and error.kept:
        headers["refresh"] = f"0; url={error.login}"
    if isinstance(error, Unavailable):
        headers["retry-after"] = str(error.retry_after)
    if isinstance(error, BodyRefused) and error.closes:
        headers["connection"] = "close"
    if isinstance(error, MethodRefused):
        headers["allow"] = ", ".join(error.allowed)
    if said := challenges(error, context):
        headers["www-authenticate"] = said[0]
    return headers


def _ways(error: EntradaError, context: Context) -> "tuple[Way, ...]":
    from entrada.web.pages.pages import Way

    home = _home(context)
    if login := _step(error):
        return (Way("Sign in once more" if isinstance(error, StepUpInVain) else "Continue", login), home)
    if isinstance(error, SignInRefused | NotSignedIn | RenewalRefused):
        return ways_after(context)
    if isinstance(error, PageOutdated) and context.return_to:
        return (Way("Reload the page", context.return_to), home)
    if isinstance(error, Unavailable):
        return (Way("Try again", context.house.settings.home),)
    if isinstance(error, RequestRefused) and context.body is not None and (page := page_of_form(context)):
        return (Way("Load the page again", page), home)
    return (home,)


def _step(error: EntradaError) -> str | None:
    """Return where a browser goes to prove more."""
    return error.login if isinstance(error, StepUpRequired | InteractionRequired) else None


def _home(context: Context) -> "Way":
    from entrada.web.pages.pages import Way

    return Way("Go to the first page", context.house.settings.home)


def _said(error: HTTPException) -> str:
    """Return the application's own words for people; where there are none, more than the status's name again."""
    if isinstance(error.detail, str) and error.detail != _phrase(error.status_code):
        return error.detail
    known = PLAIN.get(error.status_code)
    return known.public if known else _phrase(error.status_code)


def _phrase(status: int) -> str:
    """Return the name of a status; an application may raise one that nobody has registered, such as 499."""
    return responses.get(status, "Error")


def _word(status: int) -> str:
    return _phrase(status).lower().replace(" ", "_").replace("-", "_")
