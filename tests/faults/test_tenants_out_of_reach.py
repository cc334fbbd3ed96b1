"""The table of tenants cannot be read: nobody comes in by guessing (LOG-12)."""

from pathlib import Path

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from entrada.flows.signing_in.standing import SURE_FOR
from entrada.users.database import FILE_NAME
from tests.access_tokens import app_token, bearer
from tests.front_door import BASE
from tests.journeys.test_many_tenants import CLEO, SITE, arrive
from tests.journeys.test_onboarding import ONBOARDING, callers, portal


async def test_nobody_signs_in(entra: Entra, tmp_path: Path) -> None:
    """SEC-122, SEC-177: not even people of a listed tenant, for it may be suspended; the start page goes on."""
    async with portal(entra, tmp_path, tenants=(seeds.CEDAR.id,)) as door:
        (tmp_path / FILE_NAME).unlink()
        browser = await arrive(door, CLEO)
        assert browser.page.status == 503
        assert (await browser.fetch(f"{SITE}/api/auth/me")).status_code == 401
        assert (await browser.open(ONBOARDING)).status == 200


async def test_applications_are_not_let_in_for_long(entra: Entra, tmp_path: Path) -> None:
    """SEC-122, SEC-134: a caller who is known is sure for a minute; then it must be told again, and cannot be."""
    api = {"client_id": seeds.API, "client_secret": "emulator-secret-birch-orders", "base_url": BASE}
    async with portal(entra, tmp_path, tenants=(seeds.BIRCH.id,), build=callers, **api) as door:
        headers = bearer(app_token(entra))
        assert (await door.raw("GET", f"{BASE}/app", headers=headers)).status_code == 200
        (tmp_path / FILE_NAME).unlink()
        assert (await door.raw("GET", f"{BASE}/app", headers=headers)).status_code == 200
        entra.state.clock.move(SURE_FOR)
        assert (await door.raw("GET", f"{BASE}/app", headers=headers)).status_code == 503
