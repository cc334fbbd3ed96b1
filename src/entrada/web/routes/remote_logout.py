"""`{prefix}/frontchannel-logout` and `{prefix}/backchannel-logout`: the authority says that somebody signed out there.

Neither looks at cookies: the first comes in a frame of another site, the second from the authority's own servers.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from entrada.errors import MethodRefused, RequestRefused
from entrada.principal import User
from entrada.web.context import Context, context_of
from entrada.web.forms import only, parse, read_form
from entrada.web.pages.content_policy import origin

LONGEST_SID = 255
NO_STORE = {"cache-control": "no-store"}


async def frontchannel_logout(request: Request) -> Response:
    """End the sessions of `sid`; the answer is the same whether there were any (SEC-100)."""
    context = context_of(request.scope)
    if request.method != "GET":
        raise MethodRefused("HEAD ends nothing", allowed=("GET",))  # SEC-088
    parameters = parse(request.scope["query_string"])
    sid = only(parameters, "sid")
    if not sid or len(sid) > LONGEST_SID:
        raise RequestRefused("sid is missing or too long")
    context.house.guards.logouts.take()
    ended = await context.house.remote_logout.front_channel(sid, issuer=only(parameters, "iss"))
    await _tell(context, ended, reason="frontchannel_logout")
    return Response(headers=NO_STORE | {"content-security-policy": _framed_by(context)})


async def backchannel_logout(request: Request) -> Response:
    """End what the logout token names (SEC-102)."""
    context = context_of(request.scope)
    token = only(await read_form(request), "logout_token")
    if not token:
        raise RequestRefused("logout_token is missing")
    ended = await context.house.remote_logout.back_channel(token)
    await _tell(context, ended, reason="backchannel_logout")
    return Response(headers=NO_STORE)


def _framed_by(context: Context) -> str:
    """Return the policy of the one answer that another site may frame: the authority's sign-out page (SEC-101)."""
    known = context.house.discovery.known
    urls = (known.issuer, known.end_session_endpoint or known.issuer) if known else ()
    ancestors = " ".join(dict.fromkeys(map(origin, urls))) or "'none'"
    return f"default-src 'none'; frame-ancestors {ancestors}"


async def _tell(context: Context, ended: Sequence[User], *, reason: str) -> None:
    for user in ended:
        await context.tell("session_ended", user=user, reason=reason)
