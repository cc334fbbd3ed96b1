"""What the process says of itself."""

from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import BASE, FrontDoor, running


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
