"""Two browsers of one person: what one of them ends, the other has lost at its next click."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor

PERSON = "Gil Guest"
ON_A_PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/26.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def other(chromium: Browser) -> Iterator[Visitor]:
    """The same person elsewhere."""
    with chromium.new_context(base_url=f"https://{HOST}", user_agent=ON_A_PHONE) as context:
        visitor = Visitor(context.new_page())
        yield visitor
        assert not visitor.complaints, "\n".join(visitor.complaints)


def test_a_person_ends_another_browsers_session_and_it_is_out_at_its_next_click(
    visitor: Visitor, other: Visitor
) -> None:
    """The page shows both by device; one button ends the other, whose next click is a stranger's (SES-7)."""
    _signs_in(visitor)
    _signs_in(other)
    visitor.goes_to("/sessions")
    visitor.sees("Where you are signed in")
    assert "Safari on iPhone" in visitor.text
    assert "This browser" in visitor.text
    assert "New device" in visitor.text
    visitor.shows("sessions")
    visitor.page.get_by_role("button", name="End Safari on iPhone").click()
    visitor.page.get_by_text("There is no other.").wait_for()
    other.goes_to("/")
    other.sees("Who are you?")
    visitor.presses("Back")
    visitor.sees(f"Hello, {PERSON}")


def test_whoever_is_signed_out_is_asked_and_comes_back_to_the_page(visitor: Visitor) -> None:
    """The page of sessions is behind the sign-in, and has a way out of its own (SEC-105)."""
    visitor.goes_to("/sessions")
    visitor.one_click(PERSON)
    visitor.stays()
    if visitor.sees_one_of("Permissions requested", "Where you are signed in") == "Permissions requested":
        visitor.consents()
    visitor.sees("Where you are signed in")
    visitor.presses("Sign out")
    visitor.page.wait_for_url("**/signed-out")
    visitor.goes_to("/")
    visitor.sees("Who are you?")


def _signs_in(visitor: Visitor) -> None:
    visitor.goes_to("/login")
    visitor.one_click(PERSON)
    visitor.stays()
    if visitor.sees_one_of("Permissions requested", f"Hello, {PERSON}") == "Permissions requested":
        visitor.consents()
    visitor.sees(f"Hello, {PERSON}")
