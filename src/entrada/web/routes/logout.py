"""`POST {prefix}/logout` and the page after it."""

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from entrada.errors import CsrfRefused, NotSignedIn, StoreUnavailable
from entrada.flows.signing_out.signout import SignedOut
from entrada.web import cookies
from entrada.web.context import Context, context_of
from entrada.web.failures import navigates, status_of
from entrada.web.guards import csrf
from entrada.web.pages.pages import Way

FORGET = {"clear-site-data": '"cache", "storage"', "cache-control": "no-store", "referrer-policy": "no-referrer"}
"""What the browser is told to forget (SEC-103); not its cookies, which may be another application's."""


async def logout(request: Request) -> Response:
    """End the session here, then in the browser, then lead to the authority's sign-out (OUT-1)."""
    context = context_of(request.scope)
    if context.bearer:
        raise NotSignedIn("a bearer token is not signed out, and its request's cookie is not looked at")
    _refuse_other_sites(context)
    done = await context.house.sign_out.end(context.session_id, leaving=_is_leaving(context))
    context.set_cookies.append(context.house.cookies.end_session())
    if done.authority_url:
        context.set_cookies.append(context.house.cookies.leave())
    if done.session:
        context.set_cookies.append(context.house.cookies.count_visits("00", seconds=0))  # it held: no loop of sign-ins
        await context.tell("sign_out", user=done.session.user)
    return _page(context, done) if navigates(request) else _document(done)


async def signed_out(request: Request) -> Response:
    """Say what has ended: the page that the authority comes back to.

    Anybody may open this address; only a browser that was sent to the authority is told that it signed out there.
    """
    context = context_of(request.scope)
    house = context.house
    if await context.session() is not None:
        return RedirectResponse(house.settings.home, 303, headers={"cache-control": "no-store"})
    left = _is_leaving(context)
    return house.pages.signed_out(here=left, at_authority="ended" if left else "unknown", sign_in=context.sign_in_url)


def _is_leaving(context: Context) -> bool:
    """Whether this browser was sent to the authority to sign out, within the last minutes."""
    return cookies.single(context.cookie_header, context.house.cookies.leaving) == "1"


def _refuse_other_sites(context: Context) -> None:
    """Refuse another site's form even when the browser held the session cookie back: the answer would delete it."""
    headers = context.headers
    from_a_browser = b"sec-fetch-site" in headers or b"origin" in headers
    if from_a_browser and not csrf.comes_from_us(headers, context.house.hosts.origins):
        raise CsrfRefused("sign-out asked for by another site")


def _page(context: Context, done: SignedOut) -> Response:
    """Answer a page that goes on to the authority by itself.

    Not a redirect: browsers hold the `form-action` of the page with the form against every redirect that answers it.
    """
    if not done.here:
        return _half_page(context, done)
    onward = {"refresh": f"0; url={done.authority_url}"} if done.authority_url else {}
    return context.house.pages.signed_out(
        here=done.here,
        at_authority="unknown",
        sign_in=context.sign_in_url,
        leave_authority=done.authority_url,
        headers=FORGET | onward,
    )


def _half_page(context: Context, done: SignedOut) -> Response:
    """Say what has not ended, and lead on to what still can be."""
    house = context.house
    leave = (Way(f"Sign out of {house.pages.authority_name}", done.authority_url),) if done.authority_url else ()
    return house.pages.error(
        status=status_of(StoreUnavailable()),
        title="Signed out in this browser only",
        happened="This browser has forgotten your sign-in. On our side it could not be ended just now, because our "
        "store does not answer; it ends by itself when it has not been used for a while.",
        advice="If somebody else may have your cookie, tell whoever looks after this application.",
        correlation_id=context.correlation_id,
        ways=(*leave, Way("Go to the first page", house.settings.home)),
        headers=FORGET,
    )


def _document(done: SignedOut) -> Response:
    """Tell a script what ended and where to send the browser."""
    document = {"ended": {"here": done.here, "browser": True}, "next": done.authority_url}
    return JSONResponse(document, 200 if done.here else status_of(StoreUnavailable()), headers=FORGET)
