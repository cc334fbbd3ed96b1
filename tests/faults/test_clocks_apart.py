"""REL-046: two hosts whose clocks are not quite the same serve one sign-in, one request each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import BASE, FrontDoor, running, walk_through
from tests.journeys.test_many_tenants import EVERYONE, SITE
from tests.journeys.test_onboarding import agrees

BEGINS = ("/login", "/onboarding/begin")
HOST = "portal.birch.example"


@asynccontextmanager
async def two_hosts(entra: Entra, tmp_path: Path, *, ahead: timedelta, **values: Any) -> AsyncIterator[FrontDoor]:
    """Run the application so that whatever begins a way is done where the clock is ahead, and all else where not."""
    off = [timedelta(0)]
    options = {"clock": lambda: entra.state.clock.now() + off[0]}
    async with running(entra, tmp_path, options=options, **values) as door:
        name = urlsplit(values.get("base_url", BASE)).netloc
        application = door.internet.hosts[name]

        async def balanced(scope: Any, receive: Any, send: Any) -> None:
            off[0] = ahead if scope["path"].endswith(BEGINS) else timedelta(0)
            await application(scope, receive, send)

        door.internet.hosts[name] = balanced
        yield door


@pytest.mark.parametrize("seconds", [0.2, 3, 240])
async def test_a_sign_in_ends_on_a_slower_host(entra: Entra, tmp_path: Path, seconds: float) -> None:
    """REL-046: an attempt that began a moment from now, by this host's clock, is as good as any other."""
    async with two_hosts(entra, tmp_path, ahead=timedelta(seconds=seconds)) as door:
        browser = await door.signed_in()
        assert browser.page.url == f"{BASE}/private", browser.page.text
        assert "Hello Mia Member" in browser.page.text


async def test_a_second_tab_on_a_slower_host(entra: Entra, tmp_path: Path) -> None:
    """REL-046, REL-060: the attempt of another tab, begun where the clock is ahead, is not thrown away."""
    off = [timedelta(seconds=3)]
    async with running(entra, tmp_path, options={"clock": lambda: entra.state.clock.now() + off[0]}) as door:
        browser = door.browser()
        first = await browser.open(f"{BASE}/private?tab=1")
        off[0] = timedelta(0)
        await browser.open(f"{BASE}/private?tab=2")
        assert len([name for name in browser.jar.of(HOST) if "-signin-" in name]) == 2
        browser.history.append(first)
        await walk_through(browser)
        assert browser.page.url == f"{BASE}/private?tab=1", browser.page.text


async def test_an_attempt_of_tomorrow_is_none(entra: Entra, tmp_path: Path) -> None:
    """SEC-013, REL-046: ten minutes ahead is a broken clock, and what it has begun is not taken."""
    async with two_hosts(entra, tmp_path, ahead=timedelta(minutes=10)) as door:
        browser = await door.signed_in()
        assert browser.page.status == 400, browser.page.text


async def test_an_organisation_comes_in_on_a_slower_host(entra: Entra, tmp_path: Path) -> None:
    """REL-046, LOG-12: so is the way to an administrator's consent."""
    values = EVERYONE | {"onboarding": "consent", "store": "sqlite:"}
    async with two_hosts(entra, tmp_path, ahead=timedelta(seconds=3), **values) as door:
        browser = await agrees(door)
        assert browser.page.url.startswith(f"{SITE}/api/auth/onboarding/done"), browser.page.text
