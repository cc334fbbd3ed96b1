"""The accessibility rules of axe, held against a page in Chromium, and pictures of what is not as it should be."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

THERE = "() => 'axe' in window"
RUN = "async options => (await axe.run(options)).violations"


def violations(page: Page, *, tags: Sequence[str] = ()) -> str:
    """Return what breaks a rule and where, or nothing; with `tags`, only of the rules that carry one of them.

    axe is brought into a document once, which takes longer than its rules do: ask again for the same document in
    another look rather than loading it again.
    """
    if not page.evaluate(THERE):
        page.evaluate(f"{AXE_SCRIPT};0")
    options: dict[str, Any] = {"resultTypes": ["violations"], **({"runOnly": list(tags)} if tags else {})}
    return "\n".join(_told(broken) for broken in page.evaluate(RUN, options))


@contextmanager
def pictured(page: Page, file: Path) -> Iterator[None]:
    """Keep a picture of the page as it is when the block finds a fault; with SCREENSHOTS=1 in any case."""
    try:
        yield
    except BaseException:
        _keep_picture(page, file)
        raise
    if os.environ.get("SCREENSHOTS") == "1":
        _keep_picture(page, file)


def _keep_picture(page: Page, file: Path) -> None:
    page.screenshot(path=file, type="jpeg", quality=90, full_page=True)


def _told(broken: dict[str, Any]) -> str:
    places = "\n".join(f"    {node['html']}\n    {node['failureSummary']}" for node in broken["nodes"])
    return f"{broken['id']}: {broken['help']}\n{places}"
