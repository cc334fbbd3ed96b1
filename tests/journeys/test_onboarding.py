"""An administrator brings their organisation in, the operator decides, and its people sign in, or do no more."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from getpass import getuser
from pathlib import Path
from typing import Any

import pytest
from anyio import fail_after, sleep, to_thread
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI
from typer.testing import CliRunner

from entrada import CurrentApp, CurrentUser
from entrada.audit.filters import Filter
from entrada.cli import commands
from entrada.flows.admin.suspension import LOOK_EVERY
from entrada.flows.signing_in.standing import SURE_FOR
from entrada.keyring import generate
from tests.access_tokens import app_token, bearer, user_token
from tests.browser import Browser
from tests.front_door import AUTHORITY, BASE, FrontDoor, running
from tests.journeys.test_many_tenants import CLEO, EVERYONE, SITE, arrive, me
from tests.journeys.test_people_change import house_of

CORA, MIA = "cora@cedar.example", "mia@birch.example"
ONBOARDING = f"{SITE}/api/auth/onboarding"


@asynccontextmanager
async def portal(entra: Entra, tmp_path: Path, onboarding: str = "approval", **values: Any) -> AsyncIterator[FrontDoor]:
    """The application, to which organisations come by on-boarding."""
    async with running(entra, tmp_path, **(EVERYONE | {"onboarding": onboarding, "store": "sqlite:"} | values)) as door:
        door.entrada.on("tenant_onboarded")(door.events.append)
        yield door


def callers(app: FastAPI) -> None:
    """Add a route for people and one for applications."""

    @app.get("/either")
    async def either(user: CurrentUser) -> str:
        return user.key

    @app.get("/app")
    async def by_app(caller: CurrentApp) -> str:
        return caller.key


async def agrees(door: FrontDoor, upn: str = CORA, *, answer: str = "Accept") -> Browser:
    """Go the whole way as this person; return their browser where it ends."""
    browser = door.browser()
    await browser.open(ONBOARDING)
    assert "Bring your organisation in" in browser.page.text
    await browser.follow("Agree at Microsoft")
    await browser.press("Next", username=upn)
    while browser.page.url.startswith(AUTHORITY):
        buttons = ("No", answer, "Continue", "Sign in", "Return to the application")
        button = next(each for each in buttons if browser.page.has_button(each))
        await browser.press(button, **({"password": seeds.PASSWORD} if button == "Sign in" else {}))
    return browser


async def tenants(door: FrontDoor, *arguments: str) -> str:
    """Run `entrada tenants …` beside the running application, in another thread, and return what it says."""
    settings = door.entrada.settings
    environment = {
        "AZURE_TENANT_ID": "organizations",
        "AZURE_CLIENT_ID": settings.client_id,
        "ENTRADA_ONBOARDING": settings.onboarding,
        "ENTRADA_ANY_TENANT": str(settings.any_tenant),
        "ENTRADA_TENANTS": " ".join(settings.tenants),
        "ENTRADA_DATA_DIR": str(settings.data_dir),
        "ENTRADA_STORE": settings.store,
    }
    run = partial(CliRunner().invoke, commands(), ["tenants", *arguments], env=environment)
    done = await to_thread.run_sync(run)
    assert done.exit_code == 0, done.exception
    return done.output


async def test_an_organisation_comes_in_when_the_operator_approves(entra: Entra, tmp_path: Path) -> None:
    """LOG-12, BEY-2: nobody of it before, its people afterwards, and nobody of an organisation that never asked."""
    async with portal(entra, tmp_path) as door:
        assert "cannot sign in here" in (await arrive(door, CLEO)).page.text
        cora = await agrees(door)
        assert (cora.page.status, "Your request has arrived" in cora.page.text) == (200, True)
        assert (await cora.fetch(f"{SITE}/api/auth/me")).status_code == 401
        assert "not approved yet" in (await arrive(door, CLEO)).page.text
        assert f"{seeds.CEDAR.id}  consented" in await tenants(door, "list")
        assert "is approved" in await tenants(door, "approve", seeds.CEDAR.id.upper())
        await cora.open(cora.page.url)
        assert "Your organisation is in" in cora.page.text
        assert (await me(await arrive(door, CLEO)))["tenant_id"] == seeds.CEDAR.id
        assert "cannot sign in here" in (await arrive(door, MIA)).page.text


async def test_an_administrators_consent_is_enough_by_choice(entra: Entra, tmp_path: Path) -> None:
    """LOG-12: `consent` lets the organisation in at once; its administrator is signed in, and listeners are told."""
    async with portal(entra, tmp_path, "consent") as door:
        cora = await agrees(door)
        assert "Your organisation is in" in cora.page.text
        assert (await me(cora))["tenant_id"] == seeds.CEDAR.id
        assert [(each.reason) for each in door.events if each.name == "tenant_onboarded"] == ["consented"]
        assert (await me(await arrive(door, CLEO)))["name"] == "Cleo Cedar"


async def test_suspending_ends_everything_of_a_tenant(entra: Entra, tmp_path: Path) -> None:
    """SEC-122, SEC-134: a session that is open ends with the command, and nobody of the tenant signs in again.
    The audit log has both decisions, and who ran the command (SEC-145)."""
    async with portal(entra, tmp_path, "consent") as door:
        cora = await agrees(door)
        cleo = await arrive(door, CLEO)
        assert "2 sessions were ended" in await tenants(door, "suspend", seeds.CEDAR.id)
        assert [(await each.fetch(f"{SITE}/api/auth/me")).status_code for each in (cora, cleo)] == [401, 401]
        assert "cannot sign in here" in (await arrive(door, CLEO)).page.text
        assert "is not let in" in (await agrees(door)).page.text
        await tenants(door, "approve", seeds.CEDAR.id)
        assert (await me(await arrive(door, CLEO)))["name"] == "Cleo Cedar"
        decided = Filter(stream="administration", actions=("tenant_suspended", "tenant_approved"))
        rows = (await house_of(door.app).audit.log.page(decided)).rows
        assert [row.details["changed"]["status"] for row in rows] == [
            ["suspended", "approved"],
            ["consented", "suspended"],
        ]
        assert {(row.resource, row.label) for row in rows} == {(f"tenant:{seeds.CEDAR.id}", f"{getuser()}, by command")}


@pytest.mark.parametrize("values", [{"onboarding": "off", "any_tenant": True}, {"tenants": (seeds.CEDAR.id,)}])
async def test_what_is_let_in_by_settings_can_be_suspended(
    entra: Entra, tmp_path: Path, values: dict[str, Any]
) -> None:
    """SEC-122: the operator's word goes before the settings' list."""
    async with portal(entra, tmp_path, **values) as door:
        assert (await me(await arrive(door, CLEO)))["name"] == "Cleo Cedar"
        await tenants(door, "suspend", seeds.CEDAR.id)
        assert "cannot sign in here" in (await arrive(door, CLEO)).page.text


@pytest.mark.parametrize(
    ("later", "out"),
    [
        ({"tenants": (seeds.BIRCH.id,)}, True),
        ({"tenants": (seeds.BIRCH.id, seeds.CEDAR.id)}, False),
        ({"any_tenant": True, "tenants": ()}, False),
    ],
    ids=["one less", "as before", "everybody"],
)
async def test_fewer_are_let_in_after_a_restart(entra: Entra, tmp_path: Path, later: dict[str, Any], out: bool) -> None:
    """SEC-122: whose tenant the settings list no more is out when they have changed; everybody else stays in."""
    values = {"onboarding": "off", "tenants": (seeds.BIRCH.id, seeds.CEDAR.id), "keys": generate()}
    async with portal(entra, tmp_path, **values) as door:
        cleo, mia = [(await arrive(door, upn)).jar.of("localhost")["entrada"] for upn in (CLEO, MIA)]
    async with portal(entra, tmp_path, **(values | later)) as door:
        with fail_after(10):
            while out and await me_as(door, cleo) != 401:
                await sleep(0.05)
        assert await me_as(door, cleo) == (401 if out else 200)
        assert await me_as(door, mia) == 200


async def me_as(door: FrontDoor, session: str) -> int:
    """Return how whoever has this session is answered."""
    headers = {"cookie": f"entrada={session}", "accept": "application/json"}
    return (await door.raw("GET", f"{SITE}/api/auth/me", headers=headers)).status_code


async def test_nobody_agreed(entra: Entra, tmp_path: Path) -> None:
    """LOG-12: who declines, and who may not agree, read so; nothing is noted."""
    async with portal(entra, tmp_path) as door:
        assert "Your organisation did not agree" in (await agrees(door, answer="Cancel")).page.text
        member = await agrees(door, CLEO)
        assert "An administrator has to agree" in member.page.text
        assert "AADSTS90094" in member.page.text
        await member.follow("Try again")
        assert "Bring your organisation in" in member.page.text
        assert "no tenant has been on-boarded yet" in await tenants(door, "list")


async def test_callers_by_token_are_refused_with_their_tenant(entra: Entra, tmp_path: Path) -> None:
    """SEC-122, SEC-134: people and applications by bearer token, before on-boarding and after a suspension."""
    api = {"client_id": seeds.API, "client_secret": "emulator-secret-birch-orders", "base_url": BASE}
    async with portal(entra, tmp_path, build=callers, **api) as door:
        headers = [bearer(user_token(entra)["access_token"]), bearer(app_token(entra))]

        async def statuses() -> list[int]:
            asked = zip(("/either", "/app"), headers, strict=True)
            return [(await door.raw("GET", BASE + path, headers=given)).status_code for path, given in asked]

        assert await statuses() == [401, 401]
        await tenants(door, "approve", seeds.BIRCH.id)
        assert await statuses() == [200, 200]
        await tenants(door, "suspend", seeds.BIRCH.id)
        entra.state.clock.move(SURE_FOR)
        assert await statuses() == [401, 401]


async def test_each_worker_looks_for_suspensions(entra: Entra, tmp_path: Path) -> None:
    """SEC-134: sessions that only the running application can reach end too, by its next look."""
    async with portal(entra, tmp_path, "consent", store="memory:") as door:
        cora = await agrees(door)
        assert "ends within seconds" in await tenants(door, "suspend", seeds.CEDAR.id)
        with fail_after(4 * LOOK_EVERY.total_seconds()):
            while (await cora.fetch(f"{SITE}/api/auth/me")).status_code != 401:
                await sleep(0.1)
