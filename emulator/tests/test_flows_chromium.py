"""The flow inspector in a real browser: it fills by itself, opens by keyboard, needs no scripts, and is accessible."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from emulator.tests.accessibility import pictured, violations
from emulator.tests.asking import CHALLENGE, VERIFIER, redeem
from emulator.tests.chromium import Sites, chromium, two_sites

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds: the tests may share two cores with everything else
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
Look = tuple[Literal["light", "dark"], tuple[int, int]]
LOOKS: tuple[Look, ...] = (("dark", (360, 740)), ("light", (1100, 800)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def sites() -> Iterator[Sites]:
    with two_sites() as sites:
        sites.entra.consent(sites.entra.user())
        yield sites


def press(page: Page, text: str) -> None:
    """Presses the button whose name holds these words, and waits for the page that follows."""
    with page.expect_navigation(timeout=PATIENCE):
        page.get_by_role("button", name=re.compile(rf"\b{text}\b")).first.click(timeout=PATIENCE)


def sign_in(page: Page, sites: Sites) -> str:
    """Walks to the application; the code that it was given."""
    page.goto(sites.authorize(code_challenge=CHALLENGE, code_challenge_method="S256"))
    press(page, "Sign in as Mia")
    with page.expect_request(lambda request: "/callback?" in request.url) as called:
        press(page, "No")
    return parse_qs(urlsplit(called.value.url).query)["code"][0]


def test_it_is_drawn_while_it_happens(browser: Browser, sites: Sites) -> None:
    """Nobody reloads: the list fills, the diagram grows, what is open stays open and the focus where it was; axe finds
    nothing in either look, nothing is wider than a phone, and no rule of the pages' policy is broken."""
    context, complaints = browser.new_context(), list[str]()
    watching = context.new_page()
    watching.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    watching.goto(sites.emulator)
    watching.get_by_role("link", name="Flow inspector").click()
    expect(watching.get_by_role("heading", name="How to begin")).to_be_visible()
    _is_fine(watching, "flows-empty", LOOKS[1:])
    code = sign_in(browser.new_context().new_page(), sites)
    watching.get_by_role("link", name=re.compile("Sign-in · code")).click()
    authorization = watching.locator("summary", has_text="Authorization request")
    authorization.focus()
    watching.keyboard.press("Enter")
    expect(watching.get_by_text("login CSRF")).to_be_visible()
    with sites.entra.http_client() as http:
        wrong = {"redirect_uri": f"{sites.application}/callback", "code_verifier": VERIFIER + "x"}
        redeem(http, sites.entra, code, **wrong)
        expect(watching.get_by_text("Where it broke").first).to_be_visible()
        expect(watching.get_by_text("login CSRF")).to_be_visible()
        expect(authorization).to_be_focused()
        redeem(http, sites.entra, code, **(wrong | {"code_verifier": VERIFIER}))
    expect(watching.get_by_text("Tokens issued").first).to_be_visible()
    watching.locator("summary", has_text=". Tokens").click()
    _is_fine(watching, "flow-opened", LOOKS[1:])
    for title in ("Authorization request", "Redeems the code"):
        watching.locator("summary", has_text=title).first.click()
    watching.locator("summary", has_text="ID token").click()
    _is_fine(watching, "flow-token", LOOKS[:1])
    watching.emulate_media(forced_colors="active")
    lines = "getComputedStyle(document.querySelector('.diagram .step')).backgroundImage"
    assert "gradient" in watching.evaluate(lines), "the lanes have no lines where colours are forced"
    watching.emulate_media(forced_colors="none")
    watching.get_by_role("link", name="All flows").click()
    _is_fine(watching, "flows", LOOKS[:1])
    assert complaints == []


def test_without_scripts(browser: Browser, sites: Sites) -> None:
    """Scripts off: the same list and diagram, by reloading; a step opens all the same."""
    sign_in(browser.new_context().new_page(), sites)
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{sites.emulator}/_emulator/flows")
    page.get_by_role("link", name=re.compile("Sign-in · code")).first.click()
    page.locator("summary", has_text="Authorization request").click()
    expect(page.get_by_text("login CSRF")).to_be_visible()
    page.get_by_role("link", name="Open all").click()
    expect(page.get_by_text("first proof").or_(page.get_by_text("Decides how long")).first).to_be_visible()


def _is_fine(page: Page, name: str, looks: tuple[Look, ...] = LOOKS) -> None:
    for scheme, (width, height) in looks:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": height})
        with pictured(page, SCREENSHOTS / f"emulator-{name}-{scheme}.jpg"):
            broken = violations(page)
            assert not broken, f"{name}\n{broken}"
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
