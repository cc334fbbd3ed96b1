"""Customers of an Azure AD B2C tenant, through its user flows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from entrada_emulator import seeds_customers as shop
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import FrontDoor, running

SITE = "http://localhost"
HOST = "birchshop.b2clogin.com"
BASKET = f"{shop.SHOP_API_URI}/basket.read"
SETTINGS: dict[str, Any] = {
    "base_url": SITE,
    "tenant_id": None,
    "b2c_tenant": shop.SHOP_DOMAIN,
    "b2c_policy": "B2C_1_susi",
    "client_id": shop.SHOP_APP,
    "client_secret": "emulator-secret-birch-shop",
    "scopes": (BASKET,),
}


@asynccontextmanager
async def portal(entra: Entra, tmp_path: Path, **values: Any) -> AsyncIterator[FrontDoor]:
    """The small application as the shop."""
    async with running(entra, tmp_path, hosts={HOST: entra.app}, **(SETTINGS | values)) as door:
        yield door


async def customer(door: FrontDoor) -> Browser:
    """Carla, signed in, where she wanted to go."""
    browser = door.browser()
    await browser.open(f"{SITE}/private")
    await browser.press("Carla Customer")
    return browser


async def test_a_customer_signs_in_and_out(entra: Entra, tmp_path: Path) -> None:
    """B2C-1, B2C-2: through the user flow, known by issuer and subject, with the address out of `emails`."""
    async with portal(entra, tmp_path) as door:
        browser = await customer(door)
        assert browser.page.url == f"{SITE}/private", browser.page.text
        me = (await browser.fetch(f"{SITE}/api/auth/me")).json()
        assert me["name"] == "Carla Customer"
        assert me["email"] == "carla@customer.example"
        page = await browser.press("Sign out")
        assert page.url.startswith(f"{SITE}/signed-out")
        assert (await browser.fetch(f"{SITE}/api/auth/me")).status_code == 401
