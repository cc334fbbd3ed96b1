"""A person chooses to be remembered: the sign-in outlives the browser, for as long as the settings say."""

from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, running, walk_through

DAY = timedelta(days=1)


async def signed_in(door: FrontDoor, query: str) -> Browser:
    browser = door.browser()
    await browser.open(f"{AUTH}/login?{query}")
    await walk_through(browser)
    return browser


def cookie(browser: Browser) -> str:
    (found,) = [each for each in browser.jar.cookies.values() if each.name == SESSION]
    return found.raw


async def me(browser: Browser) -> int:
    return (await browser.fetch(f"{AUTH}/me")).status_code


async def test_the_remembered_come_back_after_weeks(door: FrontDoor) -> None:
    """The cookie is kept for 30 days and the session unused for as long, and then it ends, used or not (SES-3)."""
    browser = await signed_in(door, "remember=1")
    assert f"max-age={30 * 24 * 3600}" in cookie(browser)
    for days in (20, 9):
        door.entra.state.clock.move(days * DAY)
        assert await me(browser) == 200
    door.entra.state.clock.move(DAY)
    assert await me(browser) == 401


@pytest.mark.parametrize("query", ["", "remember=0", "remember=true", "remember=1&remember=1", "remember="])
async def test_nobody_is_remembered_who_did_not_choose_it(door: FrontDoor, query: str) -> None:
    """The cookie goes with the browser, and the session ends an hour after its last use (SEC-074)."""
    browser = await signed_in(door, query)
    assert "max-age" not in cookie(browser)
    door.entra.state.clock.move(timedelta(hours=1))
    assert await me(browser) == 401


async def test_the_next_sign_in_is_a_choice_of_its_own(door: FrontDoor) -> None:
    """Who was remembered and signs in without choosing it is remembered no more."""
    browser = await signed_in(door, "remember=1")
    await browser.open(f"{AUTH}/login")
    if browser.page.url.startswith(AUTHORITY):
        await walk_through(browser)
    assert "max-age" not in cookie(browser)
    assert await me(browser) == 200


async def test_only_the_sign_in_asks_for_it(door: FrontDoor) -> None:
    """The same word in the address of a page is the application's own."""
    browser = door.browser()
    await browser.open(f"{BASE}/private?remember=1")
    await walk_through(browser)
    assert "max-age" not in cookie(browser)


async def test_the_choice_can_be_taken_away(entra: Entra, tmp_path: Path) -> None:
    """With `remember_days` 0 asking for it changes nothing (SEC-074)."""
    async with running(entra, tmp_path, remember_days=0) as door:
        browser = await signed_in(door, "remember=1")
        assert "max-age" not in cookie(browser)
        door.entra.state.clock.move(timedelta(hours=1))
        assert await me(browser) == 401


async def test_being_remembered_never_shortens_anything(entra: Entra, tmp_path: Path) -> None:
    """Where sessions live longer than `remember_days` the remembered live as long."""
    async with running(entra, tmp_path, remember_days=2, session_expiry_days=9) as door:
        browser = await signed_in(door, "remember=1")
        door.entra.state.clock.move(8 * DAY)
        assert await me(browser) == 200
