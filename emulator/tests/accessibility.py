"""The accessibility rules of axe, held against a page in Chromium."""

from collections.abc import Sequence
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


def _told(broken: dict[str, Any]) -> str:
    places = "\n".join(f"    {node['html']}\n    {node['failureSummary']}" for node in broken["nodes"])
    return f"{broken['id']}: {broken['help']}\n{places}"
