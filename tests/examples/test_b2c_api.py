"""Example D in process: its two routes, by session and by token, and what its documentation says of them."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from emulator.tests.customers import opened, redeemed
from tests.browser import Browser
from tests.examples.written import imported
from tests.front_door import FrontDoor, running

SITE = "http://localhost"
HOST = "birchshop.b2clogin.com"
VARIABLES = {
    "B2C_TENANT_ID": shop.SHOP_DOMAIN,
    "B2C_SIGNIN_POLICY": "B2C_1_susi",
    "B2C_CLIENT_ID": shop.SHOP_APP,
    "B2C_SCOPE": shop.SHOP_API_SCOPE,
    "API_ADMINS": shop.SHOP_ADMIN,
}


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return imported("b2c_api.app", VARIABLES, at=tmp_path, monkeypatch=monkeypatch)


@pytest.fixture
async def example(written: ModuleType, entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The example's routes behind a front door, with the settings of document D."""

    def build(app: FastAPI) -> None:
        own = {"/", "/api/me", "/api/admin-only"}
        app.router.routes.extend(route for route in written.app.routes if getattr(route, "path", "") in own)

    values: dict[str, Any] = {
        "prefix": "/auth",
        "base_url": SITE,
        "tenant_id": None,
        "client_id": shop.SHOP_APP,
        "client_secret": "emulator-secret-birch-shop",
    }
    options = {
        "templates": [Path(written.__file__ or "").parent / "templates"],
        "provision": written.with_roles,
    }
    async with running(entra, tmp_path, build=build, options=options, hosts={HOST: entra.app}, **values) as door:
        yield door


async def customer(example: FrontDoor, name: str) -> Browser:
    browser = example.browser()
    await browser.open(f"{SITE}/auth/login")
    await browser.press(name)
    assert f"Hello, {name}" in browser.page.text
    return browser


async def by_token(example: FrontDoor, entra: Entra, name: str, path: str) -> Any:
    person = await (await opened(entra, scope=f"openid {shop.SHOP_API_SCOPE}")).press(name)
    token = redeemed(entra, person).json()["access_token"]
    return await example.raw("GET", SITE + path, headers={"authorization": f"Bearer {token}"})


async def test_by_session(example: FrontDoor) -> None:
    """RUN-3: /auth/login and /auth/callback sign in; /api/me says who it is, /api/admin-only is for administrators."""
    carla, anton = await customer(example, "Carla Customer"), await customer(example, "Anton Admin")
    me = (await carla.fetch(f"{SITE}/api/me")).json()
    assert (me["name"], me["email"], me["roles"], me["way"]) == (
        "Carla Customer",
        "carla@customer.example",
        [],
        "session",
    )
    assert (await carla.fetch(f"{SITE}/api/admin-only")).status_code == 403
    assert (await anton.fetch(f"{SITE}/api/admin-only")).json()["roles"] == ["Admin"]


async def test_by_token(example: FrontDoor, entra: Entra) -> None:
    """RUN-3, B2C-2: the same by an access token of the user flow; who is an administrator is decided here."""
    me = (await by_token(example, entra, "Carla Customer", "/api/me")).json()
    assert (me["name"], me["way"]) == ("Carla Customer", "bearer")
    assert (await by_token(example, entra, "Carla Customer", "/api/admin-only")).status_code == 403
    assert (await by_token(example, entra, "Anton Admin", "/api/admin-only")).json()["roles"] == ["Admin"]
    assert (await example.raw("GET", f"{SITE}/api/me")).status_code == 401


async def test_its_documentation(example: FrontDoor) -> None:
    """API-7, B2C-1: the user flow's own addresses, the scope of the settings, both ways in."""
    document = (await example.raw("GET", f"{SITE}/openapi.json")).json()
    flow = document["components"]["securitySchemes"]["AccessToken"]["flows"]["authorizationCode"]
    assert flow["tokenUrl"] == f"https://{HOST}/{shop.SHOP_DOMAIN}/b2c_1_susi/oauth2/v2.0/token"
    assert list(flow["scopes"]) == [shop.SHOP_API_SCOPE]
    assert document["paths"]["/api/me"]["get"]["security"] == [{"AccessToken": []}, {"Session": []}]
