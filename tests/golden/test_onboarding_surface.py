"""What the routes of on-boarding answer to every kind of caller, with which headers; and without the setting."""

from pathlib import Path

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import running
from tests.golden.golden import check
from tests.golden.test_surface import CALLERS, WIDTH, ask, shown

ROUTES = [
    ("GET", "/api/auth/onboarding"),
    ("POST", "/api/auth/onboarding"),
    ("GET", "/api/auth/onboarding/begin"),
    ("HEAD", "/api/auth/onboarding/begin"),
    ("GET", "/api/auth/onboarding/return"),
    ("GET", "/api/auth/onboarding/return?state=invented&admin_consent=True&tenant=x"),
    ("GET", "/api/auth/onboarding/done"),
    ("GET", "/api/auth/onboarding/done?of=invented"),
]
WIDE = WIDTH + 26
EVERYONE = {
    "client_id": seeds.MULTI_TENANT_APP,
    "client_secret": "emulator-secret-birch-everyone",
    "tenant_id": "organizations",
    "tenants": (seeds.BIRCH.id,),
}


async def test_access(entra: Entra, tmp_path: Path) -> None:
    """SEC-088, SEC-160: strangers may read and begin; nobody gets further by an invented answer."""
    lines = ["route".ljust(WIDE) + "".join(name.ljust(18) for name in CALLERS)]
    async with running(entra, tmp_path, **EVERYONE, onboarding="approval") as door:
        for method, path in ROUTES:
            answers = [await ask(door, method, path, caller) for caller in CALLERS.values()]
            statuses = [str(answer.status_code).ljust(18) for answer in answers]
            lines.append(f"{method} {path}".ljust(WIDE) + "".join(statuses))
            lines += [f"    {line.strip()}" for line in shown(answers[0]).splitlines()]
    check("tests/golden/onboarding.txt", "\n".join(line.rstrip() for line in lines))


async def test_without_the_setting_nothing_is_there(entra: Entra, tmp_path: Path) -> None:
    """An application that on-boards nobody has none of these addresses."""
    async with running(entra, tmp_path, **EVERYONE) as door:
        found = {(await ask(door, method, path, CALLERS["stranger"])).status_code for method, path in ROUTES}
        assert found == {404}
