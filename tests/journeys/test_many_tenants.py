"""One application for the people of several organisations, each in their own tenant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTHORITY, FrontDoor, running
from tests.journeys.test_people_change import house_of

SITE = "http://localhost"
MIA, MALLORY, CLEO, GUEST = "mia@birch.example", "mallory@nettle.example", "cleo@cedar.example", "gil@cedar.example"
EVERYONE = {
    "base_url": SITE,
    "client_id": seeds.MULTI_TENANT_APP,
    "client_secret": "emulator-secret-birch-everyone",
    "tenant_id": "organizations",
}


@asynccontextmanager
async def portal(entra: Entra, tmp_path: Path, **values: Any) -> AsyncIterator[FrontDoor]:
    """The application that is registered for several tenants."""
    async with running(entra, tmp_path, **(EVERYONE | values)) as door:
        yield door


async def arrive(door: FrontDoor, upn: str) -> Browser:
    """Sign in as somebody whom the authority's page does not list yet; return their browser where it ends."""
    browser = door.browser()
    page = await browser.open(f"{SITE}/private")
    if page.has_button(upn):
        await browser.press(upn)
    else:
        await browser.press("Next", username=upn)
    while browser.page.url.startswith(AUTHORITY):
        button = next(each for each in ("No", "Accept", "Continue", "Sign in") if browser.page.has_button(each))
        await browser.press(button, **({"password": seeds.PASSWORD} if button == "Sign in" else {}))
    return browser


async def me(browser: Browser) -> dict[str, Any]:
    values: dict[str, Any] = (await browser.fetch(f"{SITE}/api/auth/me")).json()
    return values


async def test_people_of_two_organisations_are_users_of_their_own(entra: Entra, tmp_path: Path) -> None:
    """LOG-9, SEC-121: each under the issuer of their tenant; the same name and mail address make nobody the same."""
    async with portal(entra, tmp_path, tenants=(seeds.BIRCH.id, seeds.NETTLE.id)) as door:
        mia, hers = await arrive(door, MIA), {}
        hers = await me(mia)
        theirs = await me(await arrive(door, MALLORY))
        assert (hers["tenant_id"], theirs["tenant_id"]) == (seeds.BIRCH.id, seeds.NETTLE.id)
        assert hers["name"] == theirs["name"] == "Mia Member"
        assert (await me(mia)) == hers
        keys = {event.user_key for event in door.events if event.name == "sign_in"}
        assert len(keys) == 2


async def test_an_organisation_that_is_not_listed_stays_out(entra: Entra, tmp_path: Path) -> None:
    """SEC-122: the token is good, the tenant is not on the list: a page says so, and nobody is signed in."""
    async with portal(entra, tmp_path, tenants=(seeds.BIRCH.id,)) as door:
        browser = await arrive(door, CLEO)
        assert browser.page.status == 403
        assert "Your organisation cannot sign in here" in browser.page.text
        assert (await browser.fetch(f"{SITE}/api/auth/me")).status_code == 401
        assert [(event.name, event.reason) for event in door.events] == [("sign_in_failed", "tenant_not_allowed")]


async def test_every_organisation_by_explicit_choice(entra: Entra, tmp_path: Path) -> None:
    """SEC-122, BEY-2: nobody is asked for a list when any_tenant says that there is none."""
    async with portal(entra, tmp_path, any_tenant=True) as door:
        assert (await me(await arrive(door, CLEO)))["tenant_id"] == seeds.CEDAR.id


async def test_tokens_are_renewed_for_each_tenant(entra: Entra, tmp_path: Path) -> None:
    """TOK-2, SEC-109: a renewed ID token keeps the tenant that the session began with."""
    async with portal(entra, tmp_path, any_tenant=True) as door:
        browser = await arrive(door, CLEO)
        for _ in range(3):  # used now and then, so that the session outlives its access token
            entra.state.clock.move(timedelta(minutes=40))
            await me(browser)
        answer = await browser.fetch(f"{SITE}/graph")
        assert answer.json() == {"name": "Cleo Cedar", "source": "identity_provider"}


