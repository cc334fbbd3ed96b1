"""The whole way, between two sites: protected page, password, code, consent, Graph, and out again here and there."""

import pyotp
from entrada_emulator.directory.seeds import PASSWORD, TOTP_SECRET
from playwright.sync_api import Cookie

from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor

HERE = f"https://{HOST}/"
ONETIME = "olga@birch.example"


def test_a_person_signs_in_calls_graph_and_signs_out_here_and_at_the_authority(visitor: Visitor) -> None:
    """From a protected page through every step back to it, and after sign-out the back button shows nothing."""
    _signs_in_from_a_protected_page(visitor)
    _asks_graph_twice(visitor)
    _signs_out(visitor)
    _finds_nothing_behind(visitor)


def _signs_in_from_a_protected_page(visitor: Visitor) -> None:
    visitor.goes_to("/call-graph")
    visitor.names_themselves(ONETIME)
    visitor.sees("Enter password")
    visitor.proves(PASSWORD)
    visitor.sees("Enter code")
    visitor.enters_code(pyotp.TOTP(TOTP_SECRET).now())
    visitor.sees("Stay signed in?")
    visitor.stays("No")
    visitor.sees("Permissions requested")
    visitor.consents()


def _asks_graph_twice(visitor: Visitor) -> None:
    visitor.sees("Microsoft Graph says")
    assert visitor.page.url.endswith("/call-graph")
    assert "Olga Onetime" in visitor.text
    visitor.shows("example-graph")
    visitor.presses("Ask again")
    assert visitor.page.locator(".badge").inner_text() == "cache"
    visitor.presses("Back")
    visitor.sees("Hello, Olga Onetime")
    visitor.shows("example-profile")


def _signs_out(visitor: Visitor) -> None:
    (cookie,) = _session_cookies(visitor)
    assert (cookie.get("secure"), cookie.get("httpOnly"), cookie.get("sameSite")) == (True, True, "Lax")
    visitor.presses("Sign out")
    visitor.page.wait_for_url("**/signed-out")
    assert "Your sign-in at Microsoft has ended" in visitor.text
    assert not _session_cookies(visitor)


def _session_cookies(visitor: Visitor) -> list[Cookie]:
    return [cookie for cookie in visitor.page.context.cookies(HERE) if cookie.get("name") == "__Host-entrada"]


def _finds_nothing_behind(visitor: Visitor) -> None:
    """Neither history nor the address shows anything, and the authority wants the password again."""
    seen = []
    while visitor.page.go_back() is not None and visitor.page.url != "about:blank":
        seen.append(visitor.heading)
        assert not visitor.page.url.startswith(HERE) or "Olga" not in visitor.text, visitor.page.url
    assert "Who are you?" in seen  # where the profile was
    assert "Sign in" in seen  # where Graph's answer was
    assert not {"Hello, Olga Onetime", "Microsoft Graph says"} & set(seen)
    visitor.goes_to("/call-graph")
    visitor.sees("Sign in")
    assert "Signed in" not in visitor.text
