"""Debian's Chromium, driven by Playwright, with a profile that begins and ends with the test."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync")


@contextmanager
def chromium_at(home: Path, *switches: str) -> Iterator[Browser]:
    """Start Chromium with `home` as its HOME, where it also looks for certificates to trust."""
    as_root = ("--no-sandbox",) if os.geteuid() == 0 else ()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*QUIET, *as_root, *switches],
            env={**os.environ, "HOME": str(home)},
        )
        yield browser
        browser.close()
