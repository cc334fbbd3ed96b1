"""Example A in process: its own functions and pages, on a clock that can be moved."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from entrada_emulator.directory.seeds import BIRCH, WEB_APP
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from tests.examples.written import imported
from tests.front_door import AUTHORITY, BASE, FrontDoor, running, walk_through

SETTINGS = {
    "AZURE_TENANT_ID": BIRCH.id,
    "AZURE_CLIENT_ID": WEB_APP,
    "AZURE_CLIENT_SECRET": "the-example-itself-is-not-run",
}


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return imported("auth_code_flow.app", SETTINGS, at=tmp_path, monkeypatch=monkeypatch)


@pytest.fixture
async def example(written: ModuleType, entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The example's routes behind a front door whose clock and network are the test's."""

    def build(app: FastAPI) -> None:
        app.get("/")(written.index)
        app.get("/call-graph")(written.call_graph)

    templates: dict[str, Any] = {"templates": [Path(written.__file__ or "").parent / "templates"]}
    more: dict[str, Any] = {"prefix": "", "session_idle_minutes": 600}
    async with running(entra, tmp_path, build=build, options=templates, **more) as door:
        yield door


async def test_the_badge_says_where_the_token_came_from(example: FrontDoor) -> None:
    """`cache` while the token is good, `identity_provider` for the one call that renewed it, then `cache` again."""
    browser = example.browser()
    await browser.open(f"{BASE}/call-graph")
    await walk_through(browser)
    assert "cache" in browser.page.text
    example.entra.state.clock.move(timedelta(hours=2))
    assert "identity_provider" in (await browser.open(f"{BASE}/call-graph")).text
    assert "cache" in (await browser.open(f"{BASE}/call-graph")).text


async def test_the_form_on_the_page_signs_out(example: FrontDoor) -> None:
    """The page's form carries the token of its session: nobody wrote it into the template's values."""
    browser = example.browser()
    await browser.open(f"{BASE}/")
    await browser.follow("Sign in with Microsoft")
    await walk_through(browser)
    assert "Hello, Mia Member" in browser.page.text
    await browser.press("Sign out")
    assert "Mia" not in (await browser.open(f"{BASE}/")).text


async def test_the_example_is_never_a_stranger_to_its_own_login(example: FrontDoor) -> None:
    """At the root, as the document wants it: /login leads to the authority with /callback to come back to."""
    browser = example.browser()
    await browser.open(f"{BASE}/login")
    assert browser.page.url.startswith(AUTHORITY)
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/"
