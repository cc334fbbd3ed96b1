"""From a flow's requests to the arrows of its diagram: each request, its answer, and what follows from both unseen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from entrada_emulator.directory.world_checks import is_guid
from entrada_emulator.inspector.catalogue import answers
from entrada_emulator.inspector.catalogue import exchanges as told
from entrada_emulator.inspector.catalogue.exchanges import Told
from entrada_emulator.inspector.flows import Flow
from entrada_emulator.inspector.model import Actor, CookieRow, Step
from entrada_emulator.inspector.notes import CheckName, Delivered
from entrada_emulator.inspector.rows import (
    check_rows,
    cookie_rows,
    given_tokens,
    member_rows,
    missing_rows,
    parameter_rows,
    refusal_of,
    sent_tokens,
)
from entrada_emulator.inspector.values import Marks, clipped
from entrada_emulator.wire.recorder import Recorded

MOST_REQUESTS = 120  # of one flow on one page: a device may poll for long, an application may call Graph all day
WAITED = "/login/phone"
"""Where the page that waits for the phone asks; it changes nothing and is not drawn."""
OF_THE_ANSWER: tuple[CheckName, ...] = ("nonce",)
"""Checks that say something of what was given, not of what came."""
SEE_OTHER = 303
REFUSED = 400
LONGEST_WIRE = 90  # characters of an address beside an arrow


@dataclass(frozen=True, slots=True)
class Pen:
    """What drawing one flow needs."""

    marks: Marks
    began: float


def steps_of(flow: Flow, *, marks: Marks) -> tuple[Step, ...]:
    """The arrows, in the order in which things happened."""
    pen = Pen(marks, flow.first.arrival.seconds)
    drawn = (request for request in flow.requests[:MOST_REQUESTS] if not request.path.endswith(WAITED))
    steps: list[Step] = []
    for request in drawn:
        arrows = list(_arrows(pen, request))
        if len(steps) >= len(arrows) and _is_repeated(steps[-len(arrows) :], arrows):
            last = steps[-len(arrows) :]
            steps[-len(arrows) :] = [replace(step, times=step.times + 1) for step in last]
        else:
            steps += arrows
    return tuple(steps)


def _is_repeated(before: list[Step], arrows: list[Step]) -> bool:
    """Whether a device polled once more and was told once more to wait."""
    waits = any(row.name == "error" and row.shown.text == told.WAITS for step in arrows for row in step.rows)
    return waits and [step.title for step in before] == [step.title for step in arrows]


def _arrows(pen: Pen, request: Recorded) -> Iterator[Step]:
    """The arrows of one request; the first that Entra saw carries what came in and how it was judged."""
    draw = DRAWN.get(request.endpoint, _page)
    asks_seen = False
    for index, step in enumerate(draw(pen, request)):
        numbered = replace(step, id=f"s{request.arrival.number}-{index}")
        if not asks_seen and not step.implied:
            asks_seen = True
            numbered = _with_request(pen, request, numbered)
        yield numbered


def _with_request(pen: Pen, request: Recorded, step: Step) -> Step:
    rows = parameter_rows(request, marks=pen.marks)
    about = {check for row in rows for check in row.checks}
    further = (name for name in request.notes.checks if name not in OF_THE_ANSWER)
    checks = tuple(check for check in check_rows(request.notes, only=tuple(further)) if check not in about)
    came = [row for row in cookie_rows(request) if row.what == "sent"]
    return replace(
        step,
        rows=(*rows, *step.rows),
        checks=(*checks, *step.checks),
        cookies=(*came, *step.cookies),
        tokens=(*sent_tokens(request, marks=pen.marks), *step.tokens),
    )


def _authorize(pen: Pen, request: Recorded) -> Iterator[Step]:
    yield _asks(pen, request, "application", "browser", told.LEAVES, implied=True)
    about = told.ADMIN if request.endpoint == "adminconsent" else told.AUTHORIZE
    missing = missing_rows(request) if request.endpoint == "authorize" else ()
    yield replace(_asks(pen, request, "browser", "entra", about), missing=missing)
    yield from _shown_to_person(pen, request)


def _page(pen: Pen, request: Recorded) -> Iterator[Step]:
    """A page of the conversation: what the person answered, and what came of it.

    A redirect to the next page is not drawn: what it sets is told with the answer that it follows.
    """
    if request.method == "POST":
        action = told.ANSWERS.get(request.form.get("action", ""), "Answers the page")
        about = told.DEVICE_TYPED if request.notes.facts.get("page") == "device_code" else Told(action)
        problem = request.notes.facts.get("problem", "")
        asked = replace(_asks(pen, request, "browser", "entra", about), remarks=(problem,) if problem else ())
        yield replace(asked, cookies=_given_cookies(request)) if request.status == SEE_OTHER else asked
    if request.status != SEE_OTHER:
        yield from _shown_to_person(pen, request)


def _shown_to_person(pen: Pen, request: Recorded) -> Iterator[Step]:
    """What the browser got: an answer to carry on, an error, or a page."""
    facts = request.notes.facts
    if request.notes.delivered:
        yield from _handed_on(pen, request, request.notes.delivered[-1])
    elif "refusal" in facts:
        refusal = refusal_of(facts["refusal"], request.notes)
        yield replace(_answers(pen, request, "entra", "browser", told.ERROR_PAGE), refusal=refusal)
    elif "fault" in facts:
        yield _answers(pen, request, "entra", "browser", told.BROKEN)
    else:
        about = told.PAGES.get(facts.get("page", ""), told.OTHER)
        problem = facts.get("problem", "")
        yield replace(_answers(pen, request, "entra", "browser", about), remarks=(problem,) if problem else ())


def _handed_on(pen: Pen, request: Recorded, given: Delivered) -> Iterator[Step]:
    refused = given.fields.get("error_description") or given.fields.get("error")
    about = told.BACK_REFUSED if refused else told.BACK if "code" in given.fields else told.BACK_ADMIN
    step = _answers(pen, request, "entra", "browser", about)
    yield replace(
        step,
        wire=f"{request.status} {_short(given.target)} ({given.mode})",
        remarks=(told.MODES[given.mode],),
        rows=member_rows(given.fields, answers.CARRIED_BACK, marks=pen.marks),
        refusal=refusal_of(refused, request.notes) if refused else None,
    )
    yield replace(_answers(pen, request, "browser", "application", told.CARRIES, implied=True), wire="")


def _token(pen: Pen, request: Recorded) -> Iterator[Step]:
    grant = told.GRANTS.get(request.form.get("grant_type", ""), told.TOKEN_REQUEST)
    asks = _asks(pen, request, "application", "entra", grant)
    by_script = (told.BY_SCRIPT,) if "origin" in request.headers else ()
    yield replace(asks, remarks=by_script)
    yield _json_answer(pen, request, told.TOKENS)


def _devicecode(pen: Pen, request: Recorded) -> Iterator[Step]:
    yield _asks(pen, request, "application", "entra", told.DEVICE)
    yield _json_answer(pen, request, told.DEVICE_ANSWER)


def _json_answer(pen: Pen, request: Recorded, success: Told) -> Step:
    members = request.answered.body
    waits = members.get("error") == told.WAITS
    refused = "" if waits else str(members.get("error_description") or members.get("error") or "")
    spoilt = request.notes.facts.get("spoilt")
    return replace(
        _answers(pen, request, "entra", "application", told.PENDING if waits else _about(request, success)),
        rows=member_rows(members, answers.TOKENS, marks=pen.marks),
        checks=check_rows(request.notes, only=OF_THE_ANSWER),
        tokens=given_tokens(members, marks=pen.marks),
        refusal=refusal_of(refused, request.notes) if refused else None,
        remarks=(f"{told.SPOILT} {spoilt}.",) if spoilt else (),
    )


def _about(request: Recorded, success: Told) -> Told:
    if "fault" in request.notes.facts:
        return told.BROKEN
    return told.REFUSED if request.status >= REFUSED else success


def _logout(pen: Pen, request: Recorded) -> Iterator[Step]:
    if "session" in request.form:
        yield _asks(pen, request, "browser", "entra", told.LOGOUT_PICKED)
    else:
        yield _asks(pen, request, "application", "browser", told.LOGOUT_LEAVES, implied=True)
        yield _asks(pen, request, "browser", "entra", told.LOGOUT)
    if request.notes.frames:
        names = tuple(_frame(application, url) for application, url in request.notes.frames)
        yield replace(_answers(pen, request, "entra", "browser", told.TELLS), remarks=names)
        yield _answers(pen, request, "browser", "application", told.FRAMES, implied=True)
    elif request.answered.location:
        yield replace(_answers(pen, request, "entra", "browser", told.LOGOUT_BACK), wire=_location(request))
    else:
        yield from _shown_to_person(pen, request)


def _graph(pen: Pen, request: Recorded) -> Iterator[Step]:
    yield _asks(pen, request, "application", "graph", told.GRAPH)
    about = told.GRAPH_REFUSES if request.status >= REFUSED else told.GRAPH_ANSWER
    yield _answers(pen, request, "graph", "application", about)


DRAWN: dict[str, Callable[[Pen, Recorded], Iterator[Step]]] = {
    "authorize": _authorize,
    "adminconsent": _authorize,
    "token": _token,
    "devicecode": _devicecode,
    "logout": _logout,
    "graph": _graph,
}


def _asks(pen: Pen, request: Recorded, source: Actor, target: Actor, about: Told, *, implied: bool = False) -> Step:
    return Step(
        id="",
        seconds=max(0.0, request.arrival.seconds - pen.began),
        source=source,
        target=target,
        title=about.title,
        text=about.text,
        wire="" if implied else _short(f"{request.method} {_without_tenant(request.path)}"),
        address="" if implied else clipped(f"{request.method} {request.path}"),
        implied=implied,
    )


def _answers(pen: Pen, request: Recorded, source: Actor, target: Actor, about: Told, *, implied: bool = False) -> Step:
    asked = _asks(pen, request, source, target, about, implied=True)
    more: dict[str, Any] = {} if implied else {"wire": str(request.status), "cookies": _given_cookies(request)}
    return replace(asked, seconds=max(0.0, request.answered.seconds - pen.began), implied=implied, **more)


def _given_cookies(request: Recorded) -> tuple[CookieRow, ...]:
    return tuple(row for row in cookie_rows(request) if row.what != "sent")


def _frame(application: str, url: str) -> str:
    address, _, query = url.partition("?")
    told_with = ", ".join(name for name, _ in parse_qsl(query))
    return f"{application}: {_short(address)} with {told_with}"


def _location(request: Recorded) -> str:
    return f"{request.status} {_short(request.answered.location.partition('?')[0])}"


def _without_tenant(path: str) -> str:
    """The path without a tenant's id, which is longer than what matters in it."""
    first, slash, rest = path.lstrip("/").partition("/")
    return f"…/{rest}" if slash and is_guid(first.lower()) else path


def _short(text: str) -> str:
    shown = clipped(text)
    return shown if len(shown) <= LONGEST_WIRE else f"{shown[:LONGEST_WIRE]}…"
