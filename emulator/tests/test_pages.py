"""What every page promises: the banner, the headers, nothing foreign, and no secret."""

import re

from entrada_emulator.directory import seeds
from entrada_emulator.pages import HERE, Policy
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.sign_in import BIRCH_AUTHORIZE, LOGIN, REDIRECT_URI, asked, person_at, signed_in

TEMPLATES = sorted(path for path in (HERE / "templates").iterdir() if not path.name.endswith("parts.html"))


async def test_every_page_says_that_this_is_not_microsoft(entra: Entra) -> None:
    """SEC-189: the banner is on the page that all others extend, and on what a browser gets."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    assert person.sees("Emulator — not Microsoft.")
    extends = {path.name for path in TEMPLATES if '{% extends "base.html" %}' in path.read_text()}
    assert extends == {path.name for path in TEMPLATES} - {"base.html"}


async def test_pages_are_strict_about_what_they_load(entra: Entra) -> None:
    """SEC-098: nothing but our own style and icon; no frame around a page; forms end here or at the application."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    policy = dict(rule.split(" ", 1) for rule in person.page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == policy["img-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "script-src" not in policy
    assert policy["form-action"].split()[:2] == ["'self'", "http://localhost:*"]
    assert person.page.headers["x-frame-options"] == "DENY"
    assert person.page.headers["cache-control"] == "no-store"
    assert person.page.headers["x-content-type-options"] == "nosniff"
    assert person.page.headers["referrer-policy"] == "strict-origin"


def test_a_forms_policy_names_the_applications_origin_only() -> None:
    """Outside this machine only the one origin is let through; a native scheme as a scheme."""
    assert (
        "form-action 'self' https://portal.example:8443;"
        in Policy(leads_to=("https://portal.example:8443/cb",)).header()
    )
    assert "form-action 'self' birch-tool:;" in Policy(leads_to=("birch-tool://auth",)).header()


def test_templates_hold_no_style_script_or_handler_of_their_own() -> None:
    """The policy forbids inline style and script, so no template may rely on one; nothing comes from elsewhere."""
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"<style|style=|\son[a-z]+=|<script(?![^>]*src=)", text), path.name
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text), path.name


async def test_static_files_are_our_own(entra: Entra) -> None:
    """Style, scripts and icon are served by the emulator itself, under an address that changes with them."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    addresses = re.findall(r'href="(/emulator/static/[^"]+)"', person.page.html)
    assert len(addresses) == 2
    for address in addresses:
        await person.open(LOGIN + address)
        assert person.page.status == 200
        assert "?v=" in address


def test_the_start_page_names_what_an_application_must_be_told(http: TestClient) -> None:
    """Tenant ids, client ids, redirect URIs, scopes and user flows; no secret."""
    page = http.get("/").text
    for word in (seeds.BIRCH.id, seeds.SPA, "http://localhost/redirect.html", f"api://{seeds.API}/Orders.Read"):
        assert word in page
    assert "B2C_1_susi" in page
    assert "emulator-secret" not in page


def test_an_address_where_nothing_is(http: TestClient) -> None:
    """People get a page of ours with a way on, programs two words; a page about flows speaks of no sign-in."""
    page = http.get(f"{LOGIN}/nothing/of/this", headers={"accept": "text/html,*/*;q=0.8"})
    answer = http.get(f"{LOGIN}/nothing/of/this", headers={"accept": "*/*"})
    gone = http.get("/_emulator/flows/999")
    assert (page.status_code, "What there is" in page.text) == (404, True)
    assert (answer.status_code, answer.text) == (404, "Not Found")
    assert (gone.status_code, "sign you in" in gone.text) == (404, False)


async def test_a_page_repeats_no_password_and_no_code(entra: Entra) -> None:
    """What was typed as a password comes back on no page, and no address of a page holds it."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    await person.press("Next", username="mia@birch.example")
    await person.press("Sign in", password="a-wrong-one-to-look-for")
    assert "a-wrong-one-to-look-for" not in person.page.html + person.page.url
    assert seeds.PASSWORD not in person.page.html


async def test_hostile_words_stay_words(entra: Entra) -> None:
    """What a request brings is text on the page, never markup."""
    person = await signed_in(entra)
    hostile = "<img src=x onerror=alert(1)>"
    for url in (BIRCH_AUTHORIZE, BIRCH_AUTHORIZE.replace(seeds.BIRCH.id, hostile)):
        await person.open(url, asked(redirect_uri=f"{REDIRECT_URI}{hostile}", client_id=hostile))
        assert "<img" not in person.page.html
    await person.open(BIRCH_AUTHORIZE, asked(prompt="login"))
    await person.press("Next", username=hostile)
    assert "<img" not in person.page.html
