"""The part of Microsoft Graph that a sign-in needs: people, their groups and photo, userinfo."""

from starlette.routing import Route

from entrada_emulator.endpoints.graph import groups, people
from entrada_emulator.wire.responses import preflight

routes = [
    *people.routes,
    *groups.routes,
    Route("/v1.0/{rest:path}", preflight, methods=["OPTIONS"]),
    Route("/oidc/userinfo", preflight, methods=["OPTIONS"]),
]
