"""`GET {prefix}/login`: the way to the authority."""

import re
from collections.abc import Mapping
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from entrada.errors import MethodRefused, Prefetched, TransactionRefused
from entrada.flows.signing_in.signin import Started
from entrada.flows.signing_in.transaction import HANDLE
from entrada.flows.signing_in.wishes import Wish
from entrada.logs import log
from entrada.web import cookies, return_to
from entrada.web.console.places import is_page
from entrada.web.context import Context, context_of

HINTS: Mapping[str, int] = {"login_hint": 320, "domain_hint": 253, "ui_locales": 100}
"""What may be passed on to the authority, each with its longest value: a mail address, a host name, a few languages."""

MOST_VISITS = 3  # returns from the authority within VISIT_SECONDS that still left nobody signed in: a loop (SEC-021)
MOST_ERRANDS = 9  # returns that somebody's own click led on, to reset a password or to cancel that
VISIT_SECONDS = 60
MOST_COUNTED = 9  # one digit
MOST_TRANSACTIONS = 10  # ten tabs at once
MOST_TRANSACTION_BYTES = 8 * 1024  # of the 16 KiB of SEC-022: servers commonly stop at 8 KiB per header line
MOST_DROPPED = 20  # in one answer, which servers want short as well; the next attempt drops more
SEE_OTHER = 303
PREFETCH = b"prefetch"  # also `prefetch;prerender`


async def login(request: Request) -> Response:
    """Send the browser to the authority, or stop a loop with a button."""
    context = context_of(request.scope)
    house = context.house
    if request.method != "GET":
        raise MethodRefused("HEAD begins nothing", allowed=("GET",))  # SEC-088
    refuse_prefetch(context)
    going_to = context.return_to = wanted_return_to(request, context)
    if loop := stopped(request, context):
        return loop
    house.hosts.note_port(context.headers.get(b"host", b""))
    started = await house.sign_in.start(
        return_to=going_to,
        hints=_hints(request),
        replaces=context.session_id,
        remember=wants_to_be_remembered(request),
        device=house.cookies.device_in(context.cookie_header),
        flow=request.query_params.get("flow"),
        wish=_wish(request, context),
    )
    return lead_to_authority(context, started)


def lead_to_authority(context: Context, started: Started) -> Response:
    """Send the browser on with the attempt in its keeping."""
    _drop_oldest(context, len(started.sealed))
    context.set_cookies.append(context.house.cookies.open_transaction(started.handle, started.sealed))
    return RedirectResponse(started.url, 302, headers={"cache-control": "no-store", "referrer-policy": "no-referrer"})


def stopped(request: Request, context: Context) -> Response | None:
    """Return the page that stops a loop, when the browser has come back too often and nobody pressed its button."""
    came, errands = visits(context)
    if (came < MOST_VISITS and errands < MOST_ERRANDS) or "again" in request.query_params:
        return None
    context.set_cookies.append(context.house.cookies.count_visits("00", seconds=0))
    return context.house.pages.sign_in(sign_in=context.sign_in_url, interrupted="loop")


def refuse_prefetch(context: Context) -> None:
    """Refuse a page that a browser loads before anybody has asked for it: an attempt is begun, and spent, by people.

    The browser drops the answer and asks again when somebody clicks (REL-061).
    """
    if context.headers.get(b"sec-purpose", b"").startswith(PREFETCH):
        raise Prefetched("by a browser", retry_after=0)


def wanted_return_to(request: Request, context: Context) -> str:
    """Return the page to come back to: the one asked for when it is one of ours, else home (SEC-115, SEC-118)."""
    asked = request.query_params.getlist("return_to")
    if not asked:
        return context.house.settings.home
    accepted = return_to.accepted(asked[0]) if len(asked) == 1 else None
    if accepted is None or _takes_part(unquote(accepted.partition("?")[0]), context):
        context.house.guards.lines.write(log.warning, "return_to_refused", kind="return_to")
        return context.house.settings.home
    return accepted


def _takes_part(path: str, context: Context) -> bool:
    """Say whether a path of ours is no page to come back to: it takes part in signing in and out."""
    house = context.house
    return path in house.own_paths and path != house.path("sessions") and not is_page(path)


def wants_to_be_remembered(request: Request) -> bool:
    """Say whether the person chose to be remembered: `remember=1`, once, and nothing else."""
    return request.query_params.getlist("remember") == ["1"]


def visits(context: Context) -> tuple[int, int]:
    """Return how often this browser came back from the authority within the last minute: to stay, and on an errand."""
    text = cookies.single(context.cookie_header, context.house.cookies.visits) or ""
    if not re.fullmatch("[0-9]{2}", text):
        return 0, 0
    return int(text[0]), int(text[1])


def count_visit(context: Context, *, errand: bool) -> None:
    """Count one more return from the authority; `errand`: a click of the person's there led it on."""
    came, errands = visits(context)
    counted = (came, errands + 1) if errand else (came + 1, errands)
    text = "".join(str(min(each, MOST_COUNTED)) for each in counted)
    context.set_cookies.append(context.house.cookies.count_visits(text, seconds=VISIT_SECONDS))


def _wish(request: Request, context: Context) -> Wish:
    """Return what the application asks, by a link that it has made; one that is changed or too old begins nothing."""
    sealed = request.query_params.getlist("with")
    if not sealed:
        return Wish()
    wish = context.house.sign_in.wishes.open(sealed[0]) if len(sealed) == 1 else None
    if wish is None:
        raise TransactionRefused("a link to sign in that is not ours, or too old")
    return wish


def _hints(request: Request) -> dict[str, str]:
    """Return the allowed hints; one that is too long, repeated or unprintable is left out (SEC-006)."""
    hints = {}
    for name, longest in HINTS.items():
        values = request.query_params.getlist(name)
        if len(values) == 1 and 0 < len(values[0]) <= longest and values[0].isprintable():
            hints[name] = values[0]
    return hints


def _drop_oldest(context: Context, new_bytes: int) -> None:
    """Drop what is too old or not ours, then the oldest, until the new attempt has its place (SEC-022)."""
    house = context.house
    prefix = house.cookies.transaction_prefix
    found = [(name.removeprefix(prefix), value) for name, value in cookies.pairs(context.cookie_header)
             if name.startswith(prefix) and HANDLE.fullmatch(name.removeprefix(prefix))]  # fmt: skip
    opened = [(house.sign_in.open(handle, value), handle, value) for handle, value in found]
    kept = sorted(((attempt.created, handle, len(value)) for attempt, handle, value in opened if attempt), reverse=True)
    room, places = MOST_TRANSACTION_BYTES - new_bytes, MOST_TRANSACTIONS - 1
    staying: set[str] = set()
    for _, handle, size in kept:
        room, places = room - size, places - 1
        if room < 0 or places < 0:
            break
        staying.add(handle)
    gone = sorted({handle for handle, _ in found} - staying)[:MOST_DROPPED]
    context.set_cookies.extend(house.cookies.drop_transaction(handle) for handle in gone)
