"""Apache's mod_auth_openidc, unmodified, over TLS, with a real Chromium before it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.faults import TOKEN_FAULTS
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import ServedEntra, served
from playwright.sync_api import Browser, Page

from emulator.tests.apache import Apache, apache
from emulator.tests.chromium import chromium

pytestmark = [pytest.mark.peer, pytest.mark.browser]

PATIENCE = 60_000  # milliseconds
SESSION = "mod_auth_openidc_session"
UNSEEN = "alg_none"
"""What the module lets pass: unsigned, but by TLS from the token endpoint (OpenID Connect Core 3.1.3.7, number 6)."""


@pytest.fixture(scope="module")
def authority(entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedEntra]:
    with served(tmp_path_factory.mktemp("emulator"), keys=entra_keys) as running:
        running.entra.consent(running.entra.user())
        yield running


@pytest.fixture(scope="module")
def site(authority: ServedEntra) -> Iterator[Apache]:
    with apache(authority) as running:
        yield running


@pytest.fixture(scope="module")
def browser(site: Apache) -> Iterator[Browser]:
    """Chromium; asked for after the site, so that a missing Apache starts none."""
    assert site.origin
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def signed_in(page: Page, site: Apache) -> dict[str, Any]:
    """Mia opens the site, goes through the pages and comes back; what the module knows of her then."""
    page.goto(f"{site.origin}/?first=1")
    page.get_by_role("button", name=re.compile("Sign in as Mia")).click()
    page.get_by_role("button", name="No", exact=True).click()
    page.wait_for_url(f"{site.origin}/?first=1")
    return known(page, site)


def known(page: Page, site: Apache) -> dict[str, Any]:
    """What the module tells of the session."""
    answer = page.request.get(f"{site.origin}/callback?info=json")
    assert answer.status == 200, site.log
    return dict(answer.json())


def callback(site: Apache, **query: str) -> str:
    return f"{site.origin}/callback?{urlencode(query)}"


def test_it_signs_in_renews_and_signs_out(page: Page, site: Apache, authority: ServedEntra) -> None:
    """Discovery, PKCE, an ID token verified, userinfo from Graph, renewal, the authority's sign-out and back."""
    before = signed_in(page, site)
    claims, mia = before["id_token"], authority.entra.user()
    assert (claims["aud"], claims["oid"], claims["preferred_username"]) == (seeds.WEB_APP, mia.id, "mia@birch.example")
    assert before["userinfo"]["sub"] == claims["sub"]
    assert page.request.get(f"{site.origin}/").headers["seen-as"] == "mia@birch.example"
    page.goto(callback(site, refresh=f"{site.origin}/?second=1", access_token=before["access_token"]))
    assert page.url == f"{site.origin}/?second=1"
    after = known(page, site)
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]
    redeemed, renewed = (request.form for request in authority.entra.state.recorder.requests("token")[-2:])
    assert ("code_verifier" in redeemed, renewed["grant_type"]) == (True, "refresh_token")
    page.goto(callback(site, logout=f"{site.origin}/signed-out"))
    page.wait_for_url(f"{site.origin}/signed-out*")
    page.goto(f"{site.origin}/")
    assert page.url.startswith(authority.service.pages_origin), "the session ended here and at the authority"
    page.get_by_role("button", name=re.compile("Sign in as Mia")).wait_for()


def test_an_answer_that_nobody_asked_for_is_refused(page: Page, site: Apache, authority: ServedEntra) -> None:
    """A state of nobody's, no state, and a good answer that another browser asked for: no session, no code redeemed."""
    asked = len(authority.entra.state.recorder.requests("token"))
    good = {"code": authority.entra.code(redirect_uri=f"{site.origin}/callback")}
    with httpx2.Client() as elsewhere:
        start = httpx2.URL(elsewhere.get(f"{site.origin}/").headers["location"])
    for query in ({"state": "nobodys"}, {"state": start.params["state"]}, {}):
        page.goto(callback(site, **good, **query))
        assert "the site" not in page.content()
        assert page.request.get(callback(site, info="json")).status == 401
    assert len(authority.entra.state.recorder.requests("token")) == asked


def test_each_spoilt_id_token_is_refused(page: Page, site: Apache, authority: ServedEntra) -> None:
    """Each fault of the emulator's that spoils an ID token leaves nobody signed in; the next sign-in works again."""
    signed_in(page, site)
    for kind in (each for each in TOKEN_FAULTS if each != UNSEEN):
        page.context.clear_cookies(name=SESSION)
        authority.entra.fail("token", kind)
        page.goto(f"{site.origin}/")
        assert page.request.get(callback(site, info="json")).status == 401, kind
    page.goto(f"{site.origin}/")
    assert known(page, site)["id_token"]["preferred_username"] == "mia@birch.example"


def test_its_api_believes_an_access_token_and_nothing_else(site: Apache, authority: ServedEntra) -> None:
    """As a resource server it believes the API's own token; Graph's, an ID token, a spoilt one and none are refused."""
    entra = authority.entra
    token = entra.token()
    others = entra.tokens(scopes=("openid", "profile", "User.Read"))
    asked = {
        name: httpx2.get(f"{site.origin}/api", headers={"Authorization": f"Bearer {bearer}"}).status_code
        for name, bearer in {
            "its own": token,
            "an ID token": others["id_token"],
            "for Graph": others["access_token"],
            "spoilt": f"{token[:-8]}AAAAAAAA",
        }.items()
    }
    assert asked == {"its own": 200, "an ID token": 401, "for Graph": 401, "spoilt": 401}
    assert httpx2.get(f"{site.origin}/api").status_code == 401
