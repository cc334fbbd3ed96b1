"""`GET {prefix}/failed`: why a sign-in failed, at an address without the authority's answer in it."""

from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from entrada.errors import EntradaError, TransactionRefused
from entrada.logs import correlation_id
from entrada.web import cookies, return_to
from entrada.web.context import Context, context_of
from entrada.web.failures import answer, log_refusal, status_of, ways_after
from entrada.web.routes.login import SEE_OTHER
from entrada.web.told_later import Failure

PRIVATE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}  # SEC-019


def lead_to_failed(context: Context, error: EntradaError, *, again: str | None = None) -> Response:
    """Answer a browser at the callback: on to the page that says what happened.

    `again` is where it begins anew, where that is not a sign-in.
    """
    from entrada.web.pages.explanations import explain

    log_refusal(context, error)
    said = explain(error)
    failure = Failure(
        at=context.house.clock(),
        status=int(status_of(error)),
        kind=error.code,
        title=said.title,
        happened=said.happened,
        advice=said.advice,
        number=said.code,
        meaning=said.meaning,
        correlation_id=context.correlation_id,
        return_to=context.return_to,
        again=again,
        signed_in=said.signed_in,
    )
    why = context.house.told_later.seal(failure)
    return RedirectResponse(f"{context.house.path('failed')}?{urlencode({'why': why})}", SEE_OTHER, headers=PRIVATE)


async def failed(request: Request) -> Response:
    """Say what happened and how to go on; a browser that kept none of our cookies is told just that (REL-062)."""
    context = context_of(request.scope)
    house = context.house
    failure = house.told_later.open(request.query_params.get("why", ""))
    over = failure is None or failure.kind == TransactionRefused.code
    if over and await context.session() is not None:  # signed in meanwhile: nothing is wrong any more (REL-061)
        going_to = return_to.accepted(failure.return_to) if failure else None
        return RedirectResponse(going_to or house.settings.home, SEE_OTHER, headers=PRIVATE)
    if failure is None:
        return answer(request, TransactionRefused("the page of a failed sign-in, opened long after"))
    context.return_to = return_to.accepted(failure.return_to)
    context.correlation_id = failure.correlation_id  # the one to quote and to find in the log
    correlation_id.set(failure.correlation_id)
    if over and house.told_later.is_of_just_now(failure) and not _keeps_cookies(context):
        return house.pages.sign_in(
            sign_in=context.sign_in_url, interrupted="cookies", status=failure.status, headers=PRIVATE
        )
    return _page(context, await _as_it_is(context, failure))


async def _as_it_is(context: Context, failure: Failure) -> Failure:
    """Return what to say to somebody who is signed in still, if this browser's person is."""
    if failure.signed_in is None or await context.session() is None:
        return failure
    happened, advice = failure.signed_in
    return msgspec.structs.replace(failure, happened=happened, advice=advice, again=context.return_to)


def _keeps_cookies(context: Context) -> bool:
    """Say whether the browser has the count of visits, which the callback has set a moment ago."""
    return cookies.single(context.cookie_header, context.house.cookies.visits) is not None


def _page(context: Context, failure: Failure) -> Response:
    return context.house.pages.error(
        status=failure.status,
        title=failure.title,
        happened=failure.happened,
        advice=failure.advice,
        correlation_id=failure.correlation_id,
        ways=ways_after(context, again=failure.again),
        code=failure.number,
        meaning=failure.meaning,
        headers=PRIVATE,
    )
