"""Customers of an Azure AD B2C tenant, through its user flows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urljoin

import httpx2
import pytest
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.directory.seeds import PASSWORD
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, SignInLink, api_client
from tests.browser import Browser
from tests.front_door import FrontDoor, routes, running

SITE = "http://localhost"
HOST = "birchshop.b2clogin.com"
BASKET = f"{shop.SHOP_API_URI}/basket.read"
Basket = Annotated[ApiClient, api_client("https://basket.birchshop.example", BASKET)]
SETTINGS: dict[str, Any] = {
    "base_url": SITE,
    "tenant_id": None,
    "b2c_tenant": shop.SHOP_DOMAIN,
    "b2c_policy": "B2C_1_susi",
    "client_id": shop.SHOP_APP,
    "client_secret": "emulator-secret-birch-shop",
    "scopes": (BASKET,),
    "b2c_reset_policy": "B2C_1_reset",
    "b2c_edit_policy": "B2C_1_edit",
}
NEW = "a-password-made-today"


@asynccontextmanager
async def portal(entra: Entra, tmp_path: Path, **values: Any) -> AsyncIterator[FrontDoor]:
    """The small application as the shop."""

    def build(app: FastAPI) -> None:
        routes(app)

        @app.get("/lately")
        async def lately(sign_in_link: SignInLink) -> str:
            return sign_in_link(max_age=timedelta(minutes=5), return_to="/private")

        @app.get("/basket")
        async def basket(client: Basket) -> dict[str, str]:
            return {"source": client.token_source}

    values = SETTINGS | values
    async with running(entra, tmp_path, build=build, hosts={HOST: entra.app}, **values) as door:
        yield door


async def customer(door: FrontDoor) -> Browser:
    """Carla, signed in, where she wanted to go."""
    browser = door.browser()
    await browser.open(f"{SITE}/private")
    await browser.press("Carla Customer")
    return browser


async def name_of(browser: Browser) -> str | None:
    """Who the application says is signed in."""
    answer = await browser.fetch(f"{SITE}/api/auth/me")
    return str(answer.json()["name"]) if answer.status_code == 200 else None


async def prove_address(browser: Browser) -> None:
    """Type the address, and the code out of the emulated mailbox."""
    await browser.press("Send verification code", email="carla@customer.example")
    await browser.press("Verify code", code=browser.page.text.rpartition("Code: ")[2][:6])


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


async def test_a_sign_in_of_lately_is_asked_for(entra: Entra, tmp_path: Path) -> None:
    """By `max_age`: the user flow asks again when its session is older, and its `auth_time` says when it was."""
    async with portal(entra, tmp_path) as door:
        browser = await customer(door)
        link = urljoin(SITE, (await browser.fetch(f"{SITE}/lately")).json())
        await browser.open(link)
        assert browser.page.url == f"{SITE}/private"
        entra.state.clock.move(timedelta(minutes=6))
        await browser.open(link)
        assert HOST in browser.page.url
        await browser.press("Carla Customer")
        assert browser.page.url == f"{SITE}/private", browser.page.text


async def test_a_forgotten_password_is_reset_and_the_customer_arrives(entra: Entra, tmp_path: Path) -> None:
    """B2C-1: AADB2C90118 leads to the reset flow, that back to signing in, and that to the page they wanted."""
    async with portal(entra, tmp_path) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        await browser.press("Forgot your password?")
        assert "/b2c_1_reset/" in browser.page.url.lower()
        await prove_address(browser)
        await browser.press("Continue", password=NEW, repeated=NEW)
        assert browser.page.url == f"{SITE}/private", browser.page.text
        assert await name_of(browser) == "Carla Customer"
        again = door.browser()
        await again.open(f"{SITE}/private")
        await again.press("Sign in", email="carla@customer.example", password=NEW)
        assert again.page.url == f"{SITE}/private"


async def test_a_reset_that_is_cancelled_leads_back_to_signing_in(entra: Entra, tmp_path: Path) -> None:
    """B2C-1: AADB2C90091 in the reset flow is no failure."""
    async with portal(entra, tmp_path) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        await browser.press("Forgot your password?")
        await browser.press("Cancel")
        assert "/b2c_1_susi/" in browser.page.url.lower()
        await browser.press("Sign in", email="carla@customer.example", password=PASSWORD)
        assert browser.page.url == f"{SITE}/private"


async def test_a_reset_that_is_cancelled_is_no_loop(entra: Entra, tmp_path: Path) -> None:
    """SEC-021: forgotten, cancelled, forgotten again within a minute: each was a click, and the reset page comes."""
    async with portal(entra, tmp_path) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        for _ in range(3):
            await browser.press("Forgot your password?")
            assert "/b2c_1_reset/" in browser.page.url.lower(), browser.page.text
            await browser.press("Cancel")
            assert "/b2c_1_susi/" in browser.page.url.lower(), browser.page.text
        await browser.press("Sign in", email="carla@customer.example", password=PASSWORD)
        assert browser.page.url == f"{SITE}/private"


async def test_an_authority_that_leads_in_circles_is_stopped(entra: Entra, tmp_path: Path) -> None:
    """SEC-021: clicks have an end too: whatever sends the browser round, a page with a button stops it."""
    async with portal(entra, tmp_path) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        rounds = 0
        while not browser.page.url.startswith(f"{SITE}/api/auth/login"):
            await browser.press("Cancel" if rounds % 2 else "Forgot your password?")
            rounds += 1
            assert rounds <= 9, "nothing stops it"
        assert rounds == 9
        assert browser.page.has_button("Sign in") or "Sign in" in browser.page.text


async def test_without_a_reset_flow_the_page_says_so(entra: Entra, tmp_path: Path) -> None:
    """LOG-6: nobody is led in circles."""
    async with portal(entra, tmp_path, b2c_reset_policy=None) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        await browser.press("Forgot your password?")
        assert "You said that you forgot your password" in browser.page.text
        assert await name_of(browser) is None


async def test_a_profile_is_edited_and_the_session_knows_it(entra: Entra, tmp_path: Path) -> None:
    """B2C-1: /login?flow=profile-edit, the new name without a question, the old session's cookie worthless."""
    async with portal(entra, tmp_path) as door:
        browser = await customer(door)
        old = dict(browser.jar.of("localhost"))
        await browser.open(f"{SITE}/api/auth/login?flow=profile-edit&return_to=/private")
        await browser.press("Continue", display_name="Carla C.", surname="C.")
        assert browser.page.url == f"{SITE}/private", browser.page.text
        assert await name_of(browser) == "Carla C."
        header = "; ".join(f"{name}={value}" for name, value in old.items())
        assert (await door.raw("GET", f"{SITE}/api/auth/me", headers={"cookie": header})).status_code == 401


