"""A payment that wants more proof, in a real browser between two sites: there, back, and paid once."""

from collections.abc import Iterator

import pyotp
import pytest
from entrada_emulator.directory.seeds import PASSWORD
from playwright.sync_api import Browser, Page, Route

from tests.chromium.portals import arrives, picks
from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor


@pytest.fixture(scope="module")
def app() -> str:
    return "tests.chromium.vault:app"


def fills_in(page: Page, name: str, amount: str) -> None:
    """Sign in as this person and press Pay."""
    page.goto("/private")
    picks(page, name)
    arrives(page, f"Private to {name}")
    page.get_by_label("Amount").fill(amount)
    page.get_by_role("button", name="Pay", exact=True).click()


def proves(visitor: Visitor, page: Page) -> None:
    """Set up an authenticator, which is what the authority wants first, and come back."""
    if visitor.sees_one_of("Enter password", "Set up your authenticator") == "Enter password":
        visitor.proves(PASSWORD)
        visitor.sees("Set up your authenticator")
    secret = page.locator("code.secret").inner_text().replace(" ", "")
    page.get_by_label("six-digit code").fill(pyotp.TOTP(secret).now())
    visitor.presses("Finish set-up")


def test_a_payment_is_proven_and_made(visitor: Visitor) -> None:
    """BEY-3: the form is sent again by itself after the second factor; the address is that of the form; paid once."""
    page = visitor.page
    with visitor.expecting("status of 401"):
        fills_in(page, "Mia Member", "12 €")
        proves(visitor, page)
        arrives(page, "Paid 12 € to Birch & Sons 1")
    assert page.url == f"https://{HOST}/pay?to=Birch%20%26%20Sons"
    held = [each for each in visitor.requests if each.method == "POST" and "/pay" in each.url]
    assert len(held) == 2
    assert "amount" not in (held[1].post_data or "")


def test_when_it_does_not_go_by_itself(visitor: Visitor) -> None:
    """The page that sends the form is there to be read, and its button works when the first sending was lost."""
    page = visitor.page

    def lost(route: Route) -> None:
        route.fulfill(status=204) if "entrada_resume" in (route.request.post_data or "") else route.continue_()

    page.route("**/pay*", lost)
    with visitor.expecting("status of 401"):
        fills_in(page, "Ada Admin", "7 €")
        proves(visitor, page)
        arrives(page, "Going on where you were")
    visitor.shows("step-up-resume")
    page.unroute("**/pay*")
    visitor.presses("Send it now")
    visitor.sees("Paid 7 € to Birch & Sons")
    with visitor.expecting("status of 410"):
        page.go_back()
        visitor.sees("Nothing was sent again")


@pytest.fixture
def without_scripts(chromium: Browser) -> Iterator[Page]:
    with chromium.new_context(base_url=f"https://{HOST}", java_script_enabled=False) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)
        yield page


def test_without_scripts(without_scripts: Page) -> None:
    """BEY-3: where scripts are off, the step is made all the same, and one button sends the form again."""
    page = without_scripts
    page.goto("/private")
    page.get_by_role("button", name="Sign in as Greta Groups").first.click()
    arrives(page, "Private to Greta Groups")
    page.get_by_label("Amount").fill("3 €")
    page.get_by_role("button", name="Pay", exact=True).click()
    proves(Visitor(page), page)
    arrives(page, "Going on where you were")
    page.get_by_role("button", name="Send it now").click()
    page.get_by_role("heading", level=1, name="Paid 3 € to Birch & Sons").wait_for()


def test_what_is_missing_is_said(visitor: Visitor) -> None:
    """SEC-021: when the authority does not say that it was proven, the page says so, and offers one more try."""
    page = visitor.page
    page.goto("/private")
    picks(page, "Mia Member")
    arrives(page, "Private to Mia Member")
    with visitor.expecting("status of 403"):
        page.goto("/factors")
        arrives(page, "Your sign-in does not prove enough")


def test_a_cancelled_step_signs_nobody_out(visitor: Visitor) -> None:
    """BEY-3: the page says that they are signed in as before and nothing was done; trying again goes on from there."""
    page = visitor.page
    with visitor.expecting("status of 401", "status of 403"):
        fills_in(page, "Greta Groups", "9 €")
        visitor.sees_one_of("Enter password", "Set up your authenticator", "Enter code")
        visitor.presses("Cancel")
        visitor.sees("You cancelled the sign-in")
    assert "You are still signed in, as before" in visitor.text
    visitor.shows("step-up-cancelled")
    page.goto("/private")
    visitor.sees("Private to Greta Groups")
