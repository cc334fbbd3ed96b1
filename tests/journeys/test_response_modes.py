"""Signing in where the authority posts its answer, and on a developer's own machine over plain http."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, running, walk_through

HOST = "portal.birch.example"
LOCAL = "http://localhost:8000"


@pytest.fixture
async def posting(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application with form_post."""
    async with running(entra, tmp_path, response_mode="form_post") as door:
        yield door


async def test_form_post(posting: FrontDoor) -> None:
    """LOG-2, SEC-018, SEC-082: the answer comes by a cross-site POST, and leads to the page."""
    browser = await posting.signed_in()
    assert browser.page.url == f"{BASE}/private"
    assert "Hello Mia Member" in browser.page.text
    assert browser.visited[0] == f"{AUTH}/callback"
    assert [answer.status_code for answer in browser.answers] == [303, 200]


async def test_form_post_cookies(posting: FrontDoor) -> None:
    """SEC-082: only the attempt's cookie is SameSite=None, for ten minutes; the session's stays Lax."""
    browser = posting.browser()
    await browser.open(f"{BASE}/private")
    (attempt,) = [cookie for cookie in browser.jar.cookies.values() if "signin" in cookie.name]
    assert attempt.same_site == "none"
    assert attempt.secure
    assert "max-age=600" in attempt.raw
    await walk_through(browser)
    (session,) = [cookie for cookie in browser.jar.cookies.values() if cookie.name == SESSION]
    assert session.same_site == "lax"


async def test_form_post_beside_a_session(posting: FrontDoor) -> None:
    """SEC-071: the session that the browser had at the start ends, although its cookie does not cross sites."""
    browser = await posting.signed_in()
    first = browser.jar.of(HOST)[SESSION]
    await browser.open(f"{AUTH}/login?return_to=/private")
    await browser.press("Continue")
    assert browser.jar.of(HOST)[SESSION] != first
    assert await posting.reuse(first) == 401


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=b", "text/plain", ""])
async def test_form_post_of_another_kind(posting: FrontDoor, kind: str) -> None:
    """SEC-018: only a form is taken."""
    answer = await posting.raw("POST", f"{AUTH}/callback", headers={"content-type": kind}, content="state=a&code=b")
    assert answer.status_code == 415


async def test_form_post_by_get(posting: FrontDoor) -> None:
    """SEC-018: an answer in the address is refused when a posted one was asked for."""
    answer = await posting.raw("GET", f"{AUTH}/callback?state=a&code=b")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


async def test_form_post_too_large(posting: FrontDoor) -> None:
    """REL-052: a body beyond any honest answer is refused while it is being read."""
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for content, status in (("a=" + "b" * 100_000, 413), ("&".join(f"a{n}=b" for n in range(60)), 400)):
        answer = await posting.raw("POST", f"{AUTH}/callback", headers=headers, content=content)
        assert answer.status_code == status


async def test_on_this_machine(entra: Entra, tmp_path: Path) -> None:
    """RUN-1, trap 3: over http on localhost the cookies have bare names and no Secure."""
    async with running(entra, tmp_path, base_url=LOCAL) as door:
        browser = door.browser()
        await browser.open(f"{LOCAL}/private")
        assert browser.page.url.startswith(AUTHORITY)
        await walk_through(browser)
        assert browser.page.url == f"{LOCAL}/private"
        (session,) = [cookie for cookie in browser.jar.cookies.values() if cookie.name == "entrada"]
        assert not session.secure
        assert session.http_only
        assert session.same_site == "lax"
        await browser.press("Sign out")
        assert "entrada" not in browser.jar.of("localhost")
