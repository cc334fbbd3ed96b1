"""Browsers that keep no cookies, too many, or others: the person reads what is wrong, and nothing goes in circles."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext

from entrada.flows.signing_in.transaction import HANDLE_LENGTH
from tests.chromium.launch import NO_THIRD_PARTYS, Site, chromium_beside, chromium_told
from tests.chromium.portals import HERE, SESSION, arrives, picks, session_of, signs_in
from tests.chromium.visitor import Visitor

FILL = "names => names.forEach(name => { document.cookie = `${name}=${'x'.repeat(%d)}; path=/; secure; max-age=600` })"


NONE_OF_OURS = {"profile": {"content_settings": {"exceptions": {"cookies": {f"{HERE},*": {"setting": 2}}}}}}


def test_a_browser_that_blocks_our_cookies(chromium: Browser, site: Site, tmp_path: Path) -> None:
    """REL-062: it reads that a cookie is missing and what to do; again and again, and never in circles."""
    with chromium_told(chromium, tmp_path, site, preferences=NONE_OF_OURS, base_url=HERE) as context:
        visitor = Visitor(context.new_page())
        visitor.page.goto("/private")
        picks(visitor.page, "Gil Guest")
        arrives(visitor.page, "Sign-in needs a cookie")
        before = len(visitor.requests)
        visitor.presses("Sign in with Microsoft")
        visitor.sees("Sign-in needs a cookie")
        visitor.page.wait_for_load_state()
    assert len([each for each in visitor.requests[before:] if "/callback?" in each.url]) <= 1


def test_third_party_cookies_are_not_needed(chromium: Browser, site: Site) -> None:
    """REL-062: a browser that blocks every third-party cookie signs in and out: all of ours are first-party."""
    with chromium_beside(chromium, site, *NO_THIRD_PARTYS) as blocking, blocking.new_context(base_url=HERE) as context:
        page = context.new_page()
        signs_in(page)
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/signed-out")


def test_an_address_that_is_too_long_for_the_cookie(visitor: Visitor) -> None:
    """REL-062, SEC-084: the way back is dropped, never the sign-in: it ends at the first page."""
    visitor.page.goto(f"/private?long={'x' * 3000}")
    picks(visitor.page, "Gil Guest")
    arrives(visitor.page, "Hello Gil Guest")


def test_cookies_of_the_application_that_are_too_big(visitor: Visitor) -> None:
    """REL-062, SEC-086: with more than we read the page says to delete cookies; when they are, all is well."""
    visitor.page.goto("/public")
    visitor.page.evaluate(FILL % 4000, [f"big{place}" for place in range(6)])
    with visitor.expecting("431"):
        visitor.page.goto("/private")
        visitor.sees("Too many cookies")
    visitor.page.context.clear_cookies()
    signs_in(visitor.page)


def test_a_jar_that_is_full(visitor: Visitor) -> None:
    """REL-062: the browser drops its oldest: a sign-in still goes through, and what was dropped is asked for again."""
    visitor.page.goto("/public")
    visitor.page.evaluate(FILL % 1, [f"few{place}" for place in range(179)])
    signs_in(visitor.page)
    visitor.page.evaluate(FILL % 1, [f"more{place}" for place in range(400)])
    visitor.page.goto("/private?full=1")
    heading = visitor.sees_one_of("Private to Gil Guest", "Pick an account")
    if heading == "Pick an account":
        picks(visitor.page, "Gil Guest")
    arrives(visitor.page, "Private to Gil Guest")


@pytest.mark.parametrize("name", [SESSION, "__Host-entrada-signin-"])
def test_a_cookie_that_somebody_edits(visitor: Visitor, name: str) -> None:
    """REL-062, SEC-085: an edited session is nobody's and is taken away; an edited attempt is a page with a button."""
    visitor.page.goto("/private")
    if name == SESSION:
        picks(visitor.page, "Gil Guest")
        arrives(visitor.page, "Private to Gil Guest")
    _edits(visitor.page.context, name)
    if name == SESSION:
        visitor.goes_to("/")
        visitor.sees("Who are you?")
        assert session_of(visitor.page) is None
        return
    with visitor.expecting("400"):
        picks(visitor.page, "Gil Guest")
        arrives(visitor.page, "This sign-in cannot be finished")
    visitor.presses("Sign in")
    arrives(visitor.page, "Hello Gil Guest")


def _edits(context: BrowserContext, name: str) -> None:
    """Change one character of the session, or of the one open attempt."""
    mine = [(each.get("name", ""), each) for each in context.cookies(HERE)]
    (cookie,) = [each for found, each in mine if name in {found, found[:-HANDLE_LENGTH]}]
    value = cookie.get("value", "")
    edited = value[:20] + ("A" if value[20] != "A" else "B") + value[21:]
    context.add_cookies([{"name": cookie.get("name", ""), "value": edited, "url": HERE, "secure": True}])
