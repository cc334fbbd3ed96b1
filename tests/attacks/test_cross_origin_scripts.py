"""Scripts of other sites: those of the SPA's origins may call with a token, nobody else may, and never with cookies."""

from pathlib import Path

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from entrada import SettingsRefused
from tests.access_tokens import bearer, user_token
from tests.front_door import BASE, SECRET, settings
from tests.journeys.test_bearer import orders

SPA = "https://spa.birch.example"
FOREIGN = [
    "https://evil.example",
    "null",
    f"{SPA}.evil.example",
    "http://spa.birch.example",
    f"{SPA}:8443",
    f"{SPA}/",
    "*",
]
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}


async def test_sec_094_the_spas_origin(entra: Entra, tmp_path: Path) -> None:
    """API-9, SEC-094: the SPA's preflight is answered; it can read answers and refusals; without credentials."""
    async with orders(entra, tmp_path, cors_origins=(SPA,)) as door:
        asked = await door.raw("OPTIONS", f"{BASE}/note", headers=PREFLIGHT | {"origin": SPA})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == SPA
        assert "authorization" in asked.headers["access-control-allow-headers"].lower()
        token = user_token(entra)["access_token"]
        for value, status in ((token, 200), ("x", 401)):
            answer = await door.raw("POST", f"{BASE}/note", headers=bearer(value) | {"origin": SPA})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, SPA)
            assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]
            assert "origin" in answer.headers["vary"].lower()
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", FOREIGN)
async def test_sec_094_any_other_origin(entra: Entra, tmp_path: Path, origin: str) -> None:
    """SEC-094: no other origin is named in an answer, reflected or by a wildcard."""
    async with orders(entra, tmp_path, cors_origins=(SPA,)) as door:
        token = user_token(entra)["access_token"]
        asked = await door.raw("OPTIONS", f"{BASE}/note", headers=PREFLIGHT | {"origin": origin})
        answer = await door.raw("GET", f"{BASE}/either", headers=bearer(token) | {"origin": origin})
        assert asked.status_code == 400
        for each in (asked, answer):
            assert "access-control-allow-origin" not in each.headers


async def test_sec_094_off_by_default(entra: Entra, tmp_path: Path) -> None:
    """SEC-094: without the setting nothing of CORS is in any answer."""
    async with orders(entra, tmp_path) as door:
        answer = await door.raw("OPTIONS", f"{BASE}/note", headers=PREFLIGHT | {"origin": SPA})
        assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_sec_094_no_cookies_across_origins(entra: Entra, tmp_path: Path) -> None:
    """SEC-089, SEC-094: the SPA's origin cannot use the session: its unsafe requests with the cookie are refused."""
    values = {"cors_origins": (SPA,), "client_id": seeds.WEB_APP, "client_secret": SECRET}
    async with orders(entra, tmp_path, **values) as door:
        browser = await door.signed_in(page="/either")
        headers = {"origin": SPA, "sec-fetch-site": "cross-site", "x-csrf": "1", "accept": "application/json"}
        answer = await browser.fetch(f"{BASE}/note", method="POST", headers=headers)
        assert answer.status_code == 403
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["*", "null", "https://*.birch.example", "http://spa.birch.example", f"{SPA}/app"])
def test_sec_094_settings(tmp_path: Path, origin: str) -> None:
    """SEC-094: a wildcard, null, plain http or anything but an exact origin stops the start."""
    with pytest.raises(SettingsRefused, match="cors_origins: each must be an exact https origin"):
        settings(tmp_path, cors_origins=(origin,))
    settings(tmp_path, cors_origins=(SPA, "http://localhost:5173"))
