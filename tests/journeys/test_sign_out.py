"""Signing out ends the session here, in the browser, and leads to the authority's sign-out and back."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, walk_through

HOST = "portal.birch.example"
LEAVING = "__Host-entrada-leaving"


async def test_there_and_here(door: FrontDoor) -> None:
    """OUT-1, SEC-097, SEC-098: here first, then the browser, then the authority, and back to our page."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    await browser.press("Sign out")
    leaving = next(url for url in browser.visited if url.startswith(AUTHORITY))
    query = {name: values[0] for name, values in parse_qs(urlsplit(leaving).query).items()}
    assert query["post_logout_redirect_uri"] == f"{BASE}/signed-out"
    assert query["logout_hint"]
    assert "@" not in leaving
    assert SESSION not in browser.jar.of(HOST)
    assert [event.name for event in door.events] == ["sign_in", "sign_out"]
    assert await door.reuse(session) == 401


async def test_back_on_our_page(door: FrontDoor) -> None:
    """OUT-1, SEC-103: the authority leads back to our page; the back button shows nothing protected."""
    browser = await door.signed_in()
    await browser.press("Sign out")
    assert browser.page.url.split("?")[0] == f"{BASE}/signed-out", browser.page.text
    assert "signed out" in browser.page.text.lower()
    await browser.open(f"{BASE}/private")
    assert browser.page.url.startswith(AUTHORITY)


async def test_what_the_browser_is_told_to_forget(door: FrontDoor) -> None:
    """SEC-103: the answer clears cache and storage, and is not stored itself."""
    browser = await door.signed_in()
    await browser.press("Sign out")
    headers = browser.answers[0].headers
    assert headers["clear-site-data"] == '"cache", "storage"'
    assert "no-store" in headers["cache-control"]


async def test_by_script(door: FrontDoor) -> None:
    """OUT-1: a script gets JSON with the address to go to."""
    browser = await door.signed_in()
    answer = await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})
    assert answer.status_code == 200
    assert answer.json()["ended"] == {"here": True, "browser": True}
    assert answer.json()["next"].startswith(AUTHORITY)
    assert SESSION not in browser.jar.of(HOST)


async def test_without_a_session(door: FrontDoor) -> None:
    """OUT-2: it succeeds all the same."""
    browser = door.browser()
    await browser.open(f"{BASE}/")
    answer = await browser.fetch(f"{AUTH}/logout", method="POST")
    assert answer.status_code == 200
    assert answer.json()["ended"] == {"here": True, "browser": True}


@pytest.mark.parametrize("kept", ["nothing", "the note", "the cookie"])
async def test_twice(door: FrontDoor, kept: str) -> None:
    """REL-064: two presses in one breath end as one does, at our last page, whatever the browser kept of the first."""
    browser = await door.signed_in()
    page, session = browser.page, browser.jar.of(HOST)[SESSION]
    assert (await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})).status_code == 200
    if kept != "the note":
        browser.jar.keep_raw(f"{BASE}/", f"{LEAVING}=; Path=/; Secure; Max-Age=0")
    if kept == "the cookie":
        browser.jar.keep_raw(f"{BASE}/", f"{SESSION}={session}; Path=/; Secure; HttpOnly; SameSite=Lax")
    browser.history.append(page)
    await browser.press("Sign out")
    at_the_authority = any(url.startswith(AUTHORITY) for url in browser.visited)
    assert at_the_authority is (kept != "nothing")
    assert "signed out" in browser.page.text.lower()


async def test_in_and_out_is_no_loop(door: FrontDoor) -> None:
    """SEC-021: who signs in and out several times within a minute is not stopped: each time it held."""
    browser = await door.signed_in()
    for _ in range(4):
        await browser.press("Sign out")
        await browser.open(f"{BASE}/private")
        assert browser.page.url.startswith(AUTHORITY), browser.page.text
        await walk_through(browser)
        assert browser.page.url == f"{BASE}/private"
