"""The console of the enterprise example in a browser: who administers, whom, and a day's work; for each database.

A module of tests imports the fixtures, and says where people are kept.
"""

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


def signs_in(visitor: Visitor, name: str = PERSON) -> None:
    visitor.goes_to("/api/auth/login")
    visitor.one_click(name)
    visitor.stays()
    visitor.consents_if_asked()
    visitor.sees(f"Hello, {name}")


def finds(visitor: Visitor, name: str) -> None:
    """Search for somebody, and open their page."""
    visitor.goes_to("/admin")
    visitor.presses("People")
    visitor.field("Name, mail, department or job").fill(name.lower())
    visitor.presses("Search")
    visitor.page.get_by_role("link", name=name, exact=True).click()
    visitor.sees(name)


def at_work(administrator: Visitor, other: Visitor, folder: Path) -> None:
    """Finds a person, reads their history, ends their session, grants a role, shuts them out, takes the log home."""
    signs_in(other)
    finds(administrator, PERSON)
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
    loading.value.save_as(folder / "log.csv")
    with (folder / "log.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {"sign_in", "session_ended", "role_granted", "user_deactivated"} <= {row["action"] for row in rows}

    finds(administrator, PERSON)
    administrator.presses("Reactivate")
    administrator.page.get_by_text("Reactivated.").first.wait_for()


def _signs_in_again(visitor: Visitor) -> None:
    visitor.goes_to("/api/auth/login")
    if visitor.sees_one_of("Sign in", "Pick an account", f"Hello, {PERSON}") != f"Hello, {PERSON}":
        visitor.page.get_by_role("button", name=PERSON).first.click()
    visitor.sees(f"Hello, {PERSON}")
