"""The pages in a real browser: without scripts, with them, and as assistive technology finds them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Policy
from entrada_emulator.pytest_plugin import Entra
from playwright.sync_api import Browser, BrowserContext, Page, expect

from emulator.tests.accessibility import pictured, violations
from emulator.tests.chromium import Sites, chromium, two_sites
from emulator.tests.sign_in import NORA, PIA, code_of

pytestmark = pytest.mark.browser

PATIENCE = 60_000  # milliseconds: the tests may share two cores with everything else
SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
GOT_A_CODE = "code state session_state"
BLOCK = "e7712ada-00ca-4000-8000-0000000000bb"
LOOKS: tuple[tuple[Literal["light", "dark"], tuple[int, int]], ...] = (("dark", (360, 740)), ("light", (1100, 800)))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        yield browser


@pytest.fixture
def sites() -> Iterator[Sites]:
    with two_sites() as sites:
        yield sites


def press(page: Page, text: str) -> None:
    """Presses the button whose name holds these words, and waits for the page that follows."""
    with page.expect_navigation(timeout=PATIENCE):
        page.get_by_role("button", name=re.compile(rf"\b{text}\b")).first.click(timeout=PATIENCE)


def type_into_focus(page: Page, label: str, text: str) -> None:
    """Types without touching the mouse: the page must have put the focus into this field."""
    expect(page.get_by_label(label, exact=True)).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def approve(context: BrowserContext, sites: Sites, number: str) -> None:
    phone = context.new_page()
    phone.goto(f"{sites.emulator}/emulator/phone")
    phone.get_by_label("Number shown on the sign-in page").fill(number)
    press(phone, "Approve")
    phone.close()


def shown_number(page: Page) -> str:
    return page.locator(".number").inner_text()[-2:]


def shown_secret(page: Page) -> str:
    return page.locator("code.secret").inner_text().replace(" ", "")


def enrol(page: Page, entra: Entra) -> None:
    page.get_by_label("Enter the six-digit code").fill(code_of(entra, shown_secret(page)))
    press(page, "Finish set-up")


def test_the_whole_way_without_scripts_by_keyboard(browser: Browser, sites: Sites) -> None:
    """Scripts off, no mouse: name, password, set-up, stay signed in, consent; then the application has a code."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(sites.authorize())
    type_into_focus(page, "User name", NORA)
    type_into_focus(page, "Password", seeds.PASSWORD)
    expect(page).to_have_title("Set up your authenticator · Entrada emulator")
    type_into_focus(page, "Enter the six-digit code it shows", code_of(sites.entra, shown_secret(page)))
    expect(page.get_by_role("button", name="Yes")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_title("Permissions requested · Entrada emulator")
    press(page, "Accept")
    expect(page.locator("#got")).to_have_text(GOT_A_CODE)
    context.close()


def test_every_kind_of_answer_without_scripts(browser: Browser, sites: Sites) -> None:
    """Scripts off: the phone's approval, an answer by form post, and the sign-out all have a button or a refresh."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(sites.authorize(response_mode="form_post"))
    press(page, "Sign in as Pia Push")
    approve(context, sites, shown_number(page))
    press(page, "I have approved it")
    press(page, "No")
    press(page, "Accept")
    expect(page).to_have_title("Continue · Entrada emulator")
    press(page, "Continue")
    expect(page.locator("#got")).to_have_text(GOT_A_CODE)
    page.goto(sites.logout(post_logout_redirect_uri=f"{sites.application}/signed-out"))
    expect(page.locator("#told")).to_have_text("1")
    context.close()


def test_the_whole_way_with_scripts(browser: Browser, sites: Sites) -> None:
    """Scripts on: the waiting page notices the approval, the form posts itself, the sign-out leads on; no rule of the
    page's policy is broken on the way, and the application's own redirect to another origin is followed."""
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(sites.authorize(response_mode="form_post"))
    press(page, "Sign in as Pia Push")
    approve(context, sites, shown_number(page))
    expect(page).to_have_title("Stay signed in? · Entrada emulator")
    press(page, "Yes")
    press(page, "Accept")
    expect(page.locator("#got")).to_have_text(GOT_A_CODE)
    page.goto(sites.logout(post_logout_redirect_uri=f"{sites.application}/signed-out"))
    expect(page.locator("#told")).to_have_text("1")
    assert not [text for text in complaints if "favicon" not in text and "404" not in text]
    context.close()


def test_pages_are_accessible(browser: Browser, sites: Sites) -> None:
    """axe finds nothing on any page, dark on a phone and light on a desk; and nothing is wider than the phone."""
    context = browser.new_context()
    page = context.new_page()
    seen = set()
    for title in _walk(page, sites):
        seen.add(title)
        for scheme, (width, height) in LOOKS:
            page.emulate_media(color_scheme=scheme)
            page.set_viewport_size({"width": width, "height": height})
            _is_fine(page, f"{title}, {scheme}")
    assert len(seen) >= 32, seen
    context.close()


def _is_fine(page: Page, name: str) -> None:
    file = SCREENSHOTS / f"emulator-{re.sub(r'[^a-z]+', '-', name.lower())}.jpg"
    with pictured(page, file):
        broken = violations(page)
        assert not broken, f"{name}\n{broken}"
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{name} is too wide"
        assert page.evaluate("document.documentElement.lang") == "en"


def _walk(page: Page, sites: Sites) -> Iterator[str]:
    """Yields at every page, by its title and what makes it special."""
    yield from _sign_in_pages(page, sites)
    yield from _phone_pages(page, sites)
    yield from _consent_pages(page, sites)
    yield from _device_pages(page, sites)
    yield from _customer_pages(page, sites)
    yield from _last_pages(page, sites)


def _sign_in_pages(page: Page, sites: Sites) -> Iterator[str]:
    page.goto(sites.authorize())
    yield page.title()
    page.goto(sites.authorize(prompt="create"))
    yield f"{page.title()}, notice"
    page.get_by_label("User name").fill("nobody@birch.example")
    press(page, "Next")
    yield page.title()
    page.get_by_label("User name").fill(NORA)
    press(page, "Next")
    yield page.title()
    page.get_by_label("Password").fill("wrong")
    press(page, "Sign in")
    yield page.title()
    page.get_by_label("Password").fill(seeds.PASSWORD)
    press(page, "Sign in")
    yield page.title()
    enrol(page, sites.entra)
    yield page.title()
    press(page, "No")
    yield page.title()
    press(page, "Accept")
    page.goto(sites.authorize(prompt="select_account"))
    yield page.title()
    page.goto(sites.authorize(prompt="login", login_hint="dan@birch.example"))
    page.get_by_label("Password").fill(seeds.PASSWORD)
    press(page, "Sign in")
    yield f"{page.title()}, disabled"


def _phone_pages(page: Page, sites: Sites) -> Iterator[str]:
    page.goto(sites.authorize(prompt="login", login_hint=PIA))
    page.get_by_label("Password").fill(seeds.PASSWORD)
    press(page, "Sign in")
    yield page.title()
    sign_in = page.url
    page.goto(f"{sites.emulator}/emulator/phone")
    yield page.title()
    press(page, "Deny")
    page.get_by_label("Set-up key").fill(seeds.TOTP_SECRET)
    press(page, "Show code")
    yield f"{page.title()}, a code"
    page.goto(sign_in)
    yield page.title()
    press(page, "Use a code instead")
    yield page.title()


def _consent_pages(page: Page, sites: Sites) -> Iterator[str]:
    page.goto(sites.authorize(prompt="login", scope="openid Directory.Read.All"))
    press(page, "Sign in as Mia")
    press(page, "No")
    yield page.title()
    press(page, "Sign in as an administrator")
    press(page, "Sign in as Ada")
    press(page, "No")
    yield f"{page.title()}, administrator"
    query = f"client_id={seeds.WEB_APP}&redirect_uri={sites.application}/callback"
    page.goto(f"{sites.emulator}/{seeds.BIRCH.id}/v2.0/adminconsent?{query}&scope=User.Read")
    press(page, "Ada Admin")
    yield f"{page.title()}, organisation"


def _device_pages(page: Page, sites: Sites) -> Iterator[str]:
    _, waiting = sites.entra.state.device_codes.issue(
        seeds.PUBLIC_CLIENT, path_name=seeds.BIRCH.id, scope="openid User.Read"
    )
    page.goto(f"{sites.emulator}/devicelogin")
    yield f"{page.title()}, device"
    page.get_by_label("Code").fill("WRONG")
    press(page, "Next")
    yield f"{page.title()}, device"
    page.get_by_label("Code").fill(waiting.user_code)
    press(page, "Next")
    press(page, "Ada Admin")
    yield page.title()
    press(page, "Continue")
    yield page.title()
    sites.entra.state.policies.switch_on(Policy(BLOCK, seeds.BIRCH.id, "Block", requires="block"))
    page.goto(sites.authorize(login_hint="ada@birch.example"))
    yield page.title()
    sites.entra.state.policies.clear()


def _customer_pages(page: Page, sites: Sites) -> Iterator[str]:
    page.goto(sites.policy("B2C_1_susi_reset"))
    yield f"{page.title()}, customer"
    press(page, "Sign up now")
    yield page.title()
    page.get_by_label("Email address").fill("nina@customer.example")
    press(page, "Send verification code")
    yield page.title()
    page.get_by_label("Verification code").fill(page.locator(".number").inner_text()[-6:])
    press(page, "Verify code")
    page.get_by_label("New password", exact=True).fill("long-enough")
    page.get_by_label("Confirm new password").fill("otherwise-long")
    page.get_by_label("Display name").fill("Nina New")
    press(page, "Create")
    yield page.title()
    page.goto(sites.policy("B2C_1_reset"))
    yield f"{page.title()}, address"
    page.get_by_label("Email address").fill("carla@customer.example")
    press(page, "Send verification code")
    page.get_by_label("Verification code").fill(page.locator(".number").inner_text()[-6:])
    press(page, "Verify code")
    yield page.title()
    page.goto(sites.policy("B2C_1_edit"))
    press(page, "Sign in as Carla")
    yield page.title()


def _last_pages(page: Page, sites: Sites) -> Iterator[str]:
    page.goto(sites.emulator)
    page.locator("summary").first.click()
    yield f"{page.title()}, one application unfolded"
    page.goto(sites.authorize(redirect_uri="https://stranger.example/"))
    yield page.title()
    page.goto(f"{sites.emulator}/{seeds.BIRCH.id}/login?attempt=none")
    yield f"{page.title()}, over"
    page.goto(sites.logout())
    yield page.title()
    press(page, "Nora New")
    yield page.title()