async def test_an_edit_that_is_cancelled_changes_nothing(entra: Entra, tmp_path: Path) -> None:
    """B2C-1: back to the page, in the same session."""
    async with portal(entra, tmp_path) as door:
        browser = await customer(door)
        old = browser.jar.of("localhost")
        await browser.open(f"{SITE}/api/auth/login?flow=profile-edit&return_to=/private")
        await browser.press("Cancel")
        assert browser.page.url == f"{SITE}/private"
        assert await name_of(browser) == "Carla Customer"
        assert browser.jar.of("localhost")["entrada"] == old["entrada"]


async def edited(door: FrontDoor, browser: Browser) -> str:
    """Edit the profile; return the address of the answer, which the browser has not opened yet."""
    await browser.open(f"{SITE}/api/auth/login?flow=profile-edit&return_to=/private")
    site = door.internet.hosts.pop("localhost")
    with pytest.raises(httpx2.ConnectError):
        await browser.press("Continue", display_name="Carla C.", surname="C.")
    door.internet.hosts["localhost"] = site
    return browser.visited[-1]


async def test_an_edit_that_comes_back_elsewhere(entra: Entra, tmp_path: Path) -> None:
    """B2C-1, SEC-003: in another browser its answer begins nothing; in its own it is good once."""
    async with portal(entra, tmp_path) as door:
        browser, stranger = await customer(door), door.browser()
        answer, asked = await edited(door, browser), len(door.internet.calls)
        assert (await stranger.open(answer)).status == 400
        assert "entrada" not in stranger.jar.of("localhost")
        assert not any("b2clogin" in url for _, url in door.internet.calls[asked:])
        await browser.open(answer)
        assert (browser.page.url, await name_of(browser)) == (f"{SITE}/private", "Carla C.")
        session = browser.jar.of("localhost")["entrada"]
        await browser.open(answer)
        assert browser.jar.of("localhost")["entrada"] == session


