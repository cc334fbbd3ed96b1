"""A person's tokens from a provider that nobody here wrote, django-oauth-toolkit: kept, renewed, refused."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, api_client
from tests.browser import Browser
from tests.front_door import FrontDoor, routes, running
from tests.providers.django_provider import ISSUER, DjangoProvider

pytestmark = pytest.mark.peer

BASE = "https://app.test"
UserInfo = Annotated[ApiClient, api_client(ISSUER, "read")]


def with_userinfo(app: FastAPI) -> None:
    """The usual small application, and a page that calls an API of the provider."""
    routes(app)

    @app.get("/userinfo")
    async def userinfo(client: UserInfo) -> dict[str, Any]:
        answer = await client.get("/userinfo/")
        return {"status": answer.status_code, "says": answer.json(), "source": client.token_source}


@pytest.fixture
async def other_door(entra: Entra, django_provider: DjangoProvider, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The application of the other journeys, whose people come from django-oauth-toolkit."""
    client = django_provider.confidential
    values = {
        "base_url": BASE, "tenant_id": None, "issuer": ISSUER, "client_id": client.client_id,
        "client_secret": client.secret, "scopes": ("read",),
    }  # fmt: skip
    hosts = {django_provider.host: django_provider.app}
    async with running(entra, tmp_path, build=with_userinfo, hosts=hosts, **values) as door:
        yield door


async def arrived(door: FrontDoor, provider: DjangoProvider) -> Browser:
    browser = door.browser()
    await browser.open(f"{BASE}/private?tab=2")
    await provider.admit(browser)
    return browser


async def test_an_api_of_the_provider_is_called_with_the_persons_token(
    other_door: FrontDoor, django_provider: DjangoProvider
) -> None:
    """TOK-2, TOK-5: from the session first; shortly before its end a renewed one, which the provider accepts."""
    browser = await arrived(other_door, django_provider)
    first = (await browser.fetch(f"{BASE}/userinfo")).json()
    assert (first["status"], first["source"], first["says"]["name"]) == (200, "cache", "Ada Lovelace")
    other_door.entra.state.clock.move(timedelta(minutes=57))
    assert (await browser.fetch(f"{BASE}/userinfo")).json() == first | {"source": "identity_provider"}
    assert (await browser.fetch(f"{BASE}/userinfo")).json() == first


async def test_what_is_revoked_there_ends_here(other_door: FrontDoor, django_provider: DjangoProvider) -> None:
    """SEC-110, TOK-2: a renewal that is refused ends the session, and the person may sign in again at once."""
    browser = await arrived(other_door, django_provider)
    await django_provider.revoke_refresh_tokens()
    other_door.entra.state.clock.move(timedelta(minutes=57))
    assert (await browser.fetch(f"{BASE}/userinfo")).status_code == 401
    assert [event.name for event in other_door.events] == ["sign_in", "renewal_failed", "session_ended"]
    await browser.open(f"{BASE}/private")
    await django_provider.admit(browser)
    assert "Hello Ada Lovelace" in browser.page.text
