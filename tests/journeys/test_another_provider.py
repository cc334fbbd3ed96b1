"""The same application with a provider that nobody here wrote: django-oauth-toolkit."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import SESSION, FrontDoor, running
from tests.providers.django_provider import DjangoProvider

BASE = "https://app.test"
pytestmark = pytest.mark.peer


@pytest.fixture
async def elsewhere(entra: Entra, tmp_path: Path, django_provider: DjangoProvider) -> AsyncIterator[FrontDoor]:
    """The small application, with that provider."""
    client = django_provider.confidential
    values = {
        "base_url": BASE, "tenant_id": None, "issuer": django_provider.issuer, "client_id": client.client_id,
        "client_secret": client.secret, "scopes": ("read",),
    }  # fmt: skip
    hosts = {django_provider.host: django_provider.app}
    options = {"clock": lambda: datetime.now(UTC)}
    async with running(entra, tmp_path, hosts=hosts, options=options, **values) as door:
        yield door


async def signed_in(door: FrontDoor, provider: DjangoProvider) -> Browser:
    browser = door.browser()
    await browser.open(f"{BASE}/private?tab=1")
    await browser.press("Log in", username=provider.username, password=provider.password)
    if browser.page.has_button("Authorize"):
        await browser.press("Authorize")
    return browser


async def test_sign_in_and_out(elsewhere: FrontDoor, django_provider: DjangoProvider) -> None:
    """LOG-9, SEC-017: sign-in, back to the page, sign-out here and there without being asked; `iss` is checked."""
    browser = await signed_in(elsewhere, django_provider)
    assert browser.page.url == f"{BASE}/private?tab=1", browser.page.text
    assert "Hello Ada" in browser.page.text
    assert any("iss=" in url for url in browser.visited)
    await browser.press("Sign out")
    assert SESSION not in browser.jar.of("app.test")
    assert any(url.startswith(django_provider.issuer) for url in browser.visited)
    assert browser.page.url == f"{BASE}/signed-out", browser.page.html


async def test_missing_issuer(elsewhere: FrontDoor, django_provider: DjangoProvider) -> None:
    """SEC-017: a provider that promises `iss` and does not send it is refused before any token request."""
    browser = elsewhere.browser()
    await browser.open(f"{BASE}/private")
    application = elsewhere.internet.hosts.pop("app.test")
    with pytest.raises(Exception, match=r"no host app\.test"):
        await browser.press("Log in", username=django_provider.username, password=django_provider.password)
        await browser.press("Authorize")
    url = browser.visited[-1]
    elsewhere.internet.hosts["app.test"] = application
    kept = [part for part in url.split("&") if not part.startswith("iss=")]
    page = await browser.open("&".join(kept))
    assert page.status == 403
    assert not [call for call in elsewhere.internet.calls if "/token" in call[1]]
