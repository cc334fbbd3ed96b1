"""A new identifier at each sign-in, also of the same person: the old one is dead, their work goes on (SES-3)."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request, Response

from entrada import CurrentUser, OptionalUser
from entrada.sessions.suffixes import GRACE
from tests.browser import Browser
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, routes, running, walk_through
from tests.journeys.test_people_change import ROOT, house_of
from tests.journeys.test_remember_me import cookie, signed_in

MONTH = 30 * 24 * 3600
HOST = "portal.birch.example"


def with_data(app: FastAPI) -> None:
    """Add two routes that keep a basket."""
    routes(app)

    @app.post("/basket")
    async def put(request: Request, _user: CurrentUser) -> None:
        request.session["basket"] = ["a book"]

    @app.get("/basket")
    async def get(request: Request, _user: CurrentUser) -> list[str]:
        basket: list[str] = request.session.get("basket", [])
        return basket


async def basket(browser: Browser) -> object:
    return (await browser.fetch(f"{BASE}/basket")).json()


@pytest.mark.parametrize("store", ["memory:", "sqlite:"])
async def test_the_same_person_proves_themselves_anew(entra: Entra, tmp_path: Path, store: str) -> None:
    """SEC-071: the identifier changes, the old one is nobody's, the application's data is there."""
    async with running(entra, tmp_path, build=with_data, store=store) as door:
        browser = await door.signed_in()
        before = browser.jar.of(HOST)[SESSION]
        await browser.fetch(f"{BASE}/basket", method="POST", headers={"x-csrf": "1"})
        await browser.open(f"{AUTH}/login?return_to=/private")
        after = browser.jar.of(HOST)[SESSION]
        assert after != before
        assert (await door.reuse(before), await door.reuse(after)) == (401, 200)
        assert await basket(browser) == ["a book"]
        assert len((await browser.fetch(f"{AUTH}/sessions")).json()["sessions"]) == 1


async def test_another_person_begins_with_nothing(entra: Entra, tmp_path: Path) -> None:
    """SEC-071, REL-063: what one person kept is not the next one's, in the same browser."""
    async with running(entra, tmp_path, build=with_data) as door:
        browser = door.browser()
        second_tab = await browser.open(f"{BASE}/private")
        await browser.open(f"{BASE}/private")
        await walk_through(browser)
        await browser.fetch(f"{BASE}/basket", method="POST", headers={"x-csrf": "1"})
        browser.history.append(second_tab)
        await walk_through(browser, "ada@birch.example")
        assert "Hello Ada" in browser.page.text
        assert await basket(browser) == []


async def test_whoever_signed_out_begins_with_nothing(entra: Entra, tmp_path: Path) -> None:
    """The data ends with the session."""
    async with running(entra, tmp_path, build=with_data) as door:
        browser = await door.signed_in()
        await browser.fetch(f"{BASE}/basket", method="POST", headers={"x-csrf": "1"})
        await browser.press("Sign out")
        await browser.open(f"{BASE}/private")
        await walk_through(browser)
        assert await basket(browser) == []


async def test_roles_that_have_changed_come_with_a_new_identifier(entra: Entra, tmp_path: Path) -> None:
    """SES-3: a rise in privilege is a sign-in, whose session has the new roles; the one without them is dead."""
    roles = frozenset({"Reader"})
    options = {"provision": lambda user: replace(user, roles=roles)}
    async with running(entra, tmp_path, options=options) as door:
        browser = await door.signed_in()
        before = browser.jar.of(HOST)[SESSION]
        roles = frozenset({"Reader", "Approver"})
        await browser.open(f"{AUTH}/login?return_to=/private")
        assert (await browser.fetch(f"{AUTH}/me")).json()["roles"] == ["Approver", "Reader"]
        assert await door.reuse(before) == 401


async def test_a_granted_role_brings_another_identifier(entra: Entra, tmp_path: Path) -> None:
    """SES-3, SEC-071: the next answer gives it; tabs, open forms and a remembered sign-in go on, the old one dies."""
    async with running(entra, tmp_path, build=with_data, remember_days=30) as door:
        browser, house = await signed_in(door, "remember=1&return_to=/private"), house_of(door.app)
        before, form = browser.jar.of(HOST)[SESSION], browser.page
        (mia,) = (await house.administration.people.page()).people
        await house.administration.grant(mia.id, "Editor", by=ROOT)
        answers = await asyncio.gather(*[browser.fetch(f"{AUTH}/me") for _ in range(5)])
        assert [each.json()["roles"] for each in answers] == [["Editor"]] * 5
        after = browser.jar.of(HOST)[SESSION]
        assert after != before
        (kept,) = re.findall(r"max-age=(\d+)", cookie(browser))
        assert 0 <= MONTH - int(kept) < 60, "as long as the session"
        assert (await door.reuse(after), await door.reuse(before)) == (200, 200), "sent before the answer was there"
        entra.state.clock.move(GRACE)
        assert (await door.reuse(after), await door.reuse(before)) == (200, 401)
        assert await basket(browser) == []
        browser.history.append(form)
        await browser.press("Sign out")
        assert await door.reuse(after) == 401


