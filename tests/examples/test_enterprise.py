"""Example E as `make demo EXAMPLE=enterprise` runs it: its routes are there, and its month of history holds."""

import os
import sys
from pathlib import Path

import httpx2
from entrada_emulator.directory.seeds import BIRCH, WEB_APP

from tests.chromium.demonstration import PORT_NAMES, started, until_ready
from tests.chromium.sites import free_ports
from tests.command import run
from tests.forked import SOURCES

OPENED = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
ROUTES = {
    "/api/auth/me": 401,
    "/api/admin/users": 401,
    "/api/admin/audit-logs": 401,
    "/admin": 302,
    "/account": 302,
    "/reports": 302,
    "/": 200,
}


async def test_the_demo_has_the_routes_of_document_e_and_a_history_that_verifies(tmp_path: Path) -> None:
    """RUN-3: sign-in, administration, console and account answer; SEC-148: the chain of the history is whole."""
    ports = dict(zip(PORT_NAMES, map(str, free_ports(len(PORT_NAMES))), strict=True))
    command = [sys.executable, "-u", "-m", "examples.run", "enterprise"]
    with started(command, cwd=tmp_path, environment={**os.environ, **ports, "PYTHONPATH": SOURCES}) as process:
        assert "/admin as Pia" in until_ready(process)
        with httpx2.Client(base_url=f"http://localhost:{ports['PORT']}", trust_env=False) as client:
            found = {
                path: client.get(path, headers={} if status == httpx2.codes.UNAUTHORIZED else OPENED).status_code
                for path, status in ROUTES.items()
            }
    assert found == ROUTES
    settings = {"AZURE_TENANT_ID": BIRCH.id, "AZURE_CLIENT_ID": WEB_APP, "ENTRADA_DATA_DIR": str(tmp_path / ".entrada")}
    verified = await run("audit", "verify", cwd=tmp_path, **settings)
    assert verified.code == 0, verified.said
    assert "as they were written" in verified.said
