"""`/`: where to go from here, for whoever opens the emulator's address."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from entrada_emulator.directory.model import Application, Tenant
from entrada_emulator.directory.world import World
from entrada_emulator.inspector.views import FLOWS, example
from entrada_emulator.instance import emulator_of
from entrada_emulator.pages import render
from entrada_emulator.signing_in.views import PHONE


async def start(request: Request) -> Response:
    """Names the pages that people may want, and which tenants and applications there are."""
    emulator = emulator_of(request)
    return render(
        "start.html", flows=FLOWS, phone=PHONE, example=example(emulator), tenants=_applications_of(emulator.world)
    )


def _applications_of(world: World) -> list[tuple[Tenant, list[Application]]]:
    return [(tenant, [one for one in world.applications if one.tenant_id == tenant.id]) for tenant in world.tenants]


routes = [Route("/", start)]
