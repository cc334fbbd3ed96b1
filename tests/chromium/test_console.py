"""An administrator at work in one browser, the person it is about in another: what is done here, is so there."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.chromium.console import PERSON, PROVING, administrator, app, at_work, finds, registered, signs_in
from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor

__all__ = ["administrator", "app", "registered"]

PAGES = {
    "overview": "/admin",
    "people": "/admin/users?order=name",
    "nobody": "/admin/users?q=nobody+is+called+this",
    "audit": "/admin/audit?action=user_deactivated",
    "tenants": "/admin/tenants",
    "system": "/admin/system",
    "account": "/account",
}


def test_an_administrator_at_work(administrator: Visitor, visitor: Visitor, tmp_path: Path) -> None:
    """Finds a person, reads their history, ends their session, grants a role, shuts them out, takes the log home."""
    at_work(administrator, visitor, tmp_path)


def test_the_log_goes_on_while_somebody_looks(administrator: Visitor, visitor: Visitor) -> None:
    """A new entry appears on top by itself, as a row like the others; and stops when it is told to."""
    finds(administrator, "Greta Groups")
    administrator.goes_to(f"/admin/audit?q=/reports&user={administrator.page.url.rpartition('/')[2]}")
    assert "Nothing fits" in administrator.text
    administrator.presses("Follow live")
    before = administrator.page.locator("tr.new").count()
    signs_in(visitor, "Greta Groups")
    with visitor.expecting(*PROVING):
        visitor.goes_to("/reports")
        visitor.sees("You may not do this")
    administrator.page.locator("tr.new").filter(has_text="Greta Groups").wait_for()
    assert before == 0
    assert "Nothing fits" not in administrator.text
    administrator.presses("Following")
    administrator.page.get_by_role("button", name="Follow live", exact=True).wait_for()


def test_whoever_has_no_rights_sees_nothing(visitor: Visitor) -> None:
    """Each page says 403, and the way there is not shown on the account page (SEC-139)."""
    signs_in(visitor, "Greta Groups")
    for path in PAGES.values():
        if path == "/account":
            continue
        with visitor.expecting(*PROVING):
            answer = visitor.page.goto(path)
            assert answer is not None
            assert answer.status == 403
            visitor.sees("You may not do this")
    visitor.goes_to("/account")
    assert visitor.page.get_by_role("link", name="Administration").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_each_page_in_each_look(administrator: Visitor, name: str) -> None:
    """Axe finds nothing in light, in dark and on a phone, and nothing scrolls sideways."""
    administrator.goes_to(PAGES[name])
    administrator.shows(f"console-{name}")


def test_the_question_before_somebody_is_deleted(administrator: Visitor) -> None:
    """SEC-140: the page that asks again has the same looks, and the way back changes nothing."""
    finds(administrator, PERSON)
    administrator.page.get_by_role("link", name="Delete this person").click()
    administrator.sees(f"Delete {PERSON}?")
    administrator.shows("console-delete")
    administrator.page.get_by_role("link", name="Keep them").click()
    administrator.sees(PERSON)


def test_by_keyboard_and_without_scripts(chromium: Browser, administrator: Visitor) -> None:
    """The first tab leads past the bar; a table stands behind each chart; filters work; nothing live is offered."""
    state = administrator.page.context.storage_state()
    with chromium.new_context(base_url=f"https://{HOST}", java_script_enabled=False, storage_state=state) as context:
        page = context.new_page()
        page.set_default_timeout(60_000)  # as a visitor's
        page.goto("/admin")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**#main")
        page.get_by_text("Sign-ins as a table").click()
        page.get_by_role("columnheader", name="Signed in").first.wait_for()
        page.goto("/admin/audit")
        page.get_by_label("What", exact=True).select_option("sign_in_failed")
        page.get_by_role("button", name="Show").press("Enter")
        page.wait_for_url("**action=sign_in_failed**")
        assert page.get_by_role("button", name="Follow live").count() == 0


def test_where_colours_are_forced(administrator: Visitor) -> None:
    """One still sees where one is, and which colour of a chart means what; on paper there is no bar."""
    page = administrator.page
    administrator.goes_to("/admin")
    page.emulate_media(forced_colors="active")
    edges = "[...document.querySelectorAll('.bar nav a')].map(each => getComputedStyle(each).borderBottomColor)"
    here, *others = page.evaluate(edges)
    assert here not in others
    square = "getComputedStyle(document.querySelector('.legend .alarm'), '::before').backgroundColor"
    bar = "getComputedStyle(document.querySelector('.col.alarm')).fill"
    assert page.evaluate(f"{square} == {bar}")
    page.emulate_media(forced_colors="none", media="print")
    assert not page.get_by_role("navigation", name="Administration").is_visible()
    page.emulate_media(media="screen")


def test_a_name_as_long_as_it_gets(administrator: Visitor) -> None:
    """A word of 200 letters is broken where it must be: no page scrolls sideways, no button is squeezed for it."""
    page = administrator.page
    finds(administrator, PERSON)
    here = page.url
    _renames(administrator, "W" * 200)
    for path in (here, f"{here}/delete", "/admin/users?q=WWWW", "/admin/audit"):
        administrator.goes_to(path)
        page.get_by_text("W" * 200).first.wait_for()
        for width in (1100, 390):
            page.set_viewport_size({"width": width, "height": 760})
            assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), (path, width)
            for button in (
                page.get_by_role("button", name="Sign out").or_(page.get_by_role("button", name="Show")).all()
            ):
                assert (button.bounding_box() or {})["height"] < 50, (path, width)
        page.set_viewport_size({"width": 1100, "height": 760})
    administrator.goes_to(here)
    _renames(administrator, PERSON)


def _renames(administrator: Visitor, name: str) -> None:
    administrator.page.get_by_text("Change the profile").click()
    administrator.page.locator("#name").fill(name)
    administrator.presses("Save")
    administrator.page.get_by_role("heading", level=1, name=name).wait_for()
