"""An administrator at work in one browser, the person it is about in another: what is done here, is so there."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from examples.demo import Demo
from examples.enterprise.demo import demo as enterprise
from tests.chromium.sites import HOST
from tests.chromium.visitor import Visitor

ADMINISTRATOR, PERSON = "Pia Push", "Mia Member"
PROVING = ("status of 401", "status of 403")
PAGES = {
    "overview": "/admin",
    "people": "/admin/users?order=name",
    "nobody": "/admin/users?q=nobody+is+called+this",
    "audit": "/admin/audit?action=user_deactivated",
    "tenants": "/admin/tenants",
    "system": "/admin/system",
    "account": "/account",
}


@pytest.fixture(scope="module")
def app() -> str:
    return "examples.enterprise.app:app"


@pytest.fixture(scope="module")
def registered() -> Demo:
    return enterprise({})


@pytest.fixture(scope="module")
def administrator(chromium: Browser) -> Iterator[Visitor]:
    """Whoever administers, signed in with their phone; for all tests of this file."""
    with chromium.new_context(base_url=f"https://{HOST}") as context:
        visitor = Visitor(context.new_page())
        visitor.goes_to("/admin")
        visitor.one_click(ADMINISTRATOR)
        _approves(visitor)
        visitor.stays()
        if visitor.sees_one_of("Permissions requested", "Overview") == "Permissions requested":
            visitor.consents()
        visitor.sees("Overview")
        yield visitor
        assert not visitor.complaints, "\n".join(visitor.complaints)


def _approves(visitor: Visitor) -> None:
    """Approve on the emulated phone."""
    visitor.sees("Approve sign-in")
    number = visitor.page.locator("p.number").inner_text().split()[-1]
    with visitor.page.expect_popup() as opened:
        visitor.presses("open the emulated phone")
    phone = Visitor(opened.value)
    phone.field("Number shown on the sign-in page").fill(number)
    phone.presses("Approve")


def _signs_in(visitor: Visitor, name: str = PERSON) -> None:
    visitor.goes_to("/api/auth/login")
    visitor.one_click(name)
    visitor.stays()
    if visitor.sees_one_of("Permissions requested", f"Hello, {name}") == "Permissions requested":
        visitor.consents()
    visitor.sees(f"Hello, {name}")


def _finds(visitor: Visitor, name: str) -> None:
    """Search for somebody, and open their page."""
    visitor.goes_to("/admin")
    visitor.presses("People")
    visitor.field("Name, mail, department or job").fill(name.lower())
    visitor.presses("Search")
    visitor.page.get_by_role("link", name=name, exact=True).click()
    visitor.sees(name)


def test_an_administrator_at_work(administrator: Visitor, visitor: Visitor, tmp_path: Path) -> None:
    """Finds a person, reads their history, ends their session, grants a role, shuts them out, takes the log home."""
    other = visitor
    _signs_in(other)
    _finds(administrator, PERSON)
    assert "Signed in" in administrator.page.get_by_role("region", name="History").inner_text()
    administrator.shows("console-person")

    with administrator.expecting(*PROVING):
        administrator.page.get_by_role("button", name="End Headless Chrome").first.click()
        administrator.page.get_by_text("The session has ended.").wait_for()
    other.goes_to("/")
    other.sees("Good morning")

    _signs_in_again(other)
    with other.expecting(*PROVING):
        other.goes_to("/reports")
        other.sees("You may not do this")
    administrator.field("Role to grant").fill("Reports")
    administrator.presses("Grant")
    administrator.page.get_by_text("The role is granted.").wait_for()
    other.goes_to("/reports")
    other.sees("Reports")

    administrator.presses("Deactivate")
    administrator.page.get_by_text("Deactivated.").first.wait_for()
    other.goes_to("/")
    other.sees("Good morning")

    administrator.presses("Audit log")
    with administrator.page.expect_download() as loading:
        administrator.presses("CSV")
    loading.value.save_as(tmp_path / "log.csv")
    with (tmp_path / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"sign_in", "session_ended", "role_granted", "user_deactivated"} <= {row["action"] for row in rows}

    _finds(administrator, PERSON)
    administrator.presses("Reactivate")
    administrator.page.get_by_text("Reactivated.").first.wait_for()


def _signs_in_again(visitor: Visitor) -> None:
    visitor.goes_to("/api/auth/login")
    if visitor.sees_one_of("Sign in", "Pick an account", f"Hello, {PERSON}") != f"Hello, {PERSON}":
        visitor.page.get_by_role("button", name=PERSON).first.click()
    visitor.sees(f"Hello, {PERSON}")


def test_the_log_goes_on_while_somebody_looks(administrator: Visitor, visitor: Visitor) -> None:
    """A new entry appears on top by itself, as a row like the others; and stops when it is told to."""
    administrator.goes_to("/admin/audit?action=access_denied")
    administrator.presses("Follow live")
    before = administrator.page.locator("tr.new").count()
    _signs_in(visitor, "Greta Groups")
    with visitor.expecting(*PROVING):
        visitor.goes_to("/reports")
        visitor.sees("You may not do this")
    administrator.page.locator("tr.new").filter(has_text="Greta Groups").wait_for()
    assert before == 0
    administrator.presses("Following")
    administrator.page.get_by_role("button", name="Follow live", exact=True).wait_for()


def test_whoever_has_no_rights_sees_nothing(visitor: Visitor) -> None:
    """Each page says 403, and the way there is not shown on the account page (SEC-139)."""
    _signs_in(visitor, "Greta Groups")
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
    _finds(administrator, PERSON)
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
        page.goto("/admin")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.url.endswith("#main")
        page.get_by_text("Sign-ins as a table").click()
        page.get_by_role("columnheader", name="Signed in").first.wait_for()
        page.goto("/admin/audit")
        page.get_by_label("What", exact=True).select_option("sign_in_failed")
        page.get_by_role("button", name="Show").press("Enter")
        page.wait_for_url("**action=sign_in_failed**")
        assert page.get_by_role("button", name="Follow live").count() == 0
