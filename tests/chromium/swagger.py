"""Swagger UI as a person uses it: signing in by a window of its own, and trying an operation."""

from collections.abc import Callable

from playwright.sync_api import Locator

from tests.chromium.visitor import Visitor


class SwaggerPage:
    """The documentation of one application, opened by a visitor."""

    def __init__(self, visitor: Visitor, home: str = "") -> None:
        self.visitor, self.page = visitor, visitor.page
        visitor.goes_to(f"{home}/docs")
        self.page.get_by_role("button", name="Authorize").wait_for()

    def signs_in(self, through: Callable[[Visitor], None]) -> Visitor:
        """Press Authorize, go through the authority's window, and come back with a token; return that window's."""
        dialog, window = self._authorizes(through)
        dialog.get_by_role("button", name="Remove authorization").wait_for()
        dialog.get_by_role("button", name="Close", exact=True).click()
        return window

    def is_refused(self, through: Callable[[Visitor], None], why: str) -> None:
        """Press Authorize, and come back without a token."""
        dialog, _ = self._authorizes(through)
        dialog.get_by_text(why).wait_for()

    def _authorizes(self, through: Callable[[Visitor], None]) -> tuple[Locator, Visitor]:
        self.page.get_by_role("button", name="Authorize").click()
        dialog = self.page.locator(".auth-container").filter(has_text="authorizationCode with PKCE")
        with self.page.expect_popup() as opened:
            dialog.get_by_role("button", name="Apply given OAuth2 credentials").click()
        window = Visitor(opened.value)
        through(window)
        return dialog, window

    def tries(self, path: str) -> tuple[int, str]:
        """Try an operation out; return its status and what it says."""
        operation = self.page.locator(".opblock").filter(has=self.page.locator(f'[data-path="{path}"]'))
        if "is-open" not in (operation.get_attribute("class") or ""):
            operation.locator(".opblock-summary-control").click()
            operation.get_by_role("button", name="Try it out").click()
        with self.page.expect_response(lambda answer: answer.url.endswith(path)) as answered:
            operation.get_by_role("button", name="Execute").click()
        answer = answered.value
        return answer.status, answer.text()