async def test_an_edit_that_comes_back_late(entra: Entra, tmp_path: Path) -> None:
    """B2C-1, SEC-013: whoever took a quarter of an hour for it stays signed in, and the next sign-in knows it."""
    async with portal(entra, tmp_path) as door:
        browser = await customer(door)
        session = browser.jar.of("localhost")["entrada"]
        answer = await edited(door, browser)
        entra.state.clock.move(timedelta(minutes=15))
        page = await browser.open(answer)
        assert (page.status, browser.jar.of("localhost")["entrada"]) == (200, session)
        await browser.open(f"{SITE}/api/auth/login?return_to=/private")
        assert await name_of(browser) == "Carla C."


async def test_a_reset_that_comes_back_elsewhere(entra: Entra, tmp_path: Path) -> None:
    """B2C-1, SEC-003: nor does the wish for another password, opened by somebody else, lead them anywhere."""
    async with portal(entra, tmp_path) as door:
        browser, stranger = door.browser(), door.browser()
        await browser.open(f"{SITE}/private")
        site = door.internet.hosts.pop("localhost")
        with pytest.raises(httpx2.ConnectError):
            await browser.press("Forgot your password?")
        door.internet.hosts["localhost"] = site
        assert (await stranger.open(browser.visited[-1])).status == 400
        assert not any("reset" in url.lower() for url in stranger.visited)


async def test_signing_up_and_cancelling(entra: Entra, tmp_path: Path) -> None:
    """B2C-1: a new customer is a new user; who cancels is nobody."""
    async with portal(entra, tmp_path) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        await browser.press("Cancel")
        assert "You cancelled the sign-in" in browser.page.text
        assert await name_of(browser) is None


async def test_a_flow_that_is_not_set_up_is_not_found(entra: Entra, tmp_path: Path) -> None:
    """SEC-006: the address of a flow is never taken from a request."""
    async with portal(entra, tmp_path, b2c_edit_policy=None) as door:
        browser = door.browser()
        for flow in ("profile-edit", "B2C_1_ropc", "../../other"):
            assert (await browser.open(f"{SITE}/api/auth/login?flow={flow}")).status == 404


async def test_tokens_are_renewed_at_the_flow_that_issued_them(entra: Entra, tmp_path: Path) -> None:
    """TOK-2: the basket's token is renewed by the sign-in flow, and the renewed ID token keeps its policy."""
    async with portal(entra, tmp_path, session_idle_minutes=600) as door:
        browser = await customer(door)
        entra.state.clock.move(timedelta(hours=2))
        answer = await browser.fetch(f"{SITE}/basket")
        assert answer.json() == {"source": "identity_provider"}


async def test_external_id_has_an_issuer_on_a_host_of_its_own(entra: Entra, tmp_path: Path) -> None:
    """LOG-9: the authority is NAME.ciamlogin.com, the issuer TENANT.ciamlogin.com."""
    values = {
        "base_url": SITE,
        "tenant_id": shop.FAMILY.id,
        "authority": "https://birchfamily.ciamlogin.com",
        "client_id": shop.FAMILY_APP,
        "client_secret": "emulator-secret-birch-family",
    }
    async with running(entra, tmp_path, hosts={"birchfamily.ciamlogin.com": entra.app}, **values) as door:
        browser = door.browser()
        await browser.open(f"{SITE}/private")
        await browser.press("felix@birchfamily.onmicrosoft.com")
        while browser.page.url.startswith("https://birchfamily.ciamlogin.com"):
            await browser.press(next(one for one in ("No", "Accept", "Continue") if browser.page.has_button(one)))
        assert await name_of(browser) == "Felix Family"