async def test_signed_out_at_the_authority(entra: Entra, tmp_path: Path) -> None:
    """SEC-100, OUT-3: Entra names a `sid` and no `iss`: the session ends; with another tenant's `iss` it does not."""
    async with portal(entra, tmp_path, any_tenant=True) as door:
        cleo, mia = await arrive(door, CLEO), await arrive(door, MIA)
        house = house_of(door.app)
        people = {person.username: person.user for person in (await house.administration.people.page()).people}
        (session,) = await house.sessions.by_user(people[CLEO])
        birch, cedar = (f"{AUTHORITY}/{tenant.id}/v2.0" for tenant in (seeds.BIRCH, seeds.CEDAR))
        sid = session.user.sid or ""
        for query, status, left in (
            ({"sid": sid, "iss": "https://evil.example"}, 400, [200, 200]),
            ({"sid": sid, "iss": birch}, 200, [200, 200]),
            ({"sid": "another"}, 200, [200, 200]),
            ({"sid": sid}, 200, [401, 200]),
        ):
            address = f"{SITE}/api/auth/frontchannel-logout?{urlencode(query)}"
            assert (await door.raw("GET", address)).status_code == status
            assert [(await each.fetch(f"{SITE}/api/auth/me")).status_code for each in (cleo, mia)] == left
        (other,) = await house.sessions.by_user(people[MIA])
        assert other.user.issuer == birch != cedar
        assert (await house.sessions.by_sid(birch, other.user.sid or ""))[0].key == other.key


@pytest.mark.parametrize(
    ("issuer", "status"),
    [
        (f"{AUTHORITY}/{seeds.CEDAR.id}/v2.0", 303),
        (f"{AUTHORITY}/{seeds.NETTLE.id}/v2.0", 403),
        (f"{AUTHORITY}/{{tenantid}}/v2.0", 403),
        ("https://evil.example/v2.0", 403),
        ("", 403),
    ],
)
async def test_who_the_answer_is_from(entra: Entra, tmp_path: Path, issuer: str, status: int) -> None:
    """SEC-017, SEC-009: an `iss` beside the code is the tenant's own, and the ID token's; any other is refused."""
    async with (
        portal(entra, tmp_path, any_tenant=True) as door,
        httpx2.AsyncClient(transport=door.internet, base_url=SITE) as client,
    ):
        begun = await client.get("/api/auth/login", headers={"accept": "text/html"})
        (attempt,) = begun.headers.get_list("set-cookie")
        address = urlsplit(begun.headers["location"])
        asked = dict(parse_qsl(address.query)) | {"path_tenant": address.path.split("/")[1]}
        names = ("client_id", "path_tenant", "redirect_uri", "nonce", "code_challenge", "code_challenge_method")
        code = entra.code(entra.user(CLEO), **{name: asked[name] for name in names})
        answer = {"code": code, "state": asked["state"], "iss": issuer}
        headers = {"cookie": attempt.partition(";")[0], "accept": "application/json"}
        back = await client.get("/api/auth/callback", params=answer, headers=headers)
        assert back.status_code == status, back.text
        assert [event.name for event in door.events] == ["sign_in" if status == 303 else "sign_in_failed"]


async def test_guests_by_choice(entra: Entra, tmp_path: Path) -> None:
    """SEC-126: a guest is a user of the tenant they visit, and stays out where guests are not wanted."""
    own = {"client_id": seeds.WEB_APP, "client_secret": "emulator-secret-birch-portal", "tenant_id": seeds.BIRCH.id}
    async with portal(entra, tmp_path / "open", **own) as door:
        assert (await me(await arrive(door, GUEST)))["tenant_id"] == seeds.BIRCH.id
    async with portal(entra, tmp_path / "closed", **own, guests=False) as door:
        browser = await arrive(door, GUEST)
        assert "Your organisation cannot sign in here" in browser.page.text
        assert (await me(await arrive(door, MIA)))["name"] == "Mia Member"
