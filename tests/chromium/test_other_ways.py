"""What else happens to people: one click, a mistyped password, a change of mind, a new authenticator, a phone."""

import pyotp
from entrada_emulator.directory.seeds import PASSWORD

from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor


def test_one_click_stands_for_name_and_password(visitor: Visitor) -> None:
    """The emulator's shortcut signs in as any of its people."""
    visitor.goes_to("/")
    visitor.sees("Who are you?")
    visitor.shows("example-index")
    visitor.presses("Sign in with Microsoft")
    visitor.one_click("Ada Admin")
    visitor.stays()
    visitor.consents_if_asked()
    visitor.sees("Hello, Ada Admin")
    assert "Admin" in visitor.page.get_by_text("Roles").locator("..").inner_text()


def test_a_wrong_password_is_said_and_the_right_one_still_works(visitor: Visitor) -> None:
    """A slip of the finger costs nothing but another try."""
    visitor.goes_to("/login")
    visitor.names_themselves("greta@birch.example")
    visitor.proves("not-her-password")
    visitor.page.get_by_role("alert").wait_for()
    visitor.proves(PASSWORD)
    visitor.stays("Yes")
    visitor.consents_if_asked()
    visitor.sees("Hello, Greta Groups")


def test_who_cancels_meets_a_page_that_says_so_and_can_begin_again(visitor: Visitor) -> None:
    """A change of mind is no fault: the page says what happened, offers a way on, and quotes a number."""
    visitor.goes_to("/login")
    visitor.sees("Sign in")
    with visitor.expecting("status of 4"):
        visitor.presses("Cancel")
        visitor.page.get_by_text("If you ask for help").wait_for()


def test_an_authenticator_is_set_up_from_the_secret_on_the_page(visitor: Visitor) -> None:
    """Who has none yet scans a picture or types a secret, proves it with a code, and is in."""
    visitor.goes_to("/login")
    visitor.names_themselves("nora@birch.example")
    visitor.proves(PASSWORD)
    visitor.sees("Set up your authenticator")
    visitor.page.get_by_role("img", name="QR code of the secret below").wait_for()
    secret = visitor.page.locator("code.secret").inner_text().replace(" ", "")
    visitor.page.get_by_label("six-digit code").fill(pyotp.TOTP(secret).now())
    visitor.presses("Finish set-up")
    visitor.stays()
    visitor.consents_if_asked()
    visitor.sees("Hello, Nora New")


def test_a_sign_in_is_approved_on_the_phone(visitor: Visitor) -> None:
    """The page shows a number, the phone asks for it, and the page goes on by itself."""
    visitor.goes_to("/login")
    visitor.names_themselves("pia@birch.example")
    visitor.proves(PASSWORD)
    visitor.sees("Approve sign-in")
    number = visitor.page.locator("p.number").inner_text().split()[-1]
    with visitor.page.expect_popup() as opened:
        visitor.presses("open the emulated phone")
    phone = Visitor(opened.value)
    phone.field("Number shown on the sign-in page").fill(number)
    phone.presses("Approve")
    visitor.stays()
    visitor.consents_if_asked()
    visitor.sees("Hello, Pia Push")
    assert not phone.complaints


def test_who_is_still_signed_in_at_the_authority_comes_in_without_a_password(visitor: Visitor) -> None:
    """The application's cookie is gone, the authority's is not: back on the wanted page, no question asked."""
    visitor.goes_to("/login")
    visitor.one_click("Mia Member")
    visitor.stays()
    visitor.consents_if_asked()
    visitor.sees("Hello, Mia Member")
    visitor.page.context.clear_cookies(domain=HOST)
    visitor.goes_to("/call-graph")
    visitor.sees("Microsoft Graph says")


def test_a_disabled_account_is_told_so_at_the_authority(visitor: Visitor) -> None:
    """The right password of a disabled account lets nobody in, and the page says whom to ask."""
    visitor.goes_to("/login")
    visitor.names_themselves("dan@birch.example")
    visitor.proves(PASSWORD)
    visitor.page.get_by_text("AADSTS50057").wait_for()
    visitor.goes_to("/")
    visitor.sees("Who are you?")