async def test_an_answer_that_comes_late(entra: Entra, tmp_path: Path) -> None:
    """REL-063, SEC-071: it was to bring another identifier; by now the browser has another session, and keeps it."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    def with_a_slow_page(app: FastAPI) -> None:
        routes(app)

        @app.get("/slow")
        async def slow(_user: CurrentUser) -> None:
            asked.set()
            await go_on.wait()

    async with running(entra, tmp_path, build=with_a_slow_page) as door:
        browser, house = await door.signed_in(), house_of(door.app)
        (mia,) = (await house.administration.people.page()).people
        await house.administration.grant(mia.id, "Editor", by=ROOT)
        late = asyncio.create_task(browser.fetch(f"{BASE}/slow"))
        await asked.wait()
        await browser.open(f"{AUTH}/login?return_to=/private")
        now = browser.jar.of(HOST)[SESSION]
        go_on.set()
        assert (await late).status_code == 200
        assert browser.jar.of(HOST)[SESSION] == now
        assert await door.reuse(now) == 200


async def with_another(door: FrontDoor) -> tuple[Browser, str]:
    """Return the browser of somebody who has taken up another identifier, and the one before."""
    browser, house = await door.signed_in(), house_of(door.app)
    before = browser.jar.of(HOST)[SESSION]
    (mia,) = (await house.administration.people.page()).people
    await house.administration.grant(mia.id, "Editor", by=ROOT)
    for _ in range(2):  # it is given, and taken up
        await browser.fetch(f"{AUTH}/me")
    return browser, before


async def test_a_page_that_is_asked_for_late(entra: Entra, tmp_path: Path) -> None:
    """SEC-083: it bears the identifier of before, and is nobody's; the browser keeps the one that it has by now."""
    async with running(entra, tmp_path) as door:
        browser, before = await with_another(door)
        entra.state.clock.move(GRACE)
        headers = {"cookie": f"{SESSION}={before}", "sec-fetch-mode": "navigate", "accept": "text/html"}
        answer = await door.raw("GET", f"{BASE}/private", headers=headers)
        assert answer.status_code == 302
        assert SESSION not in answer.headers.get("set-cookie", "")
        await house_of(door.app).sessions.end(browser.jar.of(HOST)[SESSION])
        answer = await door.raw("GET", f"{BASE}/private", headers=headers)
        assert f"{SESSION}=;" in answer.headers["set-cookie"]


async def test_a_browser_that_has_lost_the_new_one_signs_out(entra: Entra, tmp_path: Path) -> None:
    """OUT-1: a crash took its last cookies, and its open page is an old one: what says "signed out" has ended it."""
    async with running(entra, tmp_path) as door:
        browser, before = await with_another(door)
        after = browser.jar.of(HOST)[SESSION]
        entra.state.clock.move(GRACE)
        assert (await door.reuse(before), await door.reuse(after)) == (401, 200)
        headers = {"cookie": f"{SESSION}={before}", "x-csrf": "1", "origin": BASE}
        assert (await door.raw("POST", f"{AUTH}/logout", headers=headers)).status_code == 200
        assert await door.reuse(after) == 401
        assert door.events[-1].name == "sign_out"


@pytest.mark.parametrize("ends", [False, True])
async def test_no_cache_keeps_an_identifier(entra: Entra, tmp_path: Path, ends: bool) -> None:
    """SEC-083, SEC-071: what the application lets caches keep has no session's cookie in it, given or taken away."""
    cached = {"cache-control": "public, max-age=600", "cdn-cache-control": "max-age=600"}

    def with_a_cached_page(app: FastAPI) -> None:
        routes(app)

        @app.get("/cached")
        async def page(_user: OptionalUser) -> Response:
            return Response("hello", headers=cached)

    async with running(entra, tmp_path, build=with_a_cached_page) as door:
        browser, house = await door.signed_in(), house_of(door.app)
        (mia,) = (await house.administration.people.page()).people
        before = (await browser.fetch(f"{BASE}/cached")).headers
        assert {name: before[name] for name in cached} == cached
        if ends:
            await house_of(door.app).sessions.end(browser.jar.of(HOST)[SESSION])
        else:
            await house.administration.grant(mia.id, "Editor", by=ROOT)
        answer = await browser.open(f"{BASE}/cached")
        assert SESSION in answer.headers["set-cookie"]
        assert answer.headers["cache-control"] == "no-store"
        assert "cdn-cache-control" not in answer.headers
