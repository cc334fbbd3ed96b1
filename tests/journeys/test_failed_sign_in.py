"""A sign-in that fails is told at an address of its own, which holds neither the code nor anything readable."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.attacks.test_state import changed, stopped_at_callback
from tests.front_door import AUTH, BASE, FrontDoor

JUNK = ("", "x", "A" * 5000, "AAAA-_", "é")


async def test_the_code_leaves_the_address_bar(door: FrontDoor) -> None:
    """SEC-019: the page stands at an address without the answer; it is the callback's failure, number and all."""
    browser, url = await stopped_at_callback(door)
    await browser.open(changed(url, state="another"))
    code = parse_qs(urlsplit(url).query)["code"][0]
    assert browser.page.url.startswith(f"{AUTH}/failed?why=")
    assert code not in browser.page.url + browser.page.html
    assert browser.page.status == 400
    first, second = (answer.headers["x-correlation-id"] for answer in browser.answers)
    assert first == second
    assert first in browser.page.text
    assert [event.correlation_id for event in door.events] == [first]


async def test_its_reload_says_the_same_until_it_is_over(door: FrontDoor) -> None:
    """REL-061: reloading asks nobody anything; after ten minutes it still leads on."""
    browser, url = await stopped_at_callback(door)
    await browser.open(f"{AUTH}/callback?error=access_denied&state=" + parse_qs(urlsplit(url).query)["state"][0])
    failed, said = browser.page.url, browser.page.text
    assert browser.page.status == 403
    assert (await browser.reload(failed)).text == said
    door.entra.state.clock.move(timedelta(minutes=10))
    assert (await browser.reload(failed)).title == "This sign-in cannot be finished"
    await browser.follow("Sign in")
    assert browser.page.url == f"{BASE}/"
    assert door.calls("/token") == 1


@pytest.mark.parametrize("why", JUNK)
async def test_what_was_not_sealed_here_says_nothing_of_its_own(door: FrontDoor, why: str) -> None:
    """SEC-177: the page repeats nothing that came with the request."""
    page = await door.browser().open(f"{AUTH}/failed?why={why}")
    assert (page.status, page.title) == (400, "This sign-in cannot be finished")
    assert len(why) < 5 or why not in page.html


async def test_whoever_is_signed_in_meanwhile_goes_where_they_wanted(door: FrontDoor) -> None:
    """REL-061, REL-064: the answer of a second click finds the attempt used, and leads to its page, not elsewhere."""
    browser, url = await stopped_at_callback(door)
    kept = dict(browser.jar.cookies)
    await browser.open(url)
    session = {key: cookie for key, cookie in browser.jar.cookies.items() if key not in kept}
    browser.jar.cookies = kept | session
    assert (await browser.open(url)).url == f"{BASE}/private"
    browser.jar.cookies = kept  # as if the answer with the session had not come yet
    onward = await browser.fetch(url, headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
    browser.jar.cookies = kept | session
    assert (await browser.open(BASE + onward.headers["location"])).url == f"{BASE}/private"
    assert door.calls("/token") == 1


@pytest.mark.parametrize("purpose", ["prefetch", "prefetch;prerender"])
async def test_what_is_only_prefetched_begins_and_spends_nothing(door: FrontDoor, purpose: str) -> None:
    """REL-061, SEC-088: a browser that guesses where somebody will go does not sign them in."""
    browser, url = await stopped_at_callback(door)
    for address in (f"{AUTH}/login", url):
        answer = await browser.fetch(address, headers={"sec-purpose": purpose, "accept": "text/html"})
        assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
        assert "set-cookie" not in answer.headers
    assert (await browser.open(url)).url == f"{BASE}/private"


async def test_head_begins_no_attempt(door: FrontDoor) -> None:
    """SEC-088: whoever only asks for the headers of the sign-in gets no attempt."""
    answer = await door.browser().fetch(f"{AUTH}/login", method="HEAD")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert "set-cookie" not in answer.headers


async def test_an_answer_lost_on_the_line_costs_one_click(door: FrontDoor) -> None:
    """REL-064: redeemed, but the browser never got the cookie: its reload is a page with a button, which leads on."""
    browser, url = await stopped_at_callback(door)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.jar.cookies.values())
    lost = await door.browser().fetch(url, headers={"cookie": cookies, "accept": "text/html"})
    assert lost.status_code == 303
    page = await browser.reload(url)
    assert page.title == "This sign-in cannot be finished"
    await browser.follow("Sign in")
    assert browser.page.url == f"{BASE}/private"
