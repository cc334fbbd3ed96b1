"""A person sees where they are signed in, and ends what they do not know."""

from datetime import timedelta
from pathlib import Path

from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTH, BASE, FrontDoor, running

PAGE = f"{AUTH}/sessions"


async def test_another_browser_is_ended_from_the_page_and_is_out_at_its_next_click(door: FrontDoor) -> None:
    """One button: the page comes back without it, and the other browser is asked to sign in (SES-7)."""
    here, there = await door.signed_in(), await door.signed_in()
    page = await here.open(PAGE)
    assert page.text.count("A browser we do not know") == 2
    assert "This browser" in page.text
    page = await here.press("End")
    assert (page.url, page.status) == (PAGE, 200)
    assert "There is no other." in page.text
    assert (await there.fetch(f"{AUTH}/me")).status_code == 401
    await there.open(f"{BASE}/private")
    assert f"{AUTH}/login?return_to=%2Fprivate" in there.visited
    assert (await here.open(f"{BASE}/private")).title == "Private"


async def test_all_others_end_with_one_button(door: FrontDoor) -> None:
    """However many there are."""
    here, *others = [await door.signed_in() for _ in range(3)]
    await here.open(PAGE)
    page = await here.press("End all others")
    assert "There is no other." in page.text
    for browser in others:
        assert (await browser.fetch(f"{AUTH}/me")).status_code == 401


async def test_the_page_has_a_way_out(door: FrontDoor) -> None:
    """Signing out is one button away on every page of ours that knows who somebody is (SEC-105)."""
    here = await door.signed_in()
    await here.open(PAGE)
    await here.press("Sign out")
    assert (await here.fetch(f"{AUTH}/me")).status_code == 401


async def test_last_seen_is_told_in_words(door: FrontDoor) -> None:
    """A session that was not used for a while says for how long."""
    here = await door.signed_in()
    door.entra.state.clock.move(timedelta(minutes=42))
    await door.signed_in()
    page = await here.open(PAGE)
    assert "In use now" in page.text
    assert "Last seen within the last minute" in page.text
    door.entra.state.clock.move(timedelta(minutes=21))
    page = await here.open(PAGE)
    assert "Last seen 21 minutes ago" in page.text


async def test_a_session_ended_on_one_worker_is_over_on_all(entra: Entra, tmp_path: Path) -> None:
    """Two workers on one store: what one ends the other does not know any more (SEC-075)."""
    async with running(entra, tmp_path, store="sqlite:") as one, running(entra, tmp_path, store="sqlite:") as other:
        here, there = await one.signed_in(), await other.signed_in()
        moved = Browser(one.internet)
        moved.jar = there.jar
        assert (await moved.fetch(f"{AUTH}/me")).status_code == 200
        await here.open(PAGE)
        await here.press("End")
        assert (await there.fetch(f"{AUTH}/me")).status_code == 401
        assert (await moved.fetch(f"{AUTH}/me")).status_code == 401
