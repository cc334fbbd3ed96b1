"""Debian's Chromium, driven by Playwright, with a profile that begins and ends with the test."""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, BrowserType, sync_playwright


@dataclass(frozen=True, slots=True)
class Site:
    """An application for a browser to visit: the HOME that trusts it, and the switch that finds it."""

    home: Path
    switch: str


QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")
NO_THIRD_PARTYS = (
    "--enable-features=ForceThirdPartyCookieBlockingEnabled,ThirdPartyStoragePartitioning",
    "--disable-features=Translate",  # in place of Playwright's list, which holds the second of these
)
"""Switches that block the cookies of other sites, as a person may in a browser's settings."""


@contextmanager
def chromium_at(home: Path, *switches: str) -> Iterator[Browser]:
    """Start Chromium with `home` as its HOME, where it also looks for certificates to trust."""
    with sync_playwright() as playwright, _launched(playwright.chromium, home, switches) as browser:
        yield browser


@contextmanager
def chromium_beside(browser: Browser, site: Site, *switches: str, as_shipped: Sequence[str] = ()) -> Iterator[Browser]:
    """Start one more Chromium beside `browser`, with further switches.

    Playwright turns some of its parts off; `as_shipped` names switches of Playwright's to leave out. Then it is the
    whole browser; else the one without windows where it is there, which does the same at half the cost.
    """
    with _launched(browser.browser_type, site.home, (site.switch, *switches), as_shipped) as another:
        yield another


@contextmanager
def _launched(
    kind: BrowserType, home: Path, switches: Sequence[str], as_shipped: Sequence[str] = ()
) -> Iterator[Browser]:
    browser = kind.launch(
        executable_path=(not as_shipped and shutil.which("chromium-headless-shell")) or shutil.which("chromium"),
        args=[*_switches(), *switches],
        ignore_default_args=list(as_shipped),
        env={**os.environ, "HOME": str(home)},
    )
    yield browser
    browser.close()


@contextmanager
def chromium_told(
    browser: Browser, profile: Path, site: Site, *, preferences: dict[str, Any], base_url: str
) -> Iterator[BrowserContext]:
    """Start one more Chromium beside `browser`, whose person has changed its settings."""
    (profile / "Default").mkdir(parents=True)
    (profile / "Default" / "Preferences").write_text(json.dumps(preferences))
    with browser.browser_type.launch_persistent_context(
        profile,
        executable_path=shutil.which("chromium"),
        args=[*_switches(), site.switch],
        env={**os.environ, "HOME": str(site.home)},
        base_url=base_url,
    ) as context:
        yield context


def _switches() -> tuple[str, ...]:
    return (*QUIET, *(("--no-sandbox",) if os.geteuid() == 0 else ()))
