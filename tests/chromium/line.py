"""The line between a browser and the servers, which can be cut at chosen addresses."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

PATIENCE = 60.0  # seconds


@contextmanager
def cut_at(page: Page, pattern: str) -> Iterator[list[str]]:
    """Break off every request for these addresses, also one that a redirect leads to; yields those that were."""
    line = page.context.new_cdp_session(page)
    cut: list[str] = []

    def fail(paused: dict[str, Any]) -> None:
        cut.append(paused["request"]["url"])
        line.send("Fetch.failRequest", {"requestId": paused["requestId"], "errorReason": "ConnectionReset"})

    line.on("Fetch.requestPaused", fail)
    line.send("Fetch.enable", {"patterns": [{"urlPattern": pattern, "requestStage": "Request"}]})
    yield cut
    line.send("Fetch.disable")
    line.detach()


def goes_on_until(page: Page, reached: Callable[[], object]) -> None:
    """Press what the authority asks for, without waiting for pages that may never come."""
    until = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < until, page.url
        for name in ("No", "Accept"):
            button = page.get_by_role("button", name=name, exact=True)
            if button.is_visible():
                button.evaluate("button => { setTimeout(() => button.click()) }")
        page.wait_for_timeout(100)
