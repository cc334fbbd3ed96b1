"""The address to which browsers report what a content policy stopped."""

from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from entrada import Settings, SettingsRefused
from entrada.web.middleware.headers import csp_nonce
from tests.front_door import BASE, running

GUID = "11111111-1111-4111-8111-111111111111"
REPORTS = "https://reports.example/csp?key=abc"


async def test_browsers_report_what_a_policy_stopped(entra: Entra, tmp_path: Path) -> None:
    """SEC-162: every document's policy names the address for reports, ours, the application's and Swagger UI's."""

    def build(app: FastAPI) -> None:
        @app.get("/page", response_class=HTMLResponse)
        async def page() -> str:
            return "<h1>Here</h1>"

        @app.get("/inline", response_class=HTMLResponse)
        async def inline(request: Request) -> str:
            return f'<style nonce="{csp_nonce(request)}"></style>'

    async with running(entra, tmp_path, build=build, csp_report_uri=REPORTS) as door:
        for path in ("/page", "/inline", "/docs", "/nowhere"):
            answer = await door.raw("GET", f"{BASE}{path}", headers={"accept": "text/html"})
            assert answer.headers["content-security-policy"].endswith(f"; report-uri {REPORTS}"), path


@pytest.mark.parametrize("value", ["http://reports.example/", "https://a.example/;default-src *", "/reports", "x y"])
def test_an_address_for_reports_is_an_address(value: str) -> None:
    """SEC-162: nothing gets into the policy by it, and nothing goes there unprotected."""
    with pytest.raises(SettingsRefused, match="csp_report_uri: must be an https address"):
        Settings.load(tenant_id=GUID, client_id=GUID, csp_report_uri=value)
