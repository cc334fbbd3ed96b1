"""A route that wants more proof than the session has: pages are walked through it and come back; scripts are told."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from entrada import CsrfToken, CurrentUser, User, auth_context, mfa, requires, role
from tests.browser import FORM, HTML, Browser
from tests.front_door import AUTHORITY, BASE, SESSION, FrontDoor, Graph, running
from tests.journeys.test_claims_challenge import Once

OLGA = "olga@birch.example"
HOST = "portal.birch.example"
Strong = Annotated[User, requires(auth_context("c1"))]
Lately = Annotated[User, requires(mfa(within=timedelta(minutes=5), context="c1"))]


def bank(app: FastAPI) -> None:
    """A page with a form, and what the form does, which wants more proof."""

    @app.get("/private")
    async def private(user: CurrentUser, csrf_token: CsrfToken) -> HTMLResponse:
        form = (
            '<form method="post" action="{}" enctype="{}"><input type="hidden" name="csrf_token" value="{}">{}</form>'
        )
        fields = '<input name="amount"><button>{}</button>'
        plain, parts = "application/x-www-form-urlencoded", "multipart/form-data"
        return HTMLResponse(
            f"<title>Bank</title><p>{user.name}</p>"
            + form.format("/pay?to=a%20b", plain, csrf_token, fields.format("Pay"))
            + form.format("/send", parts, csrf_token, fields.format("Send"))
        )

    @app.get("/vault")
    async def vault(user: Strong) -> dict[str, str]:
        return {"open for": user.name}

    @app.get("/graph")
    async def graph(client: Graph) -> str:
        return (await client.get("/me")).json()["displayName"]

    @app.get("/lately")
    async def lately(user: Lately) -> dict[str, str]:
        return {"open for": user.name}

    @app.get("/role")
    async def by_role(user: Annotated[User, requires(role("Nobody"), auth_context("c1"))]) -> str:
        return user.name

    @app.get("/factors")
    async def factors(user: Annotated[User, requires(mfa())]) -> str:
        return user.name

    @app.post("/basket")
    async def fill(request: Request, user: CurrentUser) -> None:
        request.session["basket"] = ["pears"]

    @app.get("/basket")
    async def basket(request: Request, user: CurrentUser) -> dict[str, object]:
        return dict(request.session)

    @app.post("/send")
    async def send(request: Request, user: Strong) -> None:
        app.state.sent = [*getattr(app.state, "sent", []), await request.body()]

    @app.post("/pay")
    async def pay(request: Request, user: Strong) -> dict[str, object]:
        app.state.paid = [*getattr(app.state, "paid", []), user.name]
        form = await request.form()
        return {"paid by": user.name, "amount": form["amount"], "to": request.query_params["to"]}


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=bank) as front_door:
        yield front_door


async def walk_on(door: FrontDoor, browser: Browser, upn: str = OLGA) -> None:
    """Go through the authority's pages, with a code of the authenticator that has not been used yet."""
    while browser.page.url.startswith(AUTHORITY):
        page = browser.page
        if page.has_button("Verify"):
            door.entra.state.clock.move(timedelta(seconds=31))
            await browser.press("Verify", code=pyotp.TOTP(seeds.TOTP_SECRET).at(door.entra.state.clock.now()))
        else:
            buttons = [text for form in page.forms for text, _, _ in form.buttons]
            known = [each for each in (upn, "No", "Accept", "Continue") if any(each in text for text in buttons)]
            if "Sign in" in buttons:
                await browser.press("Sign in", password=seeds.PASSWORD)
                continue
            assert known, f"not known here: {buttons}"
            await browser.press(known[0])


async def signed_in(door: FrontDoor, upn: str = OLGA) -> Browser:
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    await walk_on(door, browser, upn)
    return browser


async def navigating(browser: Browser) -> dict[str, str]:
    """Return the headers of a browser that sends a form from a page of ours."""
    return {
        "cookie": f"{SESSION}={browser.jar.of(HOST)[SESSION]}",
        "accept": HTML,
        "sec-fetch-mode": "navigate",
        "sec-fetch-site": "same-origin",
        "referer": f"{BASE}/private",
    }


def cookies_set(browser: Browser) -> list[str]:
    """Return the cookies that the answers of the last walk set."""
    return [each for answer in browser.answers for each in answer.headers.get_list("set-cookie")]


