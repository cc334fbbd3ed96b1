"""How `make demo EXAMPLE=bff_and_spa` runs this example: a page to build, and an API beside it."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from entrada_emulator.directory.seeds import API, BIRCH, SPA, WEB_APP

from examples.demo import Demo, Ports, organisation, port, served
from examples.front_end import build
from examples.supervisor import Program


def demo(environment: Mapping[str, str]) -> Demo:
    """Return it, with the half that signs in by itself where Node is there to build it."""
    pages, api = port(environment, "EMULATOR_HTTP_PORT", 8080), port(environment, "API_PORT", 8001)
    fault = build(Path(__file__).parent / "front", environment)
    settings = {
        "ENTRADA_SCOPES": f"api://{API}/Orders.Read",
        "API_URL": f"http://localhost:{api}",
        "SPA_CLIENT_ID": SPA,
        "SPA_ENDPOINTS": f"http://localhost:{pages}/{BIRCH.id}",  # no browser trusts the emulator's https by itself
    }
    note = f"{fault}: only the half with the backend works. Install Node 20.19 or newer and start again."
    return Demo(WEB_APP, settings=settings, programs=partial(programs, api), note=note if fault else "")


def programs(api: int, ports: Ports, data: Path) -> Sequence[Program]:
    """Return the resource API: it takes tokens of these two clients only, and from this page's scripts only."""
    settings = {
        **organisation(ports),
        "AZURE_CLIENT_ID": API,
        "ENTRADA_API_CLIENTS": f"{WEB_APP} {SPA}",
        "ENTRADA_CORS_ORIGINS": f"http://localhost:{ports.application}",
        "ENTRADA_DATA_DIR": str(data / "api"),
    }
    name, app = "The resource API", "examples.bff_and_spa.api:app"
    return [served(name, app=app, port=api, data=data, settings=settings)]
