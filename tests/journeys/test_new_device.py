"""A sign-in from a device that a person has not used before is told, and marked where they look (SES-8)."""

from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada import Event
from tests.browser import Browser
from tests.front_door import AUTH, BASE, FrontDoor, running, walk_through

HOST = "portal.birch.example"
DEVICE = "__Host-entrada-device"


@pytest.fixture
def told(door: FrontDoor) -> list[Event]:
    """What whoever listens for new devices hears."""
    heard: list[Event] = []
    door.entrada.on("new_device")(heard.append)
    return heard


async def test_the_first_device_is_no_news_and_the_second_is(door: FrontDoor, told: list[Event]) -> None:
    """An observer gets who, when and from where; the page and the API mark the session."""
    here = await door.signed_in()
    assert not told
    there = await door.signed_in()
    (event,) = told
    assert event.user_key == (await here.fetch(f"{AUTH}/me")).json()["key"]
    assert (event.user_agent, event.address) == ("A test's browser", "127.0.0.1")
    shown = (await here.fetch(f"{AUTH}/sessions")).json()["sessions"]
    assert {each["current"]: each["new"] for each in shown} == {True: False, False: True}
    page = await here.open(f"{AUTH}/sessions")
    assert page.html.count('class="badge new"') == 1
    assert await _signs_in_again(there) == "Private"
    assert len(told) == 1


async def test_a_device_is_known_after_its_session(door: FrontDoor, told: list[Event]) -> None:
    """Signed out, ended, and signed in by another person in between: it is known to each of them."""
    await door.signed_in()
    phone = await door.signed_in()
    kept = phone.jar.of(HOST)[DEVICE]
    await phone.press("Sign out")
    await phone.open(f"{BASE}/private")
    await walk_through(phone, "ada@birch.example")
    assert phone.jar.of(HOST)[DEVICE] == kept
    assert len(told) == 1  # Ada's first device; Mia's second
    assert await _signs_in_again(phone) == "Private"
    assert len(told) == 1


async def test_a_browser_that_forgets_its_cookies_is_new(door: FrontDoor, told: list[Event]) -> None:
    """The same user agent is not enough: whoever has stolen a password has a common browser, too."""
    browser = await door.signed_in()
    browser.jar.cookies.clear()
    await browser.open(f"{BASE}/private")
    await walk_through(browser)
    assert [event.name for event in told] == ["new_device"]


@pytest.mark.parametrize("value", ["", "x" * 21, "x" * 23, "'; DROP TABLE entrada_device; --", "~" * 22])
async def test_a_made_up_number_is_replaced(door: FrontDoor, value: str) -> None:
    """Only what has the form of ours is looked up; the browser gets a number of ours."""
    browser = door.browser()
    browser.jar.keep_raw(f"{BASE}/", f"{DEVICE}={value}; Path=/; Secure")
    await browser.open(f"{BASE}/private")
    await walk_through(browser)
    assert browser.jar.of(HOST)[DEVICE] != value
    assert len(browser.jar.of(HOST)[DEVICE]) == 22


async def test_a_form_post_brings_the_device_along(entra: Entra, tmp_path: Path) -> None:
    """The cross-site POST has no Lax cookie: the number travels in the sealed attempt."""
    heard: list[Event] = []
    async with running(entra, tmp_path, response_mode="form_post") as door:
        door.entrada.on("new_device")(heard.append)
        browser = await door.signed_in()
        kept = browser.jar.of(HOST)[DEVICE]
        await browser.open(f"{AUTH}/login")
        assert browser.jar.of(HOST)[DEVICE] == kept
    assert not heard


async def _signs_in_again(browser: Browser) -> str:
    page = await browser.open(f"{AUTH}/login?return_to=/private")
    return page.title
