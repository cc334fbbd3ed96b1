"""Several tabs of one browser: each ends where it wanted to go, and never two people in one browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page

from tests.chromium.portals import Clock, arrives, notes, picks, session_of, signs_in
from tests.chromium.visitor import Visitor


@pytest.mark.parametrize("number", [2, pytest.param(10, marks=pytest.mark.long)])
def test_tabs_that_sign_in_at_once_end_each_at_its_own_page(visitor: Visitor, number: int) -> None:
    """REL-060: all stand at the authority, all are let go on in the same moment, each comes back to its own address."""
    tabs = [visitor.page, *(visitor.page.context.new_page() for _ in range(number - 1))]
    for place, tab in enumerate(tabs):
        tab.goto(f"/private?tab={place}")
    attempts = [each for each in visitor.page.context.cookies() if "-signin-" in each.get("name", "")]
    assert len(attempts) == number
    for tab in tabs:
        picks(tab, "Mia Member")
    for place, tab in enumerate(tabs):
        arrives(tab, "Private to Mia Member")
        assert tab.url.endswith(f"/private?tab={place}")
    assert not [each for each in visitor.page.context.cookies() if "-signin-" in each.get("name", "")]


def test_another_account_in_the_second_tab(visitor: Visitor) -> None:
    """REL-063: the later sign-in has the browser; the first tab's form is refused and told why, its next page shows."""
    first = visitor.page
    second = first.context.new_page()
    first.goto("/private")
    second.goto("/private?tab=2")
    picks(first, "Mia Member")
    arrives(first, "Private to Mia Member")
    picks(second, "Ada Admin")
    arrives(second, "Private to Ada Admin")
    with visitor.expecting("403"):
        _sends(first, "from Mia")
        visitor.sees("This page is out of date")
    assert notes(second) == []
    visitor.presses("Reload the page")
    visitor.sees("Private to Ada Admin")
    _sends(first, "from Ada")
    visitor.sees("Saved")
    assert notes(first) == [["ada@birch.example", "from Ada"]]


def test_a_session_that_ends_while_a_form_is_filled(visitor: Visitor) -> None:
    """REL-065: the form is not saved for anybody, then or later; the way back leads to its page, as who signs in."""
    before = notes(visitor.page)
    signs_in(visitor.page, "Mia Member", to="/private?form=1")
    tab = visitor.page.context.new_page()
    tab.goto("/private")
    with tab.expect_navigation():
        tab.get_by_role("button", name="Sign out").click()
    tab.wait_for_url("**/signed-out")
    with visitor.expecting("401"):
        _sends(visitor.page, "too late")
        visitor.sees("Please sign in")
    visitor.presses("Sign in")
    picks(visitor.page, "Ada Admin")
    arrives(visitor.page, "Private to Ada Admin")
    assert visitor.page.url.endswith("/private?form=1")
    with visitor.expecting("403"):
        _goes_back_to_the_form_and_sends_it_again(visitor)
    assert notes(visitor.page) == before


def _goes_back_to_the_form_and_sends_it_again(visitor: Visitor) -> None:
    visitor.page.evaluate(
        """() => {
            const form = document.forms[0];
            form.csrf_token.value = "A".repeat(43);
            form.text.value = "too late";
            setTimeout(() => form.submit());
        }"""
    )
    visitor.sees("This page is out of date")


def test_a_session_that_expires_while_a_form_is_filled(visitor: Visitor, clock: Clock) -> None:
    """REL-065: an hour unused, and the form meets the sign-in; nothing of it was saved."""
    before = notes(visitor.page)
    signs_in(visitor.page, "Mia Member", to="/private?form=2")
    with clock.later(timedelta(hours=2)), visitor.expecting("401"):
        _sends(visitor.page, "too late")
        visitor.sees("Please sign in")
        assert session_of(visitor.page) is None
    visitor.presses("Sign in")
    arrives(visitor.page, "Private to Mia Member")
    assert visitor.page.url.endswith("/private?form=2")
    assert notes(visitor.page) == before


def _sends(page: Page, text: str) -> None:
    page.get_by_label("Text").fill(text)
    page.get_by_role("button", name="Save").click()
