"""Signing out of an application whose provider is a standard one: tokens taken back, no question asked."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.authority_app import CLIENT, answer
from tests.browser import Browser
from tests.front_door import BASE, SESSION, FrontDoor, running
from tests.standard_provider import HOST, ISSUER, StandardProvider

REVOKE = f"https://{HOST}/revoke"


@pytest.fixture
def provider(entra: Entra) -> StandardProvider:
    """The provider, by the clock of the test, with a revocation endpoint."""
    provider = StandardProvider(entra.state.clock.now)
    provider.metadata |= {
        "revocation_endpoint": REVOKE,
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }
    return provider


def application(
    entra: Entra, provider: StandardProvider, data_dir: Path, **more: Any
) -> AbstractAsyncContextManager[FrontDoor]:
    values = {"tenant_id": None, "issuer": ISSUER, "client_id": CLIENT, "client_secret": "not-a-real-secret"}
    return running(entra, data_dir, hosts={HOST: provider}, **(values | more))


@pytest.fixture
async def elsewhere(entra: Entra, provider: StandardProvider, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application, with that provider."""
    async with application(entra, provider, tmp_path) as door:
        yield door


async def signed_out(door: FrontDoor) -> tuple[Browser, str]:
    """Sign in and out; return the browser and the cookie that its session had."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    session = browser.jar.of("portal.birch.example")[SESSION]
    await browser.press("Sign out")
    for _ in range(50):
        await asyncio.sleep(0)
    return browser, session


async def test_the_refresh_token_is_revoked(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-1, SEC-097: the session ends here, and the provider is told which token is no longer wanted."""
    browser, session = await signed_out(elsewhere)
    (said,) = provider.calls("/revoke")
    assert said == {"token": "refresh-0", "token_type_hint": "refresh_token", "client_id": CLIENT,
                    "client_secret": "not-a-real-secret"}  # fmt: skip
    assert await elsewhere.reuse(session) == 401
    assert browser.page.url == f"{BASE}/signed-out"


async def test_the_provider_is_told_who_leaves(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-1: the ID token of the sign-in goes along as `id_token_hint`, so that the provider need not ask."""
    await signed_out(elsewhere)
    (said,) = provider.calls("/logout")
    assert said["id_token_hint"].count(".") == 2
    assert said["post_logout_redirect_uri"] == f"{BASE}/signed-out"
    assert "logout_hint" not in said


async def silent(*_: Any) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("endpoint", [answer(b"{}", status=503), answer(b"no", status=302), silent])
async def test_revocation_fails(elsewhere: FrontDoor, provider: StandardProvider, endpoint: Any) -> None:
    """SEC-097, REL-001: signing out neither waits for the revocation nor fails with it."""
    provider.answers["/revoke"] = endpoint
    browser, session = await signed_out(elsewhere)
    assert len(provider.calls("/revoke")) == 1
    assert browser.page.url == f"{BASE}/signed-out"
    assert await elsewhere.reuse(session) == 401


async def test_no_endpoint(entra: Entra, provider: StandardProvider, tmp_path: Path) -> None:
    """SEC-104: where the provider has no revocation endpoint, nothing is asked."""
    del provider.metadata["revocation_endpoint"]
    async with application(entra, provider, tmp_path) as door:
        await signed_out(door)
    assert provider.calls("/revoke") == []


async def test_switched_off(entra: Entra, provider: StandardProvider, tmp_path: Path) -> None:
    """OUT-1: the operator may leave the refresh token to the provider."""
    async with application(entra, provider, tmp_path, revoke_at_sign_out=False) as door:
        await signed_out(door)
    assert provider.calls("/revoke") == []
