"""What a stranger can write into an address on the way of an organisation in, and what comes of it (LOG-12)."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTHORITY, FrontDoor
from tests.journeys.test_many_tenants import SITE
from tests.journeys.test_onboarding import ONBOARDING, portal, tenants

RETURN = f"{ONBOARDING}/return"


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """An application where a consent alone lets an organisation in: the most that can be won."""
    async with portal(entra, tmp_path, "consent") as running:
        yield running


async def begun(door: FrontDoor) -> tuple[Browser, str]:
    """Begin; return the browser, which stands before the authority's page, and the state."""
    browser = door.browser()
    await browser.open(f"{ONBOARDING}/begin")
    asked = next(url for url in browser.visited if "/adminconsent" in url)
    return browser, parse_qs(urlsplit(asked).query)["state"][0]


def answer(state: str, /, **changes: str) -> str:
    """Return the address to which the authority would send a browser, with some of it otherwise."""
    fields = {"admin_consent": "True", "tenant": seeds.NETTLE.id, "state": state, **changes}
    return f"{RETURN}?{urlencode({name: value for name, value in fields.items() if value})}"


async def signs_in(browser: Browser, upn: str) -> Browser:
    """Sign in at the authority, where the browser stands."""
    await browser.press("Next", username=upn)
    while browser.page.url.startswith(AUTHORITY):
        button = next(each for each in ("No", "Accept", "Sign in") if browser.page.has_button(each))
        await browser.press(button, **({"password": seeds.PASSWORD} if button == "Sign in" else {}))
    return browser


async def test_another_organisation_is_not_brought_in(door: FrontDoor) -> None:
    """SEC-122: whoever writes another tenant into the answer is held against their own ID token."""
    browser, state = await begun(door)
    await browser.open(answer(state, tenant=seeds.CEDAR.id))
    await signs_in(browser, "mallory@nettle.example")
    assert "That was another organisation" in browser.page.text
    assert (await browser.fetch(f"{SITE}/api/auth/me")).status_code == 401
    assert "no tenant has been on-boarded yet" in await tenants(door, "list")


async def test_a_member_cannot_pass_for_an_administrator(door: FrontDoor) -> None:
    """SEC-122: a consent that nobody gave, and a member's ID token: noted as a request, and nobody is let in."""
    browser, state = await begun(door)
    await browser.open(answer(state))
    await signs_in(browser, "mallory@nettle.example")
    assert "Your request has arrived" in browser.page.text
    assert (await browser.fetch(f"{SITE}/api/auth/me")).status_code == 401
    assert f"{seeds.NETTLE.id}  requested" in await tenants(door, "list")


async def test_another_browsers_answer(door: FrontDoor) -> None:
    """SEC-003, SEC-013: an answer is taken only by the browser that asked, and nothing goes on from there."""
    _, state = await begun(door)
    victim, _ = await begun(door)
    page = await victim.open(answer(state))
    assert (page.status, "This cannot be finished here" in page.text) == (400, True)
    assert not [url for url in victim.visited if url.startswith(AUTHORITY)]
    assert (await door.browser().open(answer(state))).status == 400


async def test_an_answer_is_taken_once(door: FrontDoor) -> None:
    """SEC-014: also by the browser that keeps its cookie, as one whose disk was copied does."""
    browser, state = await begun(door)
    kept = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.jar.of("localhost").items())}
    first = await door.raw("GET", answer(state), headers=kept)
    again = await door.raw("GET", answer(state), headers=kept)
    assert (first.status_code, again.status_code) == (302, 400)


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": ""},
        {"tenant": "organizations"},
        {"tenant": "9188040d-6c67-4c5b-b112-36a304b66dad"},
        {"tenant": f"{seeds.NETTLE.id}/../x"},
        {"admin_consent": "False"},
        {"admin_consent": ""},
        {"state": ""},
        {"state": "x" * 129},
    ],
    ids=lambda changes: " ".join(f"{name}:{len(value)}" for name, value in changes.items()),
)
async def test_an_answer_that_says_nothing_usable(door: FrontDoor, changes: dict[str, str]) -> None:
    """SEC-016: it leads nowhere but to our own page."""
    browser, state = await begun(door)
    page = await browser.open(answer(state, **changes))
    assert page.status == 400
    assert page.url.startswith(f"{SITE}/api/auth/failed")


async def test_an_answer_that_repeats_itself(door: FrontDoor) -> None:
    """SEC-016: two tenants are none."""
    browser, state = await begun(door)
    assert (await browser.open(f"{answer(state)}&tenant={seeds.CEDAR.id}")).status == 400


async def test_words_of_the_answer_are_not_repeated(door: FrontDoor) -> None:
    """SEC-015: an error comes in our words, whatever the address says."""
    browser, state = await begun(door)
    page = await browser.open(answer(state, error="access_denied", error_description="Call 555-0100 now", tenant=""))
    assert "Your organisation did not agree" in page.text
    assert "555" not in page.text


async def test_an_invented_page_at_the_end(door: FrontDoor) -> None:
    """SEC-085: whose organisation is let in is told to nobody who was not led there."""
    page = await door.browser().open(f"{ONBOARDING}/done?of={seeds.CEDAR.id}")
    assert page.url == ONBOARDING


@pytest.mark.parametrize("path", ["begin", "return"])
async def test_heads_and_prefetches_begin_nothing(door: FrontDoor, path: str) -> None:
    """SEC-088: a mail scanner's HEAD and a browser's guess spend no attempt."""
    head = await door.raw("HEAD", f"{ONBOARDING}/{path}")
    guess = await door.raw("GET", f"{ONBOARDING}/{path}", headers={"sec-purpose": "prefetch"})
    assert (head.status_code, guess.status_code) == (405, 503)
    assert "set-cookie" not in head.headers | guess.headers
