"""A person in front of a real Chromium: what they do on each page, and what must never happen while they do it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request

from emulator.tests.accessibility import pictured, violations
from tests.chromium.sites import HOST

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
DESKTOP, PHONE = (1100, 800), (390, 844)
LOOKS: tuple[tuple[str, Literal["light", "dark"], tuple[int, int]], ...] = (
    ("light", "light", DESKTOP),
    ("dark", "dark", DESKTOP),
    ("phone", "light", PHONE),
)
TELL_VIOLATIONS = """
addEventListener("securitypolicyviolation", e => console.error(`CSP: ${e.effectiveDirective} ${e.blockedURI}`));
"""


class Visitor:
    """One person with a browser of their own; `complaints` is what no page may make the console say."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[Request] = []
        self._expected: tuple[str, ...] = ()
        page.set_default_timeout(60_000)  # the tests may share two cores with everything else
        page.add_init_script(TELL_VIOLATIONS)
        page.on("console", self._heard)
        page.on("request", self._asked)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def _asked(self, request: Request) -> None:
        self.requests.append(request)

    def _heard(self, message: ConsoleMessage) -> None:
        loud = message.type in {"error", "warning"}
        if loud and not any(text in message.text for text in self._expected):
            self.complaints.append(f"{self.page.url}: {message.type}: {message.text}")

    @contextmanager
    def expecting(self, *texts: str) -> Iterator[None]:
        """Within, console messages with one of these texts are no complaint: a refusal is what the test is about."""
        self._expected = texts
        yield
        self._expected = ()

    @property
    def heading(self) -> str:
        """The page's one first-level heading."""
        return self.page.get_by_role("heading", level=1).inner_text()

    def goes_to(self, url: str) -> None:
        """Type an address."""
        self.page.goto(url)

    def field(self, label: str) -> Locator:
        """The field with this label."""
        return self.page.get_by_label(label, exact=True)

    @property
    def text(self) -> str:
        """What the page's main part says."""
        return self.page.get_by_role("main").inner_text()

    def presses(self, name: str) -> None:
        """Press a button, or follow a link, by what it says."""
        button = self.page.get_by_role("button", name=name, exact=True)
        button.or_(self.page.get_by_role("link", name=name, exact=True)).click()

    def sees(self, heading: str) -> None:
        """Wait until the page with this heading is there."""
        self.page.get_by_role("heading", level=1, name=heading).wait_for()

    def sees_one_of(self, *headings: str) -> str:
        """Wait until a page with one of these headings is there, and say which."""
        heading = self.page.get_by_role("heading", level=1)
        heading.filter(has_text=re.compile("|".join(map(re.escape, headings)))).wait_for()
        return heading.inner_text()

    def names_themselves(self, username: str) -> None:
        """Type a user name on the authority's first page."""
        self.sees("Sign in")
        self.field("User name").fill(username)
        self.presses("Next")

    def proves(self, password: str) -> None:
        """Type a password."""
        self.sees("Enter password")
        self.field("Password").fill(password)
        self.presses("Sign in")

    def enters_code(self, code: str) -> None:
        """Type a code from an authenticator app."""
        self.sees("Enter code")
        self.field("Code").fill(code)
        self.presses("Verify")

    def consents(self) -> None:
        """Accept what the application asks for."""
        self.sees("Permissions requested")
        self.presses("Accept")

    def consents_if_asked(self) -> None:
        """Do so, or go on to the application's greeting where another visit of this person has done it before."""
        asked = self.page.get_by_role("heading", name="Permissions requested", level=1)
        asked.or_(self.page.get_by_role("heading", name="Hello, ", level=1)).first.wait_for()
        if asked.is_visible():
            self.presses("Accept")

    def stays(self, answer: Literal["Yes", "No"] = "No") -> None:
        """Answer whether to stay signed in."""
        self.sees("Stay signed in?")
        self.presses(answer)

    def one_click(self, name: str) -> None:
        """Sign in as one of the emulator's people."""
        self.sees("Sign in")
        self.page.get_by_role("button", name=f"Sign in as {name}").first.click()

    def shows(self, name: str) -> None:
        """Hold the page in each look against the accessibility rules; a picture is kept of one that breaks them."""
        for look, scheme, (width, height) in LOOKS:
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size({"width": width, "height": height})
            with pictured(self.page, SCREENSHOTS / f"{name}-{look}.jpg"):
                self.is_accessible(f"{name}-{look}")
                overflow = self.page.evaluate("document.documentElement.scrollWidth > innerWidth")
                assert not overflow, f"{name}-{look} scrolls sideways"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})

    def is_accessible(self, name: str) -> None:
        """Hold the page against axe's rules."""
        broken = violations(self.page)
        assert not broken, f"{name}: {broken}"


@contextmanager
def visiting(browser: Browser) -> Iterator[Visitor]:
    """A person with cookies of their own, who has nothing to complain of when the block ends."""
    with browser.new_context(base_url=f"https://{HOST}") as context:
        visitor = Visitor(context.new_page())
        yield visitor
        assert not visitor.complaints, "\n".join(visitor.complaints)
