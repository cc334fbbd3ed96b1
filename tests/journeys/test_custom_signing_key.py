"""An application whose claims are mapped: Entra signs its tokens with a key of its own, published at `?appid=` only."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra

from entrada import SettingsRefused
from tests.access_tokens import app_token, user_token
from tests.front_door import BASE, SECRET, settings
from tests.journeys.test_bearer import get, orders

OWN_KEYS = frozenset({seeds.API, seeds.LEDGER_API, seeds.WEB_APP})


def mapped(keys: Iterable[SigningKey]) -> Entra:
    """Return the emulated directory with the portal's and the APIs' claims mapped."""
    known = default_world()
    applications = (replace(each, custom_signing_key=each.client_id in OWN_KEYS) for each in known.applications)
    world = checked_world(
        tenants=known.tenants, users=known.users, groups=known.groups, applications=tuple(applications)
    )
    return new_entra(world, keys=keys)


async def test_people_sign_in(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """SEC-036: an ID token that was signed with the application's own key signs in, where the setting says so."""
    values: dict[str, Any] = {"client_id": seeds.WEB_APP, "client_secret": SECRET}
    async with orders(mapped(entra_keys), tmp_path, custom_signing_key=True, **values) as door:
        browser = await door.signed_in(page="/either")
        assert (await browser.fetch(f"{BASE}/either")).json() == {"name": "Mia Member", "way": "session"}


async def test_its_access_tokens_are_taken(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """API-1: people's and applications' tokens of either version; another application's key signs nothing for it."""
    entra = mapped(entra_keys)
    async with orders(entra, tmp_path, custom_signing_key=True) as door:
        assert (await get(door, "/bearer", user_token(entra)["access_token"])).status_code == 200
        assert (await get(door, "/app", app_token(entra))).status_code == 200
        ledgers = user_token(entra, scopes=(f"{seeds.LEDGER_URI}/Ledger.Read",))["access_token"]
        assert (await get(door, "/bearer", ledgers)).status_code == 401
    values = {"client_id": seeds.LEDGER_API, "client_secret": None, "api_audiences": (seeds.LEDGER_URI,)}
    async with orders(entra, tmp_path / "ledger", custom_signing_key=True, **values) as door:
        assert (await get(door, "/bearer", ledgers)).status_code == 200


async def test_without_the_setting_nobody_knows_the_key(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """SEC-036: the tenant's own keys are all that is believed; the refusal says that the key is none of them."""
    entra = mapped(entra_keys)
    async with orders(entra, tmp_path) as door:
        refused = await get(door, "/bearer", user_token(entra)["access_token"])
        assert refused.status_code == 401
        assert "kid" in refused.headers["www-authenticate"]


@pytest.mark.parametrize(
    "instead",
    [
        {"issuer": "https://login.example"},
        {"b2c_tenant": "contoso.onmicrosoft.com", "b2c_policy": "B2C_1_susi"},
    ],
    ids=["another provider", "B2C"],
)
def test_it_is_entras(tmp_path: Path, instead: dict[str, str]) -> None:
    """Where there is no such thing the setting is a start error."""
    with pytest.raises(SettingsRefused, match="custom_signing_key: is for"):
        settings(tmp_path, tenant_id=None, custom_signing_key=True, **instead)
