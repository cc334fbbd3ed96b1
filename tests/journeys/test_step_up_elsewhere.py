"""Step-up at a provider that is not Entra: asked by `acr_values`, believed by `acr` and `auth_time`, or not at all."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import CurrentUser, User, api_client, mfa, requires
from entrada.web.api_client import ApiClient
from tests.authority_app import CLIENT
from tests.browser import Browser
from tests.front_door import BASE, FrontDoor, running
from tests.standard_provider import HOST, ISSUER, StandardProvider


def pages(app: FastAPI) -> None:
    @app.get("/private")
    async def private(user: CurrentUser) -> str:
        return user.subject

    @app.get("/strong")
    async def strong(user: Annotated[User, requires(mfa(within=timedelta(minutes=5)))]) -> dict[str, str]:
        return {"open for": user.subject}

    @app.get("/ledger")
    async def ledger(client: Annotated[ApiClient, api_client("https://ledger.example", "entries")]) -> None:
        await client.get("/")


@pytest.fixture
def provider(entra: Entra) -> StandardProvider:
    return StandardProvider(entra.state.clock.now)


@pytest.fixture
async def door(entra: Entra, provider: StandardProvider, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    values: dict[str, Any] = {"tenant_id": None, "issuer": ISSUER, "client_id": CLIENT, "client_secret": "no-secret"}
    async with running(entra, tmp_path, build=pages, hosts={HOST: provider}, **values) as front_door:
        yield front_door


def proves(door: FrontDoor, provider: StandardProvider, **claims: Any) -> None:
    """Let the provider say this of the next sign-in."""
    provider.person = {"sub": "ada", "auth_time": int(door.entra.state.clock.now().timestamp()), **claims}


async def test_proven(door: FrontDoor, provider: StandardProvider) -> None:
    """API-8: sent with acr_values and max_age, back with acr and auth_time, in."""
    browser = Browser(door.internet)
    await browser.open(f"{BASE}/private")
    proves(door, provider, acr="phr")
    await browser.open(f"{BASE}/strong")
    assert json.loads(browser.page.text) == {"open for": "ada"}
    asked = provider.calls("/authorize")[-1]
    assert (asked["max_age"], "phr" in asked["acr_values"].split()) == ("300", True)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"amr": ["mfa"], "auth_time": None},
        {"acr": "0"},
        {"acr": "phr", "auth_time": None},
        {"acr": "phr", "auth_time": 1},
        {"acr": ["phr"]},
    ],
)
async def test_not_proven(door: FrontDoor, provider: StandardProvider, claims: dict[str, Any]) -> None:
    """SEC-047: a weak, old, missing or malformed proof lets nobody in; asked once, then said, then proven at last."""
    browser = Browser(door.internet)
    await browser.open(f"{BASE}/private")
    proves(door, provider, **claims)
    provider.person = {name: value for name, value in provider.person.items() if value is not None}
    before = len(provider.calls("/authorize"))
    await browser.open(f"{BASE}/strong")
    assert browser.page.status == 403
    assert "several factors in the last 5 minutes" in browser.page.text
    assert len(provider.calls("/authorize")) == before + 1
    proves(door, provider, acr="phr")
    await browser.follow("Sign in once more")
    assert browser.page.url == f"{BASE}/strong"
    assert browser.page.status == 200


async def test_no_on_behalf_of(door: FrontDoor, provider: StandardProvider) -> None:
    """TOK-6: where a provider has no on-behalf-of that is our failure, not the caller's: 500, and no token leaves."""
    headers = {"authorization": f"Bearer {provider.access_token()}", "accept": "application/json"}
    answer = await door.raw("GET", f"{BASE}/ledger", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "server_error")
    assert provider.calls("/token") == []
