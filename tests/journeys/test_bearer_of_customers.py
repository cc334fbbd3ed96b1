"""Access tokens of Azure AD B2C and External ID: each by its own issuer, and of B2C by its user flow (API-1, B2C-2)."""

from pathlib import Path
from typing import Any

from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.asking import claims_of
from emulator.tests.customers import opened, redeemed, signed_in
from tests.front_door import FrontDoor
from tests.journeys.test_bearer import get, orders

B2C: dict[str, Any] = {
    "tenant_id": None,
    "b2c_tenant": shop.SHOP_DOMAIN,
    "b2c_policy": "B2C_1_susi",
    "client_id": shop.SHOP_API,
    "client_secret": None,
}
HOSTS = "birchshop.b2clogin.com"


async def refused(door: FrontDoor, token: str) -> str:
    """Return what the answer to a bad token says."""
    answer = await get(door, "/bearer", token)
    assert answer.status_code == 401
    return answer.headers["www-authenticate"]


async def test_b2c_2_a_customers_token(entra: Entra, tmp_path: Path) -> None:
    """API-1, B2C-2: a customer's token for the basket API names the customer, the client and its scopes."""
    async with orders(entra, tmp_path, hosts={HOSTS: entra.app}, **B2C) as door:
        token = redeemed(entra, await signed_in(entra)).json()["access_token"]
        assert claims_of(token)["nonce"] == "n-1"  # B2C repeats it in access tokens
        said = (await get(door, "/bearer", token)).json()
        assert (said["client"], said["scopes"]) == (shop.SHOP_APP, ["basket.read"])
        assert said["key"].endswith("c0000000-0000-4000-8000-000000000101")
        assert (await get(door, "/app", token)).status_code == 403


async def test_sec_127_another_user_flow(entra: Entra, tmp_path: Path) -> None:
    """SEC-127: a token that came through another user flow of the same tenant is refused."""
    async with orders(entra, tmp_path, hosts={HOSTS: entra.app}, **B2C) as door:
        person = await (await opened(entra, "B2C_1_signin")).press("Carla Customer")
        token = redeemed(entra, person, "B2C_1_signin").json()["access_token"]
        assert "policy_is_expected" in await refused(door, token)


async def test_sec_052_a_customers_id_token(entra: Entra, tmp_path: Path) -> None:
    """SEC-052: B2C's ID tokens, whose sub is their oid, are no access tokens: neither the API's nor the shop's own."""
    async with orders(entra, tmp_path, hosts={HOSTS: entra.app}, **(B2C | {"client_id": shop.SHOP_APP})) as door:
        answer = redeemed(entra, await signed_in(entra)).json()
        assert "client_is_admitted" in await refused(door, answer["id_token"])
        assert "audience_is_this_api" in await refused(door, answer["access_token"])
