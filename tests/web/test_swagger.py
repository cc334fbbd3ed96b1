"""`/docs`: Swagger UI from this origin alone, in development only; that it works is in tests/chromium."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory.seeds import SPA, WEB_APP
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import Entrada
from entrada.keyring import generate
from entrada.web.swagger import PACKAGE
from tests.attacks.test_production import PRODUCTION
from tests.front_door import BASE, FrontDoor, routes, running, settings

ADDRESS = re.compile(r'(?:src|href)="([^"]+)"')


async def page(door: FrontDoor, path: str = "/docs") -> Any:
    answer = await door.raw("GET", BASE + path, headers={"accept": "text/html"})
    assert answer.status_code == 200
    return answer


async def test_all_that_it_loads_is_from_here(door: FrontDoor) -> None:
    """API-7: style, script and icon are ours to serve; they are kept for good under an address of their content."""
    addresses = ADDRESS.findall((await page(door)).text)
    assert len(addresses) == 4
    assert all(address.startswith("/") for address in addresses)
    for address in addresses:
        assert (await door.raw("GET", BASE + address)).status_code == 200
    script = await door.raw("GET", BASE + next(each for each in addresses if each.endswith(".js")))
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "immutable" in script.headers["cache-control"]
    assert "SwaggerUIBundle" in script.text


@pytest.mark.parametrize("path", ["/redoc", "/papers"])
async def test_no_other_page_of_fastapis_is_left(entra: Entra, tmp_path: Path, path: str) -> None:
    """SEC-161: ReDoc's page, which runs a script from elsewhere, is taken away; an application may have its own."""
    app = FastAPI(redoc_url=path)
    async with running(entra, tmp_path, app=app) as door:
        assert (await door.raw("GET", BASE + path)).status_code == 404
        app.get(path)(lambda: "our own")
        assert (await door.raw("GET", BASE + path)).json() == "our own"


async def test_its_policy(door: FrontDoor) -> None:
    """SEC-161: scripts by nonce alone; it calls us and the token endpoint's origin; it may not be framed."""
    first, second = await page(door), await page(door)
    policy = first.headers["content-security-policy"]
    nonce = re.findall(r'nonce="([^"]+)"', first.text)
    assert len(nonce) == 2
    assert policy == (
        f"default-src 'none'; script-src 'nonce-{nonce[0]}'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' https://login.microsoftonline.com; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    assert nonce[0] not in second.text
    assert first.headers["cross-origin-opener-policy"] == "same-origin-allow-popups"


async def test_the_window_that_comes_back(door: FrontDoor) -> None:
    """The page with the code in its address is not kept, tells nobody its address, and runs our script alone."""
    answer = await page(door, "/docs/oauth2-redirect?code=abc&state=def")
    assert answer.headers["cross-origin-opener-policy"] == "unsafe-none"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "abc" not in answer.text


async def test_the_client(entra: Entra, tmp_path: Path) -> None:
    """It signs in as the client of the settings, with PKCE and no secret, and comes back below base_url."""
    async with running(entra, tmp_path, swagger_client_id=SPA) as door:
        text = (await page(door)).text
    assert f'"clientId": "{SPA}"' in text
    assert '"usePkceWithAuthorizationCodeGrant": true' in text
    assert f'"oauth2RedirectUrl": "{BASE}/docs/oauth2-redirect"' in text
    assert f"api://{WEB_APP}/.default" in text
    assert "secret" not in text.lower()


async def test_without_a_client_it_signs_nobody_in(door: FrontDoor) -> None:
    """Without the setting the page is there, and offers what can be tried without it."""
    assert "const client = null;" in (await page(door)).text


async def test_the_applications_own_wishes(entra: Entra, tmp_path: Path) -> None:
    """Where FastAPI's settings place the page and how they want it is kept; what it says is no markup."""
    app = FastAPI(
        title="</title><script>alert(1)</script>",
        docs_url="/api/docs",
        swagger_ui_oauth2_redirect_url="/api/back",
        swagger_ui_parameters={"docExpansion": "none", "x": "</script><script>alert(2)</script>"},
        swagger_ui_init_oauth={"appName": "Orders"},
    )
    async with running(entra, tmp_path, app=app, swagger_client_id=SPA) as door:
        answer = await page(door, "/api/docs")
        assert (await door.raw("GET", f"{BASE}/api/back")).status_code == 200
        assert (await door.raw("GET", f"{BASE}/docs")).status_code == 404
    assert '"docExpansion": "none"' in answer.text
    assert '"appName": "Orders"' in answer.text
    assert answer.text.count("<script") == 2


@pytest.mark.parametrize("name", ["swagger-ui.css.map", "..%2fmain.py", "main.py", "%2e%2e", ""])
async def test_no_other_file(door: FrontDoor, name: str) -> None:
    """SEC-167: two files have an address, and nothing is looked up on disk by name."""
    assert (await door.raw("GET", f"{BASE}/docs/files/0123456789abcdef/{name}")).status_code == 404


async def test_not_in_production(entra: Entra, tmp_path: Path) -> None:
    """SEC-186: whatever the settings say, there is no page and none of its files in production."""
    values = PRODUCTION | {"keys": generate(), "swagger_client_id": SPA}
    async with running(entra, tmp_path, build=routes, **values) as door:
        for path in ("/docs", "/docs/oauth2-redirect", "/docs/files/x/swagger-ui-bundle.js", "/openapi.json"):
            assert (await door.raw("GET", BASE + path)).status_code == 404


def test_where_the_page_is_not_wanted(tmp_path: Path) -> None:
    """`docs_url=None` stays a wish for no page."""
    app = FastAPI(docs_url=None)
    Entrada(settings(tmp_path, swagger_client_id=SPA)).install(app)
    assert not [route for route in app.routes if "docs" in getattr(route, "path", "")]


WITHOUT = """
import sys
from pathlib import Path
from fastapi import FastAPI
from entrada import Entrada, Settings, SettingsRefused

for client in (None, "a-client"):
    app, data_dir = FastAPI(), Path(sys.argv[1])
    settings = Settings.load(client_id="x", tenant_id="birch.example", data_dir=data_dir, swagger_client_id=client)
    try:
        Entrada(settings).install(app)
        print(*(route.endpoint.__module__ for route in app.routes if route.path == "/docs"))
    except SettingsRefused as refused:
        print(*refused.faults)
"""


def test_without_its_files(tmp_path: Path) -> None:
    """Without the extra, FastAPI's page stays in development; a client for ours is then a fault that says its mend."""
    packages = tmp_path / "packages"
    packages.mkdir()
    for each in Path(sysconfig.get_path("purelib")).iterdir():
        if not each.name.startswith(PACKAGE):
            (packages / each.name).symlink_to(each)
    paths = os.pathsep.join([str(packages), *(path for path in sys.path if path and "site-packages" not in path)])
    done = subprocess.run(
        [sys.executable, "-S", "-c", WITHOUT, str(tmp_path / "data")],
        env={"PYTHONPATH": paths},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "fastapi.applications",
        "swagger_client_id: /docs needs its files: pip install 'entrada[swagger]'",
    ], done.stderr
