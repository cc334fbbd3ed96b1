"""`/{tenant}/login`: the conversation's own pages and forms."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entrada_emulator.endpoints.parameters import form_of
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import failed, noted, passed
from entrada_emulator.pages import render
from entrada_emulator.signing_in.answers import answer
from entrada_emulator.signing_in.conversation import Attempt, next_step
from entrada_emulator.signing_in.progress import end, go_on
from entrada_emulator.signing_in.second_factor import Reply
from entrada_emulator.signing_in.situation import situation_of
from entrada_emulator.signing_in.visit import Visit

OVER = "This sign-in is over, or it began in another browser. Go back to the application and sign in again."
NO_COOKIES = "Your browser sent no cookie. Allow cookies for this site, go back to the application and sign in again."


async def page(request: Request) -> Response:
    """Shows where the attempt stands."""
    visit = Visit(request)
    attempt = _attempt(visit, request.query_params)
    return visit.answer(go_on(visit, attempt) if attempt else _lost(visit))


async def form(request: Request) -> Response:
    """Takes the answer to the page that the attempt stands at; an answer to any other page changes nothing."""
    visit = Visit(request)
    fields = await form_of(request)
    attempt = _attempt(visit, fields)
    if attempt is None:
        return visit.answer(_lost(visit))
    try:
        step = next_step(attempt, situation_of(visit, attempt))
        if fields.get("step") == step.value:
            attempt = answer(Reply(visit, attempt, fields), step=step)
    except EntraError as error:
        return visit.answer(end(visit, attempt, error))
    return visit.answer(go_on(visit, attempt, posted=True))


async def phone_status(request: Request) -> Response:
    """Whether the phone has answered, for the page that waits."""
    visit = Visit(request)
    attempt = _attempt(visit, request.query_params)
    push = visit.emulator.state.pushes.find(attempt.push_id) if attempt and attempt.push_id else None
    waiting = push is not None and push.answer == "waiting"
    return JSONResponse({"answered": not waiting}, headers={"cache-control": "no-store"})


def _attempt(visit: Visit, fields: Mapping[str, str]) -> Attempt | None:
    browser = visit.browser if visit.is_known else None
    attempt = visit.emulator.state.attempts.find(fields.get("attempt", ""), browser=browser)
    if attempt is None:
        failed("attempt", OVER if visit.is_known else NO_COOKIES)
    else:
        passed("attempt")
    return attempt


def _lost(visit: Visit) -> Response:
    noted(page="lost")
    return render("error.html", text=OVER if visit.is_known else NO_COOKIES, advice=None, facts=[])


routes = [
    Route("/{tenant}/login", page, methods=["GET"]),
    Route("/{tenant}/login", form, methods=["POST"]),
    Route("/{tenant}/login/phone", phone_status, methods=["GET"]),
]
