"""An answer that does not belong to an attempt of this very browser is refused before anything is asked of anyone."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from tests.browser import Browser
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, walk_through

HOST = "portal.birch.example"
NAVIGATE = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-site": "cross-site"}


async def stopped_at_callback(door: FrontDoor) -> tuple[Browser, str]:
    """Return a browser that has an answer of the authority for us, and the address that it has not opened yet."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    portal = door.internet.hosts.pop(HOST)
    try:
        await walk_through(browser)
    except Exception:  # the application is away: the answer stays in the browser
        url = browser.visited[-1]
    finally:
        door.internet.hosts[HOST] = portal
    assert url.startswith(f"{AUTH}/callback?")
    return browser, url


def is_refused(answer: httpx2.Response) -> bool:
    """Say whether a callback leads to the page that says why not, without a session."""
    assert answer.status_code == 303
    to_failed = answer.headers["location"].startswith("/api/auth/failed?why=")
    assert to_failed != any(text.startswith(f"{SESSION}=") for text in answer.headers.get_list("set-cookie"))
    return to_failed


def changed(url: str, **parameters: str) -> str:
    """Return the address with other values for some parameters."""
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    return f"{url.partition('?')[0]}?{urlencode(query | parameters)}"


async def test_honest_answer(door: FrontDoor) -> None:
    """The control: the same browser with the same address is signed in."""
    browser, url = await stopped_at_callback(door)
    await browser.open(url)
    assert browser.page.url == f"{BASE}/private"


async def test_another_browser(door: FrontDoor) -> None:
    """SEC-003, SEC-092: an answer made in browser A signs nobody in in browser B, and costs no request."""
    _, url = await stopped_at_callback(door)
    victim = door.browser()
    await victim.open(url)
    assert victim.page.status == 400
    assert SESSION not in victim.jar.of(HOST)
    assert door.calls("/token") == 0


async def test_another_browser_with_an_attempt_of_its_own(door: FrontDoor) -> None:
    """SEC-003: an attempt that the victim has open does not fit another's state."""
    _, url = await stopped_at_callback(door)
    victim = door.browser()
    await victim.open(f"{BASE}/private")
    await victim.open(url)
    assert victim.page.status == 400
    assert door.calls("/token") == 0


async def test_transaction_cookie_under_another_name(door: FrontDoor) -> None:
    """SEC-085: a sealed attempt is bound to its cookie's name: moved to the name of another, it is nothing."""
    browser, url = await stopped_at_callback(door)
    names = [name for name in browser.jar.of(HOST) if "signin" in name]
    other = door.browser()
    await other.open(f"{BASE}/private")
    (theirs,) = [cookie for cookie in other.jar.cookies.values() if "signin" in cookie.name]
    sealed = browser.jar.of(HOST)[names[0]]
    answer = await other.fetch(url, headers=NAVIGATE | {"cookie": f"{theirs.name}={sealed}"})
    assert is_refused(answer)
    assert door.calls("/token") == 0


@pytest.mark.parametrize("position", [0, 12, 40, -1])
async def test_edited_transaction_cookie(door: FrontDoor, position: int) -> None:
    """SEC-085, REL-062: one character changed anywhere, and the attempt is not ours."""
    browser, url = await stopped_at_callback(door)
    ((name, value),) = [(name, value) for name, value in browser.jar.of(HOST).items() if "signin" in name]
    characters = list(value)
    characters[position] = "A" if characters[position] != "A" else "B"
    answer = await door.browser().fetch(url, headers=NAVIGATE | {"cookie": f"{name}={''.join(characters)}"})
    assert is_refused(answer)
    assert door.calls("/token") == 0


@pytest.mark.parametrize("state", ["", "x", "a" * 129, "é", "%00"])
async def test_wrong_state(door: FrontDoor, state: str) -> None:
    """SEC-013: absent or wrong state gives an error page and no outbound request."""
    browser, url = await stopped_at_callback(door)
    await browser.open(changed(url, state=state))
    assert browser.page.status == 400
    assert door.calls("/token") == 0


async def test_replay(door: FrontDoor) -> None:
    """SEC-013, SEC-014: an answer that was used once, replayed with the very same cookies, redeems nothing."""
    browser, url = await stopped_at_callback(door)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())
    await browser.open(url)
    assert SESSION in browser.jar.of(HOST)
    answer = await door.browser().fetch(url, headers=NAVIGATE | {"cookie": cookies})
    assert is_refused(answer)
    assert "set-cookie" not in answer.headers or SESSION + "=" not in answer.headers["set-cookie"]
    assert door.calls("/token") == 1


