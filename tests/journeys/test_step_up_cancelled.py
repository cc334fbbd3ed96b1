"""Somebody who is signed in already cancels at the authority: they stay signed in, and the page says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTH, BASE, FrontDoor, running
from tests.journeys.test_step_up import bank, signed_in


@pytest.fixture(params=["query", "form_post"])
async def door(entra: Entra, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=bank, response_mode=request.param) as running_door:
        yield running_door


async def cancels(browser: Browser) -> None:
    """Press Cancel, and send on what the authority's page sends by itself where scripts run."""
    await browser.press("Cancel")
    if browser.page.has_button("Continue"):
        await browser.press("Continue")


async def test_a_cancelled_step_up_signs_nobody_out(door: FrontDoor) -> None:
    """API-8: the page that wanted more proof is not shown, they are signed in as before, and may try again."""
    browser = await signed_in(door, "mia@birch.example")
    await browser.open(f"{BASE}/vault")
    await cancels(browser)
    page = browser.page
    assert (page.status, page.title) == (403, "You cancelled the sign-in")
    assert "You are still signed in, as before" in page.text
    assert "Nobody was signed in" not in page.text
    assert (await browser.fetch(f"{AUTH}/me")).status_code == 200
    assert page.link("Try again") == f"{BASE}/vault"


async def test_a_payment_is_not_made(door: FrontDoor) -> None:
    """BEY-3: a form on hold is not sent; trying again begins the step once more."""
    browser = await signed_in(door, "mia@birch.example")
    await browser.press("Pay", amount="12")
    await cancels(browser)
    assert "was not done" in browser.page.text
    assert not hasattr(door.app.state, "paid")
    await browser.follow("Try again")
    await browser.press("Send it now")
    assert browser.page.has_button("Cancel")


async def test_when_the_session_has_ended_meanwhile(door: FrontDoor) -> None:
    """LOG-6: the page is asked again after the session ended, and says what is true then."""
    browser = await signed_in(door, "mia@birch.example")
    await browser.open(f"{BASE}/vault")
    await cancels(browser)
    told = browser.page.url
    browser.jar.cookies.clear()
    page = await browser.open(told)
    assert "Nobody was signed in" in page.text
    assert "still signed in" not in page.text
