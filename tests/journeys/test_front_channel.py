"""Somebody signs out at Entra, which tells our application in a hidden frame."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTHORITY, SESSION, FrontDoor, running, walk_through
from tests.journeys.test_people_change import house_of

HOST = "intranet.birch.example"
SITE = f"https://{HOST}"
LOGOUT = f"{SITE}/api/auth/frontchannel-logout"
SIGN_OUT = f"{AUTHORITY}/{seeds.BIRCH.id}/oauth2/v2.0/logout"
IN_A_FRAME = {"sec-fetch-dest": "iframe", "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site"}


@pytest.fixture
async def intranet(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application as the emulator's one with a logout URL."""
    values = {"base_url": SITE, "client_id": seeds.INTRANET, "client_secret": "emulator-secret-birch-intranet"}
    async with running(entra, tmp_path, **values) as door:
        yield door


async def signed_in(door: FrontDoor) -> tuple[Browser, str]:
    """Return a browser that has signed in, and its session cookie's value."""
    browser = door.browser()
    await browser.open(f"{SITE}/private")
    await walk_through(browser)
    assert browser.page.url == f"{SITE}/private", browser.page.text
    return browser, browser.jar.of(HOST)[SESSION]


async def works(door: FrontDoor, session: str) -> bool:
    answer = await door.raw("GET", f"{SITE}/api/auth/me", headers={"cookie": f"{SESSION}={session}"})
    return answer.status_code == 200


async def frames_at_sign_out(browser: Browser) -> list[str]:
    """Sign out at the authority; return the addresses that its page frames."""
    page = await browser.open(SIGN_OUT)
    frames = [address.replace("&amp;", "&") for address in page.html.split('src="')[1:]]
    return [address.partition('"')[0] for address in frames if address.startswith(SITE)]


async def framed(door: FrontDoor, url: str) -> httpx2.Response:
    """Load an address as a hidden frame of another site does: without our cookies."""
    return await door.raw("GET", url, headers=IN_A_FRAME)


@pytest.mark.parametrize("sends_iss", [True, False])
async def test_sign_out_at_the_authority(intranet: FrontDoor, entra: Entra, sends_iss: bool) -> None:
    """OUT-3, SEC-100: the session of that sign-in ends, with `iss` and without, and nobody else's does."""
    entra.state.logout_sends_iss = sends_iss
    browser, session = await signed_in(intranet)
    _, other = await signed_in(intranet)
    (frame,) = await frames_at_sign_out(browser)
    assert ("iss=" in frame) == sends_iss
    assert (await framed(intranet, frame)).status_code == 200
    assert not await works(intranet, session)
    assert await works(intranet, other)
    ended = intranet.events[-1]
    assert (ended.name, ended.reason) == ("session_ended", "frontchannel_logout")


async def test_known_and_unknown_look_alike(intranet: FrontDoor) -> None:
    """SEC-100: nobody learns from the answer whether there was such a session."""
    browser, session = await signed_in(intranet)
    (frame,) = await frames_at_sign_out(browser)
    known, again, unknown = [await framed(intranet, url) for url in (frame, frame, f"{LOGOUT}?sid=nobodys")]
    assert known.status_code == again.status_code == unknown.status_code == 200
    assert known.content == again.content == unknown.content == b""
    headers = [{name: v for name, v in each.headers.items() if name != "x-correlation-id"} for each in (known, unknown)]
    assert headers[0] == headers[1]
    assert not await works(intranet, session)


async def test_no_call_goes_out(intranet: FrontDoor) -> None:
    """SEC-101: nothing is asked of the authority, so that a flood of frames cannot make us flood it."""
    browser, _ = await signed_in(intranet)
    (frame,) = await frames_at_sign_out(browser)
    await house_of(intranet.app).people.profiles.aclose()  # what the sign-in asks Graph comes after it
    calls = len(intranet.internet.calls)
    await framed(intranet, frame)
    assert [url for _, url in intranet.internet.calls[calls:]] == [frame]
    intranet.entra.state.clock.move(timedelta(days=2))
    await framed(intranet, f"{LOGOUT}?sid=x")
    assert len(intranet.internet.calls) == calls + 2
