"""What the process says of itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from pydantic import SecretStr

from entrada.keyring import generate
from tests.front_door import BASE, FrontDoor, running
from tests.standard_provider import HOST as PROVIDER
from tests.standard_provider import ISSUER, StandardProvider

TOKEN = "a-token-for-prometheus-alone"


async def test_live_and_ready(door: FrontDoor) -> None:
    """SEC-D, SEC-187: live, and ready once metadata, keys and the store are there; no detail for strangers."""
    for path, status in (("/health", "ok"), ("/ready", "ready")):
        answer = await door.raw("GET", f"{BASE}{path}")
        assert answer.status_code == 200
        assert answer.json() == {"status": status}
        assert answer.headers["cache-control"] == "no-store"


async def test_not_ready_without_the_authority(entra: Entra, tmp_path: Path) -> None:
    """SEC-D, SEC-187, REL-037: alive but not ready while keys are missing; ready by itself once they are there."""
    entra.state.faults.add(Fault(endpoint="keys", kind="status", times=1))
    async with running(entra, tmp_path) as door:
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        answer = await door.raw("GET", f"{BASE}/ready")
        assert answer.status_code == 503
        assert answer.json() == {"status": "unavailable"}
        assert "retry-after" in answer.headers
        entra.state.clock.move(timedelta(seconds=30))
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 200


@pytest.mark.parametrize(
    ("watchers", "given", "told"),
    [
        ({}, None, False),
        ({"metrics_token": TOKEN}, None, False),
        ({"metrics_token": TOKEN}, "Bearer another-token-than-that", False),
        ({"metrics_token": TOKEN}, f"Bearer {TOKEN}", True),
        ({"metrics_networks": ("203.0.113.0/24",)}, None, False),
        ({"metrics_networks": ("203.0.113.0/24",), "metrics_token": TOKEN}, f"Bearer {TOKEN}", False),
        ({"profile": "development"}, None, True),
    ],
    ids=["nobody", "no token", "another", "the token", "from elsewhere", "token from elsewhere", "development"],
)
async def test_strangers_are_told_no_detail(
    entra: Entra, tmp_path: Path, watchers: dict[str, Any], given: str | None, told: bool
) -> None:
    """SEC-187, SEC-174: when a credential ends is for who may read the numbers; everybody is told whether to come."""
    provider = StandardProvider(entra.state.clock.now)
    provider.metadata["introspection_endpoint"] = f"https://{PROVIDER}/introspect"
    ends = (entra.state.clock.now() + timedelta(days=9, hours=12)).date()
    production = {"profile": "production", "tenant_id": None, "issuer": ISSUER, "store": "sqlite:", "keys": generate()}
    values = production | {
        "client_secret": SecretStr("k8Q~looks-real"),
        "client_secret_expires": (ends,),
        "introspection": True,
    }
    async with running(entra, tmp_path, hosts={PROVIDER: provider}, **(values | watchers)) as door:
        headers = {} if given is None else {"authorization": given}
        answer = await door.raw("GET", f"{BASE}/ready", headers=headers)
        assert answer.status_code == 200
        assert answer.json()["status"] == "ready"
        assert ("credential_days" in answer.json()) == told
    assert provider.calls("/introspect") == []  # the token of the numbers is for us alone


@pytest.mark.parametrize(
    "headers",
    [
        {"user-agent": "GoogleHC/1.0"},
        {"user-agent": "kube-probe/1.30"},
        {"x-original-url": "/health"},
        {"x-forwarded-uri": "/health"},
        {"x-rewrite-url": "/ready"},
    ],
)
async def test_nobody_passes_as_a_probe(door: FrontDoor, headers: dict[str, str]) -> None:
    """SEC-187: neither a user agent nor a header that names a health address opens another address."""
    for path in ("/api/auth/me", "/private", "/health/../private", "/health/"):
        answer = await door.raw("GET", f"{BASE}{path}", headers=headers | {"accept": "application/json"})
        assert answer.status_code in {401, 404}
