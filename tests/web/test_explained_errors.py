"""What an error page says to strangers, and what it says to whoever builds the application."""

import logging
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.keyring import generate
from tests.front_door import AUTH, BASE, running
from tests.page import Page
from tests.standard_provider import HOST, ISSUER, StandardProvider

REFUSED = {"error": "interaction_required", "error_description": "AADSTS50105: Bob of Contoso is not assigned"}
WHERE = "Enterprise applications › the application › Users and groups"


async def refused(entra: Entra, tmp_path: Path, *, profile: str) -> Page:
    """Return the page that somebody sees whom the authority has refused."""
    provider = StandardProvider(entra.now)
    values = {
        "tenant_id": None, "issuer": ISSUER, "client_id": "portal", "client_secret": "k8Q~real-looking-value",
        "profile": profile, "keys": generate(), "store": "sqlite:",
    }  # fmt: skip
    async with running(entra, tmp_path, hosts={HOST: provider}, **values) as door:
        browser = door.browser()
        begun = await browser.fetch(f"{AUTH}/login", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
        state = parse_qs(urlsplit(begun.headers["location"]).query)["state"][0]
        return await browser.open(f"{AUTH}/callback?{urlencode(REFUSED | {'state': state})}")


async def test_strangers_read_no_internals_in_production(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-177: the page has the code and what the person can do; the portal's page is in the log alone."""
    with caplog.at_level(logging.WARNING, logger="entrada"):
        page = await refused(entra, tmp_path, profile="production")
    assert page.url.startswith(BASE)
    assert "You have not been given access to this application." in page.text
    assert "AADSTS50105" in page.text
    for word in ("Enterprise applications", "assignment is required", "For whoever looks after", "Bob"):
        assert word not in page.html
    assert WHERE in caplog.text
    assert "Bob" not in caplog.text


async def test_developers_read_where_to_mend_it(entra: Entra, tmp_path: Path) -> None:
    """BEY-6: in development the page names what happened and where in the portal it is mended."""
    page = await refused(entra, tmp_path, profile="development")
    assert "assignment is required" in page.text
    assert WHERE in page.text
    assert "Bob" not in page.html


async def test_an_emulator_that_was_started_anew(entra: Entra, tmp_path: Path) -> None:
    """In development the page says why nobody is verified any more, when the keys have changed twice at once."""
    async with running(entra, tmp_path) as door:
        await door.signed_in()
        entra.state.keys.replace_at_once()
        await door.signed_in()
        entra.state.keys.replace_at_once()
        page = (await door.signed_in()).page
    assert "Your sign-in could not be verified" in page.text
    assert "start the application again" in page.text