async def test_parallel_callbacks(door: FrontDoor) -> None:
    """SEC-014: of twenty identical callbacks at once exactly one redeems the code and signs in."""
    browser, url = await stopped_at_callback(door)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())
    answers = await asyncio.gather(
        *[door.browser().fetch(url, headers=NAVIGATE | {"cookie": cookies}) for _ in range(20)]
    )
    assert sorted(map(is_refused, answers)) == [False] + [True] * 19
    assert door.calls("/token") == 1


async def test_expired(door: FrontDoor) -> None:
    """SEC-013: after ten minutes the attempt is over, whatever the browser kept."""
    browser, url = await stopped_at_callback(door)
    door.entra.state.clock.move(timedelta(minutes=10, seconds=1))
    await browser.open(url)
    assert browser.page.status == 400
    assert door.calls("/token") == 0


@pytest.mark.parametrize("name", ["state", "code", "iss", "session_state", "error"])
async def test_duplicate_parameter(door: FrontDoor, name: str) -> None:
    """SEC-016: a repeated parameter is refused, even with the same value, and so is a code beside an error."""
    browser, url = await stopped_at_callback(door)
    value = parse_qs(urlsplit(url).query).get(name, ["x"])[0]
    extra = urlencode([(name, value), (name, value)]) if name not in url else urlencode([(name, value)])
    await browser.open(f"{url}&{extra}")
    assert browser.page.status == 400
    assert door.calls("/token") == 0


async def test_repeated_error(door: FrontDoor) -> None:
    """SEC-016: nor is a refusal believed that comes twice; the attempt is not spent by it."""
    browser, url = await stopped_at_callback(door)
    state = urlencode({"state": parse_qs(urlsplit(url).query)["state"][0]})
    await browser.open(f"{AUTH}/callback?{state}&error=access_denied&error=access_denied")
    assert browser.page.status == 400
    await browser.open(url)
    assert browser.page.url == f"{BASE}/private"


async def test_code_beside_an_error(door: FrontDoor) -> None:
    """SEC-016: an answer is one thing or the other."""
    browser, url = await stopped_at_callback(door)
    await browser.open(changed(url, error="access_denied"))
    assert browser.page.status == 400
    assert door.calls("/token") == 0


async def test_error_uses_up_the_attempt(door: FrontDoor) -> None:
    """SEC-015: an error answer spends the attempt, and nothing of its text reaches the page."""
    browser, url = await stopped_at_callback(door)
    state = parse_qs(urlsplit(url).query)["state"][0]
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())
    words = {"error": "server_error", "error_description": "<b>call 555</b>", "error_uri": "https://evil.example/"}
    await browser.open(f"{AUTH}/callback?{urlencode({'state': state} | words)}")
    assert browser.page.status == 403
    for text in ("<b>call", "call 555", "evil.example"):
        assert text not in browser.page.html
    answer = await door.browser().fetch(url, headers=NAVIGATE | {"cookie": cookies})
    assert is_refused(answer)
    assert door.calls("/token") == 0


async def test_other_issuer(door: FrontDoor) -> None:
    """SEC-009, SEC-017: an `iss` that is not the attempt's is refused although it was not asked for."""
    browser, url = await stopped_at_callback(door)
    await browser.open(changed(url, iss="https://login.microsoftonline.com/another/v2.0"))
    assert browser.page.status == 403
    assert door.calls("/token") == 0


async def test_right_issuer(door: FrontDoor) -> None:
    """SEC-017: the right one passes."""
    browser, url = await stopped_at_callback(door)
    await browser.open(changed(url, iss=f"https://login.microsoftonline.com/{door.entra.user().tenant_id}/v2.0"))
    assert browser.page.url == f"{BASE}/private"


async def test_no_trace_of_the_answer(door: FrontDoor) -> None:
    """SEC-019: the callback answers 303 to a page of ours, not stored and without a Referer."""
    browser, url = await stopped_at_callback(door)
    await browser.open(url)
    answer = browser.answers[0]
    assert answer.status_code == 303
    assert answer.headers["location"] == "/private"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD"])
async def test_other_methods(door: FrontDoor, method: str) -> None:
    """SEC-018: in query mode only GET is taken."""
    answer = await door.browser().fetch(f"{AUTH}/callback?state=x&code=y", method=method)
    assert answer.status_code == 405
    assert "GET" in answer.headers["allow"]
