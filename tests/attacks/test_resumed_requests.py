"""A form that waits for a step-up is its person's alone, as it was sent, and once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from tests.browser import FORM, HTML, Browser
from tests.front_door import AUTH, BASE, EVIL, SESSION, FrontDoor, running
from tests.journeys.test_step_up import HOST, OLGA, bank, navigating, signed_in, walk_on

PAY = f"{BASE}/pay?to=x"


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=bank) as front_door:
        yield front_door


async def refused_form(door: FrontDoor, browser: Browser, body: bytes = b"", **headers: str) -> httpx2.Response:
    """Send the form as the browser does, without following where the refusal leads."""
    token = browser.page.form_with("Pay")[0].fields["csrf_token"]
    given = await navigating(browser) | {"content-type": FORM} | headers
    return await door.raw("POST", PAY, headers=given, content=b"csrf_token=%s&amount=7" % token.encode() + body)


def onward(refused: httpx2.Response) -> str:
    return BASE + refused.headers["refresh"].removeprefix("0; url=")


async def waiting(door: FrontDoor) -> tuple[Browser, dict[str, str]]:
    """Return Olga's browser, back with the page that would send the form, and the fields of that page."""
    browser = await signed_in(door)
    await browser.open(onward(await refused_form(door, browser)))
    await walk_on(door, browser)
    return browser, browser.page.form_with("Send it now")[0].fields


async def send(door: FrontDoor, browser: Browser, url: str, fields: dict[str, str], **headers: str) -> httpx2.Response:
    given = await navigating(browser) | {"content-type": FORM} | headers
    return await door.raw("POST", url, headers=given, content=urlencode(fields))


async def test_once(door: FrontDoor) -> None:
    """SEC-021: pressed twice, at once or later, it is sent once; the second press says so."""
    browser, fields = await waiting(door)
    assert (await send(door, browser, PAY, fields)).status_code == 200
    again = await send(door, browser, PAY, fields)
    assert (again.status_code, "Nothing was sent again" in again.text) == (410, True)
    assert door.app.state.paid == ["Olga Onetime"]
    await browser.open(f"{AUTH}/resume?of={fields['entrada_resume']}")
    assert browser.page.status == 410


async def test_to_its_own_address_only(door: FrontDoor) -> None:
    """A number is good at the address where the form was sent, query included, and nowhere else."""
    browser, fields = await waiting(door)
    for url in (f"{BASE}/pay?to=y", f"{BASE}/pay", f"{BASE}/send"):
        assert (await send(door, browser, url, fields)).status_code == 410
    assert not hasattr(door.app.state, "paid")
    assert (await send(door, browser, PAY, fields)).status_code == 200


async def test_not_by_another_site(door: FrontDoor) -> None:
    """SEC-089, SEC-090: the form that resumes passes both proofs of source; a number alone does nothing."""
    browser, fields = await waiting(door)
    foreign = await send(door, browser, PAY, fields, **{"sec-fetch-site": "cross-site", "origin": EVIL})
    assert foreign.status_code == 403
    bare = {"entrada_resume": fields["entrada_resume"]}
    assert (await send(door, browser, PAY, bare)).status_code == 403
    assert (await send(door, browser, PAY, bare | {"csrf_token": "x" * 43})).status_code == 403
    assert not hasattr(door.app.state, "paid")


async def test_not_by_somebody_else(door: FrontDoor) -> None:
    """BEY-3, SEC-136: another person, with a session as strong, cannot send it with its number, nor look at it."""
    _, fields = await waiting(door)
    stranger, theirs = await waiting(door)
    stolen = theirs | {"entrada_resume": fields["entrada_resume"]}
    assert (await send(door, stranger, PAY, stolen)).status_code == 410
    await stranger.open(f"{AUTH}/resume?of={fields['entrada_resume']}")
    assert stranger.page.status == 410
    assert "amount" not in stranger.page.text


async def test_another_person_comes_back(door: FrontDoor) -> None:
    """BEY-3: who signs in at the authority as somebody else finds nothing of what the first one sent."""
    browser = await signed_in(door)
    link = onward(await refused_form(door, browser))
    kept = browser.jar.cookies  # the authority has forgotten who was here, and asks
    browser.jar.cookies = {key: cookie for key, cookie in kept.items() if cookie.host == HOST}
    door.entra.state.totp.enrol(door.entra.user("ada@birch.example"), seeds.TOTP_SECRET)
    await browser.open(link)
    await browser.press("Use another account")
    await walk_on(door, browser, "ada@birch.example")
    assert "/resume?" in browser.page.url
    assert browser.page.status == 410
    assert not hasattr(door.app.state, "paid")


