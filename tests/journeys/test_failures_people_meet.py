"""What goes wrong at sign-in is said on a page: what happened, what to do, and the number to quote."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.attacks.test_state import stopped_at_callback
from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, running, walk_through
from tests.page import Page

HOST = "portal.birch.example"


def explained(page: Page, *, status: int) -> None:
    """Hold a page against what every error page must have (SEC-177, SEC-160)."""
    assert page.status == status, page.text
    assert page.is_html
    assert page.headers["x-correlation-id"] in page.text
    assert "no-store" in page.headers["cache-control"]
    assert "Traceback" not in page.html
    assert page.links, "a way on"


async def test_wrong_secret(entra: Entra, tmp_path: Path) -> None:
    """LOG-6: with a wrong client secret a person reads that the set-up is at fault, and the operator which setting."""
    async with running(entra, tmp_path, client_secret="not-the-right-one") as door:
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
    explained(browser.page, status=500)
    assert "AADSTS7000215" in browser.page.text
    assert "client_secret is wrong" in browser.page.text
    assert "not-the-right-one" not in browser.page.html


async def test_redirect_uri_mismatch(entra: Entra, tmp_path: Path) -> None:
    """LOG-6: the authority itself refuses an unregistered redirect URI; its page names the code."""
    async with running(entra, tmp_path, prefix="/elsewhere") as door:
        browser = door.browser()
        await browser.open(f"{BASE}/private")
    assert browser.page.url.startswith(AUTHORITY)
    assert "AADSTS50011" in browser.page.text


async def test_authority_down_at_the_start(entra: Entra, tmp_path: Path) -> None:
    """REL-001, SEC-179: the application starts without the authority and says 503 with Retry-After meanwhile."""
    entra.state.faults.add(Fault(endpoint="metadata", kind="status", times=2))
    async with running(entra, tmp_path) as door:
        browser = door.browser()
        await browser.open(f"{BASE}/private")
        explained(browser.page, status=503)
        assert int(browser.page.headers["retry-after"]) > 0
        entra.state.faults.clear()
        entra.state.clock.move(timedelta(minutes=2))
        await browser.open(f"{BASE}/private")
        assert browser.page.url.startswith(AUTHORITY)
        page = await browser.open(f"{BASE}/api/auth/callback")
        assert f"form-action 'self' {AUTHORITY}" in page.headers["content-security-policy"]


async def test_authority_down_at_the_callback(door: FrontDoor) -> None:
    """REL-001, SEC-179: token endpoint down: 503, nobody signed in, and a later attempt succeeds."""
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", status=503))
    browser, url = await stopped_at_callback(door)
    await browser.open(url)
    explained(browser.page, status=503)
    assert "retry-after" in browser.page.headers
    assert SESSION not in browser.jar.of(HOST)
    await browser.open(f"{BASE}/private")
    assert "Hello Mia Member" in browser.page.text


async def test_authority_down_harms_no_session(door: FrontDoor) -> None:
    """REL-001: who is signed in stays so while the authority is down."""
    browser = await door.signed_in()
    del door.internet.hosts["login.microsoftonline.com"]
    await browser.open(f"{BASE}/private")
    assert "Hello Mia Member" in browser.page.text


async def test_clock_wrong(entra: Entra, tmp_path: Path) -> None:
    """LOG-6, SEC-040: a clock of ours that is an hour late refuses the token; the page says what may be wrong."""

    def late() -> "object":
        return entra.state.clock.now() - timedelta(hours=1)

    async with running(entra, tmp_path, options={"clock": late}) as door:
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
    explained(browser.page, status=403)
    assert "clock" in browser.page.text
    assert SESSION not in browser.jar.of(HOST)


async def test_cookies_blocked(door: FrontDoor) -> None:
    """REL-062: a browser that keeps no cookie of ours is told just that; there is no loop."""
    browser = door.browser(cookies_blocked=True)
    answer = await browser.open(f"{AUTH}/callback?code=x&state=y")
    assert answer.status == 400
    assert answer.title == "Sign in"
    assert "did not keep the cookie" in answer.text
    assert not door.internet.calls[-1][1].startswith(AUTHORITY)


async def test_expired(door: FrontDoor) -> None:
    """LOG-6: who takes more than ten minutes reads so, and signs in again with one click."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    door.entra.state.clock.move(timedelta(minutes=11))
    await browser.open(f"{AUTH}/callback?code=x&state=y")
    explained(browser.page, status=400)
    assert "too long" in browser.page.text
    await browser.follow("Sign in")
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/"


async def test_inactive_user(door: FrontDoor) -> None:
    """USR-3: the authority's disabled person does not get in."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    await browser.press("dan@birch.example")
    assert SESSION not in browser.jar.of(HOST)


async def test_session_cookie_that_does_not_hold(door: FrontDoor) -> None:
    """SEC-021, REL-062: a browser that loses the session cookie each time is stopped after three rounds."""
    browser = await door.signed_in()
    rounds = 0
    while browser.page.url == f"{BASE}/private":
        rounds += 1
        assert rounds <= 3
        browser.jar.cookies = {key: kept for key, kept in browser.jar.cookies.items() if kept.name != SESSION}
        await browser.open(f"{BASE}/private")
    assert browser.page.url.startswith(f"{AUTH}/login")
    assert browser.page.status == 200
    assert "several times" in browser.page.text
    await browser.follow("Sign in")
    assert browser.page.url == f"{BASE}/private"


async def test_failing_callback_never_redirects_to_the_authority(door: FrontDoor) -> None:
    """SEC-021: a callback that fails twice shows a page with a button each time."""
    browser = door.browser()
    for _ in range(2):
        await browser.open(f"{AUTH}/callback?code=x&state=y")
        explained(browser.page, status=400)
        assert [url.partition("?")[0] for url in browser.visited] == [f"{AUTH}/callback", f"{AUTH}/failed"]


async def test_own_rule_says_no(entra: Entra, tmp_path: Path) -> None:
    """Entrada(provision=…): whom the application's rule refuses is not signed in, and no row is written."""
    async with running(entra, tmp_path, options={"provision": lambda user: None}) as door:
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
        assert [(event.name, event.reason) for event in door.events] == [("sign_in_failed", "not_admitted")]
    explained(browser.page, status=403)
    assert "may not use this application" in browser.page.text
    assert SESSION not in browser.jar.of(HOST)


async def test_own_rule_gives_roles(entra: Entra, tmp_path: Path) -> None:
    """Entrada(provision=…): the rule may admit a person with other roles; it cannot make them somebody else."""

    async def rule(user: object) -> object:
        return replace(user, roles=frozenset({"Keeper"}))  # type: ignore[type-var]

    async with running(entra, tmp_path, options={"provision": rule}) as door:
        browser = await door.signed_in()
        assert (await browser.fetch(f"{AUTH}/me")).json()["roles"] == ["Keeper"]
    async with running(entra, tmp_path, options={"provision": lambda user: replace(user, object_id="x")}) as door:
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
        assert browser.page.status == 403