def last_request(door: FrontDoor) -> dict[str, list[str]]:
    return [parse_qs(urlsplit(url).query) for _, url in door.internet.calls if "/authorize?" in url][-1]


async def test_a_page_is_proven_and_opened(door: FrontDoor) -> None:
    """API-8, SES-3, SEC-011, SEC-071: the page asks the authority by `claims` and comes back; the identifier is new."""
    browser = await signed_in(door)
    before = browser.jar.of(HOST)[SESSION]
    await browser.open(f"{BASE}/vault")
    await walk_on(door, browser)
    assert json.loads(last_request(door)["claims"][0]) == {"id_token": {"acrs": {"essential": True, "value": "c1"}}}
    assert browser.page.url == f"{BASE}/vault"
    assert "Olga Onetime" in browser.page.text
    assert browser.jar.of(HOST)[SESSION] != before
    assert await door.reuse(before) == 401
    asked = door.calls("/authorize?")
    await browser.open(f"{BASE}/vault")
    assert door.calls("/authorize?") == asked


async def test_age_is_asked_for_and_runs_out(door: FrontDoor) -> None:
    """SEC-047, SEC-136: `within` sends max_age and wants auth_time; when it has passed, they are asked once more."""
    browser = await signed_in(door)
    await browser.open(f"{BASE}/lately")
    await walk_on(door, browser)
    assert last_request(door)["max_age"] == ["300"]
    assert browser.page.url == f"{BASE}/lately"
    asked = door.calls("/authorize?")
    await browser.open(f"{BASE}/lately")
    assert door.calls("/authorize?") == asked
    door.entra.state.clock.move(timedelta(minutes=6))
    await browser.open(f"{BASE}/lately")
    await walk_on(door, browser)
    assert door.calls("/authorize?") > asked
    assert "Olga Onetime" in browser.page.text


async def test_a_form_is_sent_again(door: FrontDoor) -> None:
    """BEY-3: a form that met the step-up does what it was to do, once, with what was typed, at the same address."""
    browser = await signed_in(door)
    await browser.press("Pay", amount="12 € & more")
    first = browser.answers[0]
    assert (first.status_code, first.headers["cache-control"]) == (401, "no-store")
    assert "One more step is needed" in first.text
    assert "12 €" not in first.text
    await walk_on(door, browser)
    assert "Going on where you were" in browser.page.text
    assert not hasattr(door.app.state, "paid")
    done = await browser.press("Send it now")
    assert json.loads(done.text) == {"paid by": "Olga Onetime", "amount": "12 € & more", "to": "a b"}
    assert done.url == f"{BASE}/pay?to=a%20b"
    assert door.app.state.paid == ["Olga Onetime"]


async def test_a_script_is_told_where_to_go(door: FrontDoor) -> None:
    """BEY-3, RFC 9470: a script gets 401 with what is wanted and the address; that leads there and back to its page."""
    browser = await signed_in(door)
    answer = await browser.fetch(f"{BASE}/vault", headers={"referer": f"{BASE}/private"})
    assert answer.status_code == 401
    (said,) = answer.headers.get_list("www-authenticate")
    assert said.startswith('Session error="insufficient_user_authentication"')
    assert 'acr_values="c1"' in said
    told = answer.json()
    assert told["code"] == "insufficient_user_authentication"
    await browser.open(BASE + told["login"])
    await walk_on(door, browser)
    assert browser.page.url == f"{BASE}/private"
    assert (await browser.fetch(f"{BASE}/vault")).status_code == 200


async def test_the_address_is_its_persons(door: FrontDoor) -> None:
    """SEC-136: somebody else who opens it is asked for nothing, and led to the first page as who they are."""
    browser = await signed_in(door)
    told = (await browser.fetch(f"{BASE}/vault")).json()
    other = await signed_in(door, "mia@birch.example")
    session = other.jar.of(HOST)[SESSION]
    await other.open(BASE + told["login"])
    assert not any(url.startswith(AUTHORITY) for url in other.visited)
    assert other.jar.of(HOST)[SESSION] == session