async def test_too_large_is_not_kept(door: FrontDoor) -> None:
    """SEC-157: a body over 64 KiB is not held: the page says so by leading back to the form, and nothing is sent."""
    browser = await signed_in(door)
    refused = await refused_form(door, browser, b"&note=" + b"x" * 65_536)
    assert (refused.status_code, "refresh" in refused.headers) == (401, False)
    assert "One more step is needed" in refused.text


async def test_of_a_strange_kind_is_not_kept(door: FrontDoor) -> None:
    """Only forms and JSON are held."""
    browser = await signed_in(door)
    token = browser.page.form_with("Pay")[0].fields["csrf_token"]
    headers = await navigating(browser) | {"content-type": "application/xml", "x-csrf": token}
    refused = await door.raw("POST", PAY, headers=headers, content=b"<a/>")
    assert (refused.status_code, "refresh" in refused.headers) == (401, False)


async def test_a_tampered_address(door: FrontDoor) -> None:
    """SEC-085: what is asked is sealed: a changed or invented address begins nothing."""
    browser = await signed_in(door)
    sealed = parse_qs(urlsplit(onward(await refused_form(door, browser))).query)["for"][0]
    asked = door.calls("/authorize?")
    for text in ("", "x", sealed[:-2] + ("AA" if sealed[-2:] != "AA" else "BB"), sealed + "A", "A" * 5000):
        await browser.open(f"{AUTH}/step-up?{urlencode({'for': text})}")
        assert browser.page.status == 400
    assert door.calls("/authorize?") == asked


async def test_what_is_pending_is_no_session(door: FrontDoor) -> None:
    """SEC-080: neither the sealed address nor the attempt's cookie lets anybody in anywhere, weakly or strongly."""
    browser = await signed_in(door)
    link = onward(await refused_form(door, browser))
    await browser.open(link)
    sealed = parse_qs(urlsplit(link).query)["for"][0]
    attempts = [value for answer in browser.answers for value in answer.headers.get_list("set-cookie")]
    pending = [each.partition("=")[2].partition(";")[0] for each in attempts if "entrada-signin-" in each]
    assert pending
    for value in (sealed, *pending):
        assert await door.reuse(value) == 401


async def test_an_old_one(door: FrontDoor) -> None:
    """After ten minutes the address begins nothing, and what was held is gone."""
    browser, fields = await waiting(door)
    link = onward(await refused_form(door, await signed_in(door)))
    door.entra.state.clock.move(timedelta(minutes=10, seconds=1))
    assert (await send(door, browser, PAY, fields)).status_code == 410
    await browser.open(link)
    assert browser.page.status == 400


async def test_it_ends_with_the_session(door: FrontDoor) -> None:
    """OUT-1: who signs out leaves nothing behind that could be sent."""
    browser, fields = await waiting(door)
    session = browser.jar.of(HOST)[SESSION]
    await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})
    again = await signed_in(door)
    token = again.page.form_with("Pay")[0].fields["csrf_token"]
    assert (await send(door, again, PAY, fields | {"csrf_token": token})).status_code == 410
    assert await door.reuse(session) == 401


async def test_the_page_shows_nothing_of_it(door: FrontDoor) -> None:
    """SEC-161: the page that sends it holds a number, not the body; its one script carries the page's nonce."""
    browser, _ = await waiting(door)
    page = browser.page
    assert "amount" not in page.html
    nonce = page.html.split('nonce="')[1].split('"')[0]
    policy = page.headers["content-security-policy"]
    assert f"script-src 'nonce-{nonce}'" in policy
    assert "default-src 'none'" in policy
    assert page.headers["cache-control"] == "no-store"


async def test_the_three_latest_wait(door: FrontDoor) -> None:
    """Of several tabs the three latest forms wait; an older one makes room."""
    browser = await signed_in(door)
    links = [onward(await refused_form(door, browser, b"&tab=%d" % number)) for number in range(4)]
    found = []
    for link in links:
        await browser.open(link)
        await walk_on(door, browser)
        found.append(browser.page.status)
    assert found == [410, 200, 200, 200]


@pytest.mark.parametrize("accept", [HTML, "application/json"])
async def test_no_body_in_the_answer(door: FrontDoor, accept: str) -> None:
    """SEC-177: the refusal repeats nothing of what was sent."""
    browser = await signed_in(door, OLGA)
    refused = await refused_form(door, browser, b"&secret=cinnamon", accept=accept)
    assert refused.status_code == 401
    assert "cinnamon" not in refused.text
    assert seeds.PASSWORD not in refused.text
