"""What the process says of itself."""

from datetime import timedelta
from pathlib import Path

from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import BASE, FrontDoor, running


async def test_live_and_ready(door: FrontDoor) -> None:
    """SEC-D: live, and ready once metadata, keys and the store are there; no detail for strangers."""
    for path, status in (("/health", "ok"), ("/ready", "ready")):
        answer = await door.raw("GET", f"{BASE}{path}")
        assert answer.status_code == 200
        assert answer.json() == {"status": status}
        assert answer.headers["cache-control"] == "no-store"


async def test_not_ready_without_the_authority(entra: Entra, tmp_path: Path) -> None:
    """SEC-D, REL-037: alive but not ready while keys are missing; ready by itself once they are there."""
    entra.state.faults.add(Fault(endpoint="keys", kind="status", times=1))
    async with running(entra, tmp_path) as door:
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        answer = await door.raw("GET", f"{BASE}/ready")
        assert answer.status_code == 503
        assert answer.json() == {"status": "unavailable"}
        assert "retry-after" in answer.headers
        entra.state.clock.move(timedelta(seconds=30))
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 200
