"""The part of Microsoft Graph that a sign-in needs: people, their groups and photo, userinfo."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.endpoints.graph import groups, people
from entrada_emulator.endpoints.graph.errors import GraphError, refusal
from entrada_emulator.instance import emulator_of
from entrada_emulator.wire.responses import preflight

VERSIONS = ("/v1.0/{rest:path}", "/beta/{rest:path}")
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


async def absent(request: Request) -> Response:
    """What the emulator lacks, in Graph's shape: its clients can read nothing else."""
    segment = request.path_params["rest"].rpartition("/")[2][:64]
    text = f"Resource not found for the segment '{segment}'. The emulator has no {request.method} at this address."
    answer = refusal(GraphError(400, "BadRequest", text), request, emulator_of(request))
    answer.headers["Access-Control-Allow-Origin"] = "*"
    return answer


routes = [
    *people.routes,
    *groups.routes,
    *(Route(path, preflight, methods=["OPTIONS"]) for path in (*VERSIONS, "/oidc/userinfo")),
    *(Route(path, absent, methods=METHODS) for path in VERSIONS),
]
