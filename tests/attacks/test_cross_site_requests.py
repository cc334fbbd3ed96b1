"""Another site cannot make the browser change anything with the session cookie."""

import httpx2
import pytest

from tests.browser import Browser
from tests.front_door import AUTH, BASE, EVIL, SESSION, FrontDoor
from tests.page import Page, read_page

HOST = "portal.birch.example"
FORM = {"content_type": "application/x-www-form-urlencoded"}
OURS = {"sec_fetch_site": "same-origin"}


async def send(door: FrontDoor, path: str, headers: dict[str, str], content: str) -> httpx2.Response:
    """Send a POST with exactly these headers."""
    return await door.raw("POST", f"{BASE}{path}", headers=headers, content=content)


async def post(door: FrontDoor, browser: Browser, path: str, *, content: str = "", **headers: str) -> int:
    """Send a POST with the session cookie and exactly these headers, as any client could; return its status."""
    sent = {"accept": "application/json", "cookie": f"{SESSION}={browser.jar.of(HOST)[SESSION]}"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    return (await send(door, path, sent, content)).status_code


@pytest.mark.parametrize("path", ["/note", "/api/auth/logout"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"x_csrf": "1"}, 403),
        ({"sec_fetch_site": "same-origin"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({"sec_fetch_site": "same-site", "x_csrf": "1"}, 403),
        ({"sec_fetch_site": "cross-site", "x_csrf": "1"}, 403),
        ({"sec_fetch_site": "cross-site", "x_csrf": "1", "origin": BASE}, 403),
        ({"origin": EVIL, "x_csrf": "1"}, 403),
        ({"origin": "null", "x_csrf": "1"}, 403),
        ({"origin": "http://portal.birch.example", "x_csrf": "1"}, 403),
        ({"origin": f"{BASE}:8443", "x_csrf": "1"}, 403),
        ({"origin": f"{BASE}.evil.example", "x_csrf": "1"}, 403),
        ({"sec_fetch_site": "same-origin", "x_csrf": "0"}, 403),
        ({"sec_fetch_site": "same-origin", "x_csrf": ""}, 403),
        ({"sec_fetch_site": "same-origin", "x_csrf": "1"}, 200),
        ({"sec_fetch_site": "none", "x_csrf": "1"}, 200),
        ({"origin": BASE, "x_csrf": "1"}, 200),
    ],
)
async def test_two_proofs(door: FrontDoor, path: str, headers: dict[str, str], status: int) -> None:
    """SEC-089, SEC-090: where it comes from, and something another site cannot send; one alone is refused."""
    browser = await door.signed_in()
    assert await post(door, browser, path, **headers) == status


async def test_what_was_forgotten(door: FrontDoor) -> None:
    """Who writes the page is told what proves a request: the script's author in the answer, the form's in development.

    Nobody else learns of it, since only what comes from our own pages gets as far.
    """
    browser = await door.signed_in()
    sent = {"cookie": f"{SESSION}={browser.jar.of(HOST)[SESSION]}", "sec-fetch-site": "same-origin"}
    script = await send(door, "/note", sent | {"accept": "application/json"}, "")
    assert (script.json()["code"], "X-CSRF: 1" in script.json()["detail"]) == ("cross_site_request", True)
    form = await send(door, "/note", sent | {"accept": "text/html", "sec-fetch-mode": "navigate"}, "")
    assert "did not come from this site" in form.text
    assert "csrf_token" in form.text.partition("For whoever looks after this application")[2]


async def test_form_token(door: FrontDoor) -> None:
    """SEC-090: the form field proves it too: this session's own, not another's, not a changed one."""
    browser, other = await door.signed_in(), await door.signed_in("ada@birch.example")
    token, foreign = (each.page.forms[0].fields["csrf_token"] for each in (browser, other))
    assert await post(door, browser, "/note", content=f"csrf_token={token}&text=a", **OURS, **FORM) == 200
    assert await post(door, browser, "/note", content=f"csrf_token={foreign}", **OURS, **FORM) == 403
    assert await post(door, browser, "/note", content=f"csrf_token={token[:-1]}", **OURS, **FORM) == 403
    assert await post(door, browser, "/note", content=f"csrf_token={token}&csrf_token={token}", **OURS, **FORM) == 403
    assert await post(door, browser, "/note", content=f"csrf_token={token}", **OURS) == 403


async def test_multipart_form(door: FrontDoor) -> None:
    """SEC-090: the field is found in a multipart form as well, and the body reaches the application whole."""
    browser = await door.signed_in()
    token = browser.page.forms[0].fields["csrf_token"]
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in
             (("csrf_token", token), ("text", "x" * 200_000))]  # fmt: skip
    content = "".join(f"--b\r\n{part}" for part in parts) + "--b--\r\n"
    headers = {"sec-fetch-site": "same-origin", "content-type": "multipart/form-data; boundary=b"}
    headers["cookie"] = f"{SESSION}={browser.jar.of(HOST)[SESSION]}"
    answer = await send(door, "/length", headers, content)
    assert answer.json() == {"length": len(content)}
    answer = await send(door, "/length", headers, content.replace(token, token[::-1]))
    assert answer.status_code == 403


def evil_page() -> Page:
    """Return a page of another site."""
    return read_page(f"{EVIL}/", httpx2.Response(200, headers={"content-type": "text/html"}))


async def test_logout_from_another_site(door: FrontDoor) -> None:
    """SEC-088, SEC-097: another site's form signs nobody out, even though the browser holds the Lax cookie back."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    await browser.send_form(f"{AUTH}/logout", {}, from_page=evil_page())
    assert browser.page.status == 403
    assert browser.jar.of(HOST)[SESSION] == session
    assert await door.reuse(session) == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_safe_methods_sign_nobody_out(door: FrontDoor, method: str) -> None:
    """SEC-088: a link, an image or a preflight changes nothing."""
    browser = await door.signed_in()
    answer = await browser.fetch(f"{AUTH}/logout", method=method)
    assert answer.status_code == 405
    assert await door.reuse(browser.jar.of(HOST)[SESSION]) == 200


async def test_method_override(door: FrontDoor) -> None:
    """SEC-091: headers that claim another method are not heard."""
    browser = await door.signed_in()
    answer = await browser.fetch(f"{AUTH}/logout", headers={"x-http-method-override": "POST", "x-csrf": "1"})
    assert answer.status_code == 405


async def test_without_a_session_cookie_there_is_nothing_to_forge(door: FrontDoor) -> None:
    """SEC-089 is for cookies: a webhook without one is not asked where it comes from."""
    answer = await door.raw("POST", f"{BASE}/hook", headers={}, content="{}")
    assert answer.status_code == 200
