"""`/_emulator/flows`: the pages of the inspector, for people at this machine, and the word whether there is news."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from entrada_emulator.control.guard import is_loopback
from entrada_emulator.inspector.views import FLOWS, NEWS, overview, picture
from entrada_emulator.instance import Emulator, emulator_of
from entrada_emulator.pages import Policy, render, said

POLICY = Policy(scripts=True)
ELSEWHERE = "The flow inspector answers on the emulator's own machine only."
FOREIGN = "Another site asked for this; open it yourself."
GONE = "This flow is not on record any more: the newest requests take the place of the oldest."

Handler = Callable[[Request, Emulator], Response]


def for_people_here(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Makes a handler an endpoint that answers on loopback, to its own pages and to whoever comes by a link."""

    async def endpoint(request: Request) -> Response:
        emulator = emulator_of(request)
        if not is_loopback(request, emulator):
            return _refused(ELSEWHERE)
        if _is_foreign(request, emulator):
            return _refused(FOREIGN)
        return handler(request, emulator)

    return endpoint


def flows(_: Request, emulator: Emulator) -> Response:
    """The list."""
    return render("flows.html", policy=POLICY, **overview(emulator))


def flow(request: Request, emulator: Emulator) -> Response:
    """One flow; `?open=all` shows every step opened."""
    drawn = picture(emulator, request.path_params["number"])
    if drawn is None:
        return said("Not on record", GONE, status=404, onward=(FLOWS, "All flows"))
    return render("flow.html", policy=POLICY, open_all=request.query_params.get("open") == "all", **drawn)


def news(_: Request, emulator: Emulator) -> Response:
    """A number that grows with every change."""
    headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
    return JSONResponse({"changes": emulator.state.recorder.changes}, headers=headers)


def _is_foreign(request: Request, emulator: Emulator) -> bool:
    """Whether a page of another origin asks, rather than a person who follows a link."""
    origin = request.headers.get("origin")
    if origin is not None and origin not in {emulator.origins.pages, emulator.origins.login}:
        return True
    site, mode = request.headers.get("sec-fetch-site", "none"), request.headers.get("sec-fetch-mode", "navigate")
    return site not in {"none", "same-origin"} and mode != "navigate"


def _refused(text: str) -> Response:
    return said("Not shown here", text, status=403)


routes = [
    Route(FLOWS, for_people_here(flows)),
    Route(NEWS, for_people_here(news)),
    Route(f"{FLOWS}/{{number:int}}", for_people_here(flow)),
]
