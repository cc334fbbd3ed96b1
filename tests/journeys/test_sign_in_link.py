"""An application says in a link how people are to sign in; nobody else can say it, and it is held to."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI
from fastapi.responses import HTMLResponse

from entrada import SignInLink
from tests import front_door
from tests.front_door import AUTH, AUTHORITY, BASE, FrontDoor, running, walk_through

CLAIMS = {"id_token": {"auth_time": {"essential": True}, "acrs": {"value": "c1"}}}
WISHES: dict[str, dict[str, Any]] = {
    "account": {"prompt": "select_account", "login_hint": "mia@birch.example", "domain_hint": "birch.example"},
    "recent": {"prompt": "login", "max_age": timedelta(minutes=5), "return_to": "/private"},
    "claims": {"claims": CLAIMS},
    "none": {"prompt": "none"},
    "long": {"claims": {"id_token": {"x": {"value": "x" * 2000}}}},
    "other": {"claims": {"userinfo": {}}},
    "negative": {"max_age": timedelta(seconds=-1)},
    "hint": {"login_hint": "x" * 400},
}


def pages(app: FastAPI) -> None:
    """The small application, and a page with a link for each wish."""
    front_door.routes(app)

    @app.get("/links/{wish}")
    async def link(wish: str, sign_in_link: SignInLink) -> HTMLResponse:
        try:
            address = sign_in_link(**WISHES[wish])
        except ValueError as error:
            return HTMLResponse(str(error), 400)
        return HTMLResponse(f'<title>Links</title><a href="{address.replace("&", "&amp;")}">In</a>')


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=pages) as running_door:
        yield running_door


async def link_for(door: FrontDoor, wish: str) -> str:
    """Return the link of a page."""
    return (await door.browser().open(f"{BASE}/links/{wish}")).link("In")


async def asked(door: FrontDoor, link: str) -> dict[str, str]:
    """Return what the authority is asked by a link."""
    answer = await door.raw("GET", link)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def test_what_the_application_says_is_asked(door: FrontDoor) -> None:
    """LOG-7: prompt, hints, max_age and claims arrive as they were said, and nothing else is changed."""
    plain = await asked(door, f"{AUTH}/login")
    account = await asked(door, await link_for(door, "account"))
    assert account.keys() - plain.keys() == {"prompt", "domain_hint"}
    assert (account["prompt"], account["domain_hint"]) == ("select_account", "birch.example")
    recent = await asked(door, await link_for(door, "recent"))
    assert (recent["prompt"], recent["max_age"]) == ("login", "300")
    assert json.loads((await asked(door, await link_for(door, "claims")))["claims"]) == CLAIMS


async def test_who_is_to_choose_an_account(door: FrontDoor) -> None:
    """LOG-7: Entra refuses a login_hint beside select_account, the application's or a visitor's: it is not sent."""
    browser = await door.signed_in()
    for link in (await link_for(door, "account"), f"{await link_for(door, 'account')}&login_hint=ada%40birch.example"):
        await browser.open(link)
        assert browser.page.url.startswith(AUTHORITY)
        await walk_through(browser)
        assert browser.page.url == f"{BASE}/", browser.page.text


async def test_the_age_is_held_to(door: FrontDoor) -> None:
    """SEC-047: the way works, and whoever takes `max_age` out of the authority's address is not signed in."""
    browser = await door.signed_in()
    link = await link_for(door, "recent")
    door.entra.state.clock.move(timedelta(hours=2))
    begun = await browser.fetch(link)
    address = urlsplit(begun.headers["location"])
    kept = {name: values[0] for name, values in parse_qs(address.query).items() if name not in {"max_age", "prompt"}}
    await browser.open(address._replace(query=urlencode(kept)).geturl())
    if browser.page.url.startswith(front_door.AUTHORITY):
        await walk_through(browser)
    assert "could not be verified" in browser.page.text
    assert (await browser.open(link)).url.startswith(front_door.AUTHORITY)


@pytest.mark.parametrize("change", ["changed", "doubled", "invented", "old"])
async def test_a_link_that_is_not_the_applications(door: FrontDoor, change: str) -> None:
    """SEC-006: nothing begins by it."""
    link = await link_for(door, "account")
    if change == "old":
        door.entra.state.clock.move(timedelta(days=1))
    other = {
        "changed": link[:-3] + "AAA",
        "doubled": f"{link}&{urlsplit(link).query}",
        "invented": f"{AUTH}/login?with=eyJ",
    }
    answer = await door.raw("GET", other.get(change, link))
    assert answer.status_code == 400
    assert "location" not in answer.headers


@pytest.mark.parametrize("wish", ["none", "long", "other", "negative", "hint"])
async def test_what_cannot_be_asked(door: FrontDoor, wish: str) -> None:
    """LOG-7: the list is short, and an application that asks for more is told what is wrong."""
    page = await door.raw("GET", f"{BASE}/links/{wish}")
    assert page.status_code == 400
    assert next(iter(WISHES[wish])) in page.text
