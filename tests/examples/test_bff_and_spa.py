"""Example B in process: whom the resource API serves, and what the backend says of the token it used."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest
from entrada_emulator.directory.seeds import API, BIRCH, SPA, WEB_APP
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from tests.access_tokens import bearer
from tests.examples.written import imported
from tests.front_door import BASE, FrontDoor, running

ORDERS = f"{BASE}/protected"
PAGE = "https://dashboard.birch.example"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    variables = {"AZURE_TENANT_ID": BIRCH.id, "AZURE_CLIENT_ID": API}
    return imported("bff_and_spa.api", variables, at=tmp_path, monkeypatch=monkeypatch)


@pytest.fixture
async def api(written: ModuleType, entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The API behind a front door that is set up as the demo does it."""

    def build(app: FastAPI) -> None:
        app.get("/protected")(written.protected)

    clients = (WEB_APP, SPA)
    async with running(
        entra, tmp_path, build=build, client_id=API, client_secret=None, api_clients=clients, cors_origins=(PAGE,)
    ) as door:
        yield door


async def test_the_api_serves_tokens_of_its_clients_with_the_scope(api: FrontDoor, entra: Entra) -> None:
    """API-10: both halves' clients are served; others, other scopes and sessions are not."""
    for client in (WEB_APP, SPA):
        token = entra.token("mia@birch.example", aud=API, azp=client, scp="Orders.Read")
        answer = await api.raw("GET", ORDERS, headers=bearer(token) | {"origin": PAGE})
        orders = {"orders": ["2 × oak desk", "1 × reading lamp"], "for": "Mia Member"}
        assert answer.json() == orders | {"with": ["Orders.Read"]}
        assert answer.headers["access-control-allow-origin"] == PAGE
        other = entra.token("mia@birch.example", aud=API, azp=client, scp="access_as_user")
        assert (await api.raw("GET", ORDERS, headers=bearer(other))).status_code == 403
    stranger = entra.token("mia@birch.example", aud=API, azp=API, scp="Orders.Read")
    assert (await api.raw("GET", ORDERS, headers=bearer(stranger))).status_code == 401
    assert (await api.raw("GET", ORDERS, headers={"accept": "application/json"})).status_code == 401


async def test_a_page_elsewhere_is_named_in_no_answer(api: FrontDoor, entra: Entra) -> None:
    """API-9, SEC-094: the token is good, and still no script of another origin may read what it gets."""
    token = entra.token("mia@birch.example", aud=API, azp=SPA, scp="Orders.Read")
    answer = await api.raw("GET", ORDERS, headers=bearer(token) | {"origin": "https://stranger.example"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers
