"""After sign-out nothing protected is shown: not by the back button, a service worker, a frame, another window."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.chromium.launch import Site, chromium_beside
from tests.chromium.portals import HERE, signs_in
from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor, visiting

TO_SIGN_IN = re.compile("Sign in|Pick an account")  # the authority's first page
PRIVATE = "Private to Gil Guest"
REGISTERED = """async () => {
  await navigator.serviceWorker.register("/worker.js");
  await navigator.serviceWorker.ready;
}"""
COUNTS = "async () => (await navigator.serviceWorker.getRegistrations()).length + (await caches.keys()).length"
TELLS_OF_RESTORES = "addEventListener('pageshow', event => { if (event.persisted) document.title += ' restored' })"


@pytest.fixture(scope="module")
def as_shipped(chromium: Browser, site: Site) -> Iterator[Browser]:
    """Playwright turns the back-forward cache off; here it is as people have it."""
    with chromium_beside(chromium, site, as_shipped=("--disable-back-forward-cache",)) as another:
        yield another


@pytest.fixture
def going_back(as_shipped: Browser) -> Iterator[Visitor]:
    with visiting(as_shipped) as visitor:
        yield visitor


def test_the_back_button_restores_public_pages_and_no_private_one(going_back: Visitor) -> None:
    """REL-066: the browser keeps whole pages alive for the way back, but none of somebody who has signed out."""
    page = going_back.page
    page.add_init_script(TELLS_OF_RESTORES)
    signs_in(page)
    going_back.goes_to("/public")
    going_back.goes_to("/private")
    going_back.goes_to("/public?second=1")
    _signs_out_elsewhere(page)
    page.evaluate("setTimeout(() => history.back())")
    page.get_by_role("heading", name=TO_SIGN_IN).wait_for()
    assert PRIVATE not in page.content()


def test_this_browser_does_restore_pages(going_back: Visitor) -> None:
    """The control of REL-066: a page for everybody comes back alive, so the test above could have failed."""
    page = going_back.page
    page.add_init_script(TELLS_OF_RESTORES)
    going_back.goes_to("/public?first=1")
    going_back.goes_to("/public?second=1")
    page.evaluate("setTimeout(() => history.back())")
    page.wait_for_function("document.title == 'Public restored'")


def test_a_service_worker_that_kept_private_pages(visitor: Visitor) -> None:
    """REL-066, SEC-103: a worker of the application kept a page against all advice; sign-out takes worker and page."""
    page = visitor.page
    signs_in(page)
    page.evaluate(REGISTERED)
    visitor.goes_to("/private")
    page.wait_for_function("async () => (await caches.keys()).length > 0")
    assert page.evaluate(COUNTS) == 2
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/signed-out")
    visitor.goes_to("/private")
    page.get_by_role("heading", name=TO_SIGN_IN).wait_for()
    visitor.goes_to("/public")
    assert page.evaluate(COUNTS) == 0


def test_another_sites_frame_shows_nothing(visitor: Visitor) -> None:
    """REL-066: a page of ours in a frame of another site is blocked, whoever is signed in."""
    page = visitor.page
    signs_in(page)
    frame = f"<!doctype html><title>Another site</title><iframe src={HERE}/private></iframe>"
    page.route("https://evil.example/", lambda route: route.fulfill(body=frame, content_type="text/html"))
    with visitor.expecting("frame-ancestors", "Framing", "chrome-error"):
        visitor.goes_to("https://evil.example/")
        page.wait_for_load_state("networkidle")
        (inside,) = [each for each in page.frames if each != page.main_frame]
        assert PRIVATE not in inside.content()
    visitor.goes_to("/private")
    visitor.sees(PRIVATE)


def test_a_private_window_knows_nobody(visitor: Visitor, chromium: Browser) -> None:
    """REL-066: neither does it know who is signed in beside it, nor does its own sign-in reach the other window."""
    signs_in(visitor.page)
    with chromium.new_context(base_url=f"https://{HOST}") as window:
        private = window.new_page()
        private.goto("/")
        private.get_by_role("heading", name="Who are you?").wait_for()
        signs_in(private, "Mia Member")
    visitor.goes_to("/private")
    visitor.sees(PRIVATE)


def _signs_out_elsewhere(page: Page) -> None:
    tab = page.context.new_page()
    tab.goto("/private")
    tab.get_by_role("button", name="Sign out").click()
    tab.wait_for_url("**/signed-out")
    tab.close()
