"""`/devicelogin`: the person types the code that a device shows, then signs in for it."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.clients.checks import application_at, tenant_path
from entrada_emulator.directory.model import RedirectUri
from entrada_emulator.endpoints.devicecode import PAGE
from entrada_emulator.endpoints.parameters import form_of
from entrada_emulator.inspector.notes import failed, linked, noted, passed
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.device_codes import DeviceRequest
from entrada_emulator.issuing.scopes import parse_scopes
from entrada_emulator.pages import Problem, render
from entrada_emulator.signing_in.authorization_request import AuthorizationRequest, Client
from entrada_emulator.signing_in.progress import start
from entrada_emulator.signing_in.visit import Visit

UNKNOWN = "That code is not right, or it is too old. Check it, or let the device show a new one."


async def page(_: Request) -> Response:
    """Asks for the code."""
    return _ask(None)


async def form(request: Request) -> Response:
    """Begins a sign-in for the device that shows this code."""
    visit = Visit(request)
    typed = (await form_of(request)).get("code", "")[:64]
    waiting = visit.emulator.state.device_codes.find(typed)
    noted(page="device_code")
    if waiting is None:
        failed("device_code", UNKNOWN)
        return visit.answer(_ask(Problem(UNKNOWN, "code", 70018)))
    passed("device_code")
    linked("user_code", waiting.user_code)
    asked = _request(visit.emulator, waiting)
    attempt = visit.emulator.state.attempts.begin(asked, browser=visit.browser)
    return visit.answer(start(visit, attempt, posted=True))


def _request(emulator: Emulator, waiting: DeviceRequest) -> AuthorizationRequest:
    path = tenant_path(emulator.world, waiting.path_name)
    application = application_at(emulator.world, waiting.client_id, path)
    return AuthorizationRequest(
        client=Client(path=path, application=application, redirect_uri="", registered=RedirectUri("", "public")),
        purpose="device_code",
        scope=tuple(waiting.scope.split()),
        scopes=parse_scopes(emulator.world, waiting.scope),
        user_code=waiting.user_code,
    )


def _ask(problem: Problem | None) -> Response:
    return render("device_code.html", problem=problem, action=PAGE)


routes = [Route(PAGE, page, methods=["GET"]), Route(PAGE, form, methods=["POST"])]
