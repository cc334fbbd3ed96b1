"""Double clicks and lines that drop: whatever is done twice or broken off ends as if done once."""

from tests.chromium.line import cut_at, goes_on_until
from tests.chromium.portals import arrives, picks, session_of, signs_in
from tests.chromium.visitor import Visitor


def test_a_double_click_on_sign_in(visitor: Visitor) -> None:
    """REL-064: two attempts are begun, one goes on; both their ends are one session."""
    visitor.page.goto("/")
    visitor.page.get_by_role("link", name="Sign in").dblclick()
    picks(visitor.page, "Mia Member")
    arrives(visitor.page, "Hello Mia Member")
    visitor.goes_to("/private")
    visitor.sees("Private to Mia Member")


def test_a_double_click_at_the_authority(visitor: Visitor) -> None:
    """REL-064: two answers to one attempt in one breath: one signs in, and the page that was wanted is there."""
    visitor.page.goto("/private?once=1")
    button = visitor.page.get_by_role("button", name="Sign in as Mia Member").first
    button.evaluate("button => { setTimeout(() => { button.click(); button.click(); }) }")
    arrives(visitor.page, "Private to Mia Member")
    assert visitor.page.url.endswith("/private?once=1")


def test_a_double_click_on_sign_out(visitor: Visitor) -> None:
    """REL-064: the second press finds nothing left to do, and the page says the same."""
    signs_in(visitor.page)
    visitor.page.get_by_role("button", name="Sign out").dblclick()
    visitor.page.wait_for_url("**/signed-out")
    visitor.sees("You are signed out")
    assert session_of(visitor.page) is None


def test_the_line_drops_between_the_callback_and_the_page(visitor: Visitor) -> None:
    """REL-064: the session has begun; a reload of what failed shows the page, without another sign-in."""
    visitor.page.goto("/private?line=1")
    with visitor.expecting("ERR_CONNECTION_RESET", "Failed to load"), cut_at(visitor.page, "*/private?line=1") as cut:
        picks(visitor.page, "Mia Member")
        goes_on_until(visitor.page, lambda: cut)
    before = session_of(visitor.page)
    visitor.goes_to("/private?line=1")
    visitor.sees("Private to Mia Member")
    assert session_of(visitor.page) == before
