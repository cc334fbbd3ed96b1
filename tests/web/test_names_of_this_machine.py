"""An application that is developed on this machine, opened under another of the machine's names."""

import logging
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import BASE, running

HERE = "http://localhost:8000"
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "[::1]:8000", "127.0.0.1"])
async def test_a_page_is_opened_under_the_base_url(entra: Entra, tmp_path: Path, host: str) -> None:
    """Servers print http://127.0.0.1:8000: whoever clicks that comes to the base URL, and to the same page."""
    async with running(entra, tmp_path, base_url=HERE) as door:
        answer = await door.raw("GET", f"{HERE}/private?a=1", headers=[("host", host), *PAGE.items()])
        assert (answer.status_code, answer.headers["location"]) == (302, f"{HERE}/private?a=1")
        assert answer.headers["cache-control"] == "no-store"


async def test_whatever_is_no_page_is_told_where_the_application_is(entra: Entra, tmp_path: Path) -> None:
    """SEC-163: a script or a test client is refused as ever, and told the base URL; so is any other host."""
    async with running(entra, tmp_path, base_url=HERE) as door:
        for given in (
            [("host", "testserver")],
            [("host", "127.0.0.1:8000")],
            [("host", "evil.example"), *PAGE.items()],
        ):
            answer = await door.raw("GET", f"{HERE}/private", headers=given)
            assert answer.status_code == 400
            assert f"This application is not served under this name. It is at {HERE}." in answer.text
        posted = await door.raw("POST", f"{HERE}/private", headers=[("host", "127.0.0.1:8000"), *PAGE.items()])
        assert posted.status_code == 400


async def test_elsewhere_names_are_names(entra: Entra, tmp_path: Path) -> None:
    """SEC-163: an application with a host name of its own sends nobody on."""
    async with running(entra, tmp_path) as door:
        answer = await door.raw("GET", f"{BASE}/private", headers=[("host", "127.0.0.1"), *PAGE.items()])
        assert answer.status_code == 400


async def test_served_on_another_port(entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A sign-in that was begun on one port and would come back on another is told in the log, with the mend."""
    caplog.set_level(logging.WARNING, logger="entrada")
    async with running(entra, tmp_path, base_url=HERE) as door:
        for port, told in (("8000", 0), ("8001", 1)):
            await door.raw("GET", f"{HERE}/api/auth/login", headers=[("host", f"localhost:{port}"), *PAGE.items()])
            said = [record.message for record in caplog.records if record.message.startswith("another_port ")]
            assert len(said) == told
    assert "ENTRADA_BASE_URL=http://localhost:8001" in said[0]
