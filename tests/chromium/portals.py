"""The small portal as people meet it: signing in with one click, and its clock."""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Page

from tests.chromium.sites import HOST

APP = "tests.chromium.portal:app"
HERE = f"https://{HOST}"
SESSION = "__Host-entrada"


class Clock:
    """The portal's clock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._set(timedelta(0))

    @contextmanager
    def later(self, by: timedelta) -> Iterator[None]:
        """Be so much later while the block lasts."""
        self._set(by)
        yield
        self._set(timedelta(0))

    def _set(self, by: timedelta) -> None:
        with self.file.open("r+b" if self.file.exists() else "wb") as file:
            file.write(struct.pack("d", by.total_seconds()))


def picks(page: Page, name: str) -> None:
    """Press a person's button on the authority's first page, without waiting for what follows."""
    page.get_by_role("button", name=f"Sign in as {name}").first.evaluate(
        "button => { setTimeout(() => button.click()) }"
    )


def arrives(page: Page, heading: str) -> None:
    """Answer what the authority asks until the page with this heading is there."""
    wanted = page.get_by_role("heading", level=1, name=heading)
    asked = page.get_by_role("heading", level=1, name="Stay signed in?")
    consent = page.get_by_role("heading", level=1, name="Permissions requested")
    wanted.or_(asked).or_(consent).wait_for()
    if asked.is_visible():
        page.get_by_role("button", name="No", exact=True).click()
        wanted.or_(consent).wait_for()
    if consent.is_visible():
        page.get_by_role("button", name="Accept", exact=True).click()
    wanted.wait_for()


def signs_in(page: Page, name: str = "Gil Guest", *, to: str = "/private") -> None:
    """Open a protected page, and sign in for it."""
    page.goto(to)
    picks(page, name)
    arrives(page, f"Private to {name}")


def session_of(page: Page) -> str | None:
    """Return the session cookie that the browser holds."""
    return next((each.get("value") for each in page.context.cookies(HERE) if each.get("name") == SESSION), None)


def notes(page: Page) -> list[list[str]]:
    """Return what was saved by whom."""
    tab = page.context.new_page()
    tab.goto("/notes")
    found: list[list[str]] = json.loads(tab.locator("body").inner_text())
    tab.close()
    return found
