"""The page of example B as people meet it: its two halves, and the window in which one of them signs in."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import reduce

import pytest
from playwright.sync_api import Error, Locator, Page, Response

from examples.front_end import build
from tests.chromium.visitor import Visitor
from tests.forked import ROOT

SECRETS = ("access_token", "refresh_token", "id_token")
PATIENCE = 60.0  # seconds
GLANCE = 2000  # milliseconds: a button is there, or comes at once
STORED = """async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, await indexedDB.databases(), await caches.keys(),
])"""


def page_is_built() -> None:
    """Build the page as the demo does; where that cannot be the test is skipped, and with CI=true fails."""
    fault = build(ROOT / "examples" / "bff_and_spa" / "front", os.environ)
    if fault and os.environ.get("CI") == "true":
        pytest.fail(fault)
    elif fault:
        pytest.skip(fault)


class Half:
    """One half of the page."""

    def __init__(self, visitor: Visitor, name: str) -> None:
        self.visitor = visitor
        self.part = visitor.page.locator(f"#{name}")

    def presses(self, name: str) -> None:
        """Press one of its buttons, or follow its link."""
        self.button(name).click()

    def button(self, name: str) -> Locator:
        """One of its buttons, or its link."""
        button = self.part.get_by_role("button", name=name, exact=True)
        return button.or_(self.part.get_by_role("link", name=name, exact=True))

    def says(self, text: str) -> None:
        """Wait until it says so."""
        self.part.get_by_text(text).wait_for()

    def lit(self) -> list[int]:
        """The steps that are lit now."""
        ids = self.part.locator(".lit").evaluate_all("all => all.map(each => each.id)")
        return [int(each.removeprefix("step-")) for each in ids]

    def opens_window(self, name: str) -> Page:
        """Press a button that opens a window, and return that."""
        with self.visitor.page.expect_popup() as opened:
            self.presses(name)
        return opened.value


def answers_all(window: Page, name: str) -> None:
    """Answer what the authority asks in the window until it closes by itself."""
    buttons = (
        window.get_by_role("button", name=f"Sign in as {name}").first,
        window.get_by_role("button", name="No", exact=True),
        window.get_by_role("button", name="Accept", exact=True),
    )
    one_of = reduce(Locator.or_, buttons).first
    (page, *_) = window.context.pages
    until = time.monotonic() + PATIENCE
    while not window.is_closed():
        assert time.monotonic() < until, window.url
        with suppress(Error):  # it may close while we look; and only what has a limit ends when it does just then
            one_of.wait_for(timeout=GLANCE)
            one_of.evaluate("button => { setTimeout(() => button.click()) }", timeout=GLANCE)
        page.wait_for_timeout(100)


def comes_back(page: Page, name: str) -> None:
    """Answer what the authority asks until the half with the backend says who is signed in."""
    done = page.locator("#bff").get_by_text(f"Signed in as {name}")
    buttons = (
        page.get_by_role("button", name=f"Sign in as {name}").first,
        page.get_by_role("button", name="No", exact=True),
        page.get_by_role("button", name="Accept", exact=True),
    )
    one_of = reduce(Locator.or_, buttons, done)
    one_of.first.wait_for()
    while not done.is_visible():
        with page.expect_navigation():
            next(button for button in buttons if button.is_visible()).click()
        one_of.first.wait_for()


def tokens_in(responses: Iterable[Response]) -> list[str]:
    """Return every token that the authority gave to the page's scripts."""
    bodies = [each.json() for each in responses if each.url.endswith("/token") or "/token?" in each.url]
    return [body[name] for body in bodies for name in SECRETS if name in body]