async def test_tokens_renewed_meanwhile(entra: Entra, tmp_path: Path) -> None:
    """BEY-3: a renewal of the session's tokens, while the person is away, leaves the form where it waits."""
    async with running(entra, tmp_path, build=bank, hosts={"graph.microsoft.com": Once(entra)}) as door:
        browser = await signed_in(door)
        token = browser.page.form_with("Pay")[0].fields["csrf_token"]
        headers = await navigating(browser) | {"content-type": FORM}
        refused = await door.raw("POST", f"{BASE}/pay?to=x", headers=headers, content=f"csrf_token={token}&amount=5")
        asked = door.calls("/token")
        assert (await browser.fetch(f"{BASE}/graph")).status_code == 200
        assert door.calls("/token") == asked + 1
        await browser.open(BASE + refused.headers["refresh"].removeprefix("0; url="))
        await walk_on(door, browser)
        await browser.press("Send it now")
        assert json.loads(browser.page.text)["amount"] == "5"


async def test_the_authority_down_on_the_way_back(door: FrontDoor) -> None:
    """SEC-110: when the authority fails in the middle, the old session and the form are still there to try again."""
    browser = await signed_in(door)
    before = browser.jar.of(HOST)[SESSION]
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", status=503, times=3))
    await browser.press("Pay", amount="8")
    link = next(each for each in browser.visited if "/step-up?" in each)
    await walk_on(door, browser)
    assert browser.page.status == 503
    assert await door.reuse(before) == 200
    door.entra.state.faults.clear()
    await browser.open(link)
    await walk_on(door, browser)
    await browser.press("Send it now")
    assert json.loads(browser.page.text)["amount"] == "8"
    assert await door.reuse(before) == 401


async def test_files_too(door: FrontDoor) -> None:
    """BEY-3: a form with parts, as for files, is sent again byte for byte, after a second factor that takes a while."""
    browser = await signed_in(door)
    content = b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n%s\r\n--x\r\n' + (
        b'Content-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n\x00\xff\x80\r\n--x--\r\n'
    )
    token = browser.page.form_with("Send")[0].fields["csrf_token"]
    body = content % token.encode()
    headers = await navigating(browser) | {"content-type": "multipart/form-data; boundary=x"}
    refused = await door.raw("POST", f"{BASE}/send", headers=headers, content=body)
    assert refused.status_code == 401
    await browser.open(BASE + refused.headers["refresh"].removeprefix("0; url="))
    await walk_on(door, browser)
    await browser.press("Send it now")
    assert door.app.state.sent == [body]


async def test_a_script_with_a_form_keeps_its_own(door: FrontDoor) -> None:
    """A script's request is not put on hold: it has its data, and decides itself when to send it again."""
    browser = await signed_in(door)
    answer = await browser.fetch(
        f"{BASE}/pay?to=x", method="POST", form={"amount": "1"}, headers={"x-csrf": "1", "referer": f"{BASE}/private"}
    )
    assert (answer.status_code, "refresh" in answer.headers) == (401, False)
    await browser.open(BASE + answer.json()["login"])
    await walk_on(door, browser)
    assert browser.page.url == f"{BASE}/private"


async def test_the_new_session_keeps_what_was_chosen(door: FrontDoor) -> None:
    """A step-up forgets neither the application's data nor that the person wanted to be remembered."""
    browser = door.browser()
    await browser.open(f"{BASE}/api/auth/login?return_to=/private&remember=1")
    await walk_on(door, browser)
    await browser.fetch(f"{BASE}/basket", method="POST", headers={"x-csrf": "1"})
    await browser.open(f"{BASE}/vault")
    await walk_on(door, browser)
    assert "Max-Age" in next(each for each in cookies_set(browser) if each.startswith(SESSION + "="))
    assert (await browser.fetch(f"{BASE}/basket")).json() == {"basket": ["pears"]}


async def test_no_loop(door: FrontDoor) -> None:
    """SEC-021, SEC-047: when the authority does not say that it was proven, the person reads what is missing, once."""
    upn, page = "mia@birch.example", "/factors"
    browser = await signed_in(door, upn)
    asked = door.calls("/authorize?")
    await browser.open(BASE + page)
    await walk_on(door, browser, upn)
    assert door.calls("/authorize?") > asked
    assert browser.page.url == BASE + page
    assert (browser.page.status, browser.page.title) == (403, "Your sign-in does not prove enough")
    script = await browser.fetch(BASE + page)
    assert (script.status_code, "login" in script.json()) == (403, False)
    await browser.follow("Sign in once more")
    assert door.calls("/authorize?") > asked + 1


async def test_no_step_up_in_vain(door: FrontDoor) -> None:
    """Who lacks a role as well is refused at once: proving more would not help."""
    browser = await signed_in(door)
    await browser.open(f"{BASE}/role")
    assert browser.page.status == 403
    assert "This needs the role Nobody." in browser.page.text
