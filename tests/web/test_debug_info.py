"""The page that tells a developer how the application is set up."""

from pathlib import Path

from entrada_emulator.pytest_plugin import Entra

from entrada.web.routes.debug import shown
from tests.front_door import BASE, SECRET, SESSION, running, settings, walk_through

HERE = "http://localhost:8000"
PORTAL = {"base_url": HERE, "redirect_uri": "http://localhost:8000/api/auth/callback"}


async def test_it_tells_settings_authority_and_session(entra: Entra, tmp_path: Path) -> None:
    """SEC-D, SEC-186: in development, on this machine, it says how things are, and shows no secret, token or cookie."""
    async with running(entra, tmp_path, **PORTAL) as door:
        browser = door.browser()
        await browser.open(f"{HERE}/private")
        await walk_through(browser)
        page = await browser.open(f"{HERE}/debug-info")
        assert "yes, as Mia Member" in page.text
        assert entra.user().tenant_id in page.text
        session_id = browser.jar.of("localhost")["entrada"]
        for secret in (SECRET, session_id, "eyJ"):
            assert secret not in browser.answers[-1].text
        assert "client_secret" in page.text


def test_no_password_of_an_address(tmp_path: Path) -> None:
    """SEC-D, SEC-186: of a store, a database and a receiver of the audit log it says the kind, never the address."""
    values = {
        "store": "rediss://user:first-word@redis.internal/0",
        "database_url": "postgresql://user:second-word@postgres.internal/users",
        "audit_webhook_url": "https://siem.internal/hook/third-word",
        "audit_webhook_secret": f"whsec_{'A' * 43}=",
    }
    told = shown(settings(tmp_path, **PORTAL, **values))
    assert (told["store"], told["database_url"], told["audit_webhook_url"]) == ("rediss", "postgresql", "https")
    assert "-word" not in " ".join(told.values())
    assert "internal" not in " ".join(told.values())


async def test_it_tells_that_the_authority_is_down(entra: Entra, tmp_path: Path) -> None:
    """SEC-D: the page itself works when the authority does not."""
    async with running(entra, tmp_path, **PORTAL, authority="https://nowhere.example/tenant") as door:
        page = await door.browser().open(f"{HERE}/debug-info")
        assert "answers" in page.text
        assert "no:" in page.text


async def test_it_does_not_exist_elsewhere(entra: Entra, tmp_path: Path) -> None:
    """SEC-D, SEC-186: under another name than this machine's there is no such page, signed in or not."""
    async with running(entra, tmp_path) as door:
        browser = await door.signed_in()
        assert (await browser.open(f"{BASE}/debug-info")).status == 404
        assert SESSION in browser.jar.of("portal.birch.example")
