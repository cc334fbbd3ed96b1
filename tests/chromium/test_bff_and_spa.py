"""Example B in a real Chromium: page, API and authority on three sites, other sites' cookies blocked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.directory.seeds import API, SPA, WEB_APP
from playwright.sync_api import Browser, Response, expect

from tests.chromium import sites
from tests.chromium.certificates import certificate_for, trust
from tests.chromium.emulated import Tenant
from tests.chromium.launch import NO_THIRD_PARTYS, Site, chromium_at
from tests.chromium.portals import Clock
from tests.chromium.two_halves import STORED, Half, answers_all, comes_back, page_is_built, tokens_in
from tests.chromium.visitor import Visitor

ORDERS = "orders.cedar.example"
STRANGER = "https://stranger.example/"


@dataclass(frozen=True, slots=True)
class Served:
    """The page and the API, running, and the page's clock."""

    site: Site
    clock: Clock


@pytest.fixture(scope="module")
def three_sites(tenant: Tenant, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The resource API at orders.cedar.example, the page at portal.birch.example, the authority at localhost."""
    page_is_built()
    folder, api_folder = tmp_path_factory.mktemp("page"), tmp_path_factory.mktemp("api")
    ca_file, certificate = certificate_for(sites.HOST, folder, ORDERS, "localhost")
    emulator_ca = tenant.data / "emulator" / "ca.pem"
    trust(folder, ca_file, emulator_ca)
    both = folder / "both.pem"
    both.write_bytes(ca_file.read_bytes() + emulator_ca.read_bytes())
    clock = Clock(folder / "clock")
    settings = {
        "ENTRADA_CA_FILE": str(both),
        "ENTRADA_SCOPES": f"api://{API}/Orders.Read",
        "TOKEN_REFRESH_BUFFER_SECS": "3000",
        "PORTAL_CLOCK": str(clock.file),
        "API_URL": f"https://{ORDERS}",
        "SPA_CLIENT_ID": SPA,
    }
    with _api(api_folder, tenant, certificate) as api:
        settings["API_INSIDE"] = f"https://localhost:{api}"
        with sites.application(
            folder, tenant, certificate=certificate, settings=settings, app="tests.chromium.side_by_side:app"
        ) as port:
            rules = f"MAP {sites.HOST}:443 127.0.0.1:{port}, MAP {ORDERS}:443 127.0.0.1:{api}"
            yield Served(Site(folder, f"--host-resolver-rules={rules}"), clock)


def _api(folder: Path, tenant: Tenant, certificate: Path):  # type: ignore[no-untyped-def]
    settings = {
        "AZURE_CLIENT_ID": API,
        "ENTRADA_API_CLIENTS": f"{WEB_APP} {SPA}",
        "ENTRADA_CORS_ORIGINS": f"https://{sites.HOST}",
        "ENTRADA_HOSTS": "localhost",
    }
    api = "examples.bff_and_spa.api:app"
    return sites.application(folder, tenant, certificate=certificate, settings=settings, host=ORDERS, app=api)


@pytest.fixture(scope="module")
def chromium(three_sites: Served) -> Iterator[Browser]:
    """A browser in which cookies of other sites are blocked."""
    with chromium_at(three_sites.site.home, three_sites.site.switch, *NO_THIRD_PARTYS) as launched:
        yield launched


@pytest.fixture
def told(visitor: Visitor) -> list[Response]:
    """What the page's scripts got from elsewhere."""
    responses: list[Response] = []

    def hear(response: Response) -> None:
        responses.append(response)

    visitor.page.on("response", hear)
    return responses


def test_cookies_of_other_sites_are_blocked_here(visitor: Visitor) -> None:
    """The control: what was chosen for this browser keeps a frame of another site from having a cookie."""
    body = f"<!doctype html><link rel=icon href=data:,><title>Page</title><iframe src={STRANGER}frame></iframe>"
    visitor.page.route("https://*.example/**", lambda route: route.fulfill(body=body, content_type="text/html"))
    sets = "document.cookie = 'a=1; SameSite=None; Secure', document.cookie"
    visitor.goes_to(STRANGER)
    assert visitor.page.evaluate(sets) == "a=1"
    visitor.goes_to("https://another.cedar.example/")
    frame = visitor.page.frame(url=f"{STRANGER}frame")
    assert frame is not None
    assert frame.evaluate(sets) == ""


def test_by_itself(visitor: Visitor, told: list[Response], tenant: Tenant) -> None:
    """API-10: in by PKCE, tokens in memory only, the API with a bearer token, renewed without a frame, and out."""
    spa = Half(visitor, "spa")
    visitor.goes_to("/")
    spa.opens_window("Sign in with a token").close()  # thought better of it; nobody tells the page
    answers_all(spa.opens_window("Sign in with a token"), "Mia Member")
    spa.says("Signed in as Mia Member")
    spa.presses("Ask the API")
    spa.says("Orders of Mia Member: 2 × oak desk, 1 × reading lamp. The token came from memory.")
    assert spa.lit() == list(range(21, 34))
    spa.presses("Renew, then ask")
    spa.says("The token was renewed for this.")
    assert spa.lit() == [*range(21, 30), *range(34, 39)]
    stored, tokens = visitor.page.evaluate(STORED), tokens_in(told)
    assert len(tokens) == 6
    assert not [token for token in tokens if token[:20] in stored or token[-20:] in stored]
    tenant.ends_refresh_tokens()
    with visitor.expecting("status of 400"):
        spa.presses("Renew, then ask")
        spa.says("The refresh token has ended: a page's lives for 24 hours.")
    answers_all(spa.opens_window("Sign in with a token"), "nobody: the authority knows them")
    spa.presses("Ask the API")
    spa.says("Orders of Mia Member")
    assert not [frame for frame in visitor.page.frames if frame.parent_frame]
    answers_all(spa.opens_window("Sign out"), "nobody")
    spa.says("Signed out here, and at Microsoft if you let the window finish.")
    window = spa.opens_window("Sign in with a token")
    window.get_by_role("button", name="Sign in as Mia Member").first.wait_for()
    window.close()


def test_through_the_backend(visitor: Visitor, three_sites: Served) -> None:
    """API-10, the other way: the browser has a cookie that no script reads, and no token ever reaches it."""
    bff = Half(visitor, "bff")
    visitor.goes_to("/")
    bff.presses("Sign in with a cookie")
    comes_back(visitor.page, "Ada Admin")
    assert visitor.page.url == f"https://{sites.HOST}/protected"
    expect(bff.part.locator(".lit")).to_have_count(11)
    bff.presses("Ask the API")
    bff.says("The token came from the session; this page never saw it.")
    assert bff.lit() == list(range(1, 17))
    with three_sites.clock.later(timedelta(minutes=50)):
        bff.presses("Ask the API")
        bff.says("The token was renewed for this; this page never saw it.")
    assert bff.lit() == [*range(1, 16), 17, 18, 19, 20]
    assert visitor.page.evaluate(STORED) == '[{},{},"",[],[]]'
    assert not [each for each in visitor.requests if "authorization" in each.all_headers()]
    assert not [each for each in visitor.requests if ORDERS in each.url or "/token" in each.url]
    bff.presses("Sign out")
    visitor.page.wait_for_url("**/signed-out*")
    visitor.goes_to("/")
    bff.says("Not signed in")


def test_a_stranger_cannot_use_the_token(visitor: Visitor, told: list[Response]) -> None:
    """API-9, SEC-094: with a token in its hands, a script of another origin is kept from the API by the browser."""
    spa = Half(visitor, "spa")
    visitor.goes_to("/")
    answers_all(spa.opens_window("Sign in with a token"), "Mia Member")
    spa.says("Signed in as Mia Member")
    token = next(each.json()["access_token"] for each in told if "/token" in each.url)
    asks = """async token => (await fetch("https://orders.cedar.example/protected",
        {headers: {Authorization: `Bearer ${token}`}})).status"""
    assert visitor.page.evaluate(asks, token) == 200
    visitor.page.route(
        f"{STRANGER}**", lambda route: route.fulfill(body="<title>Stranger</title>", content_type="text/html")
    )
    with visitor.expecting("CORS policy", "net::ERR_FAILED"):
        visitor.goes_to(STRANGER)
        refused = visitor.page.evaluate(f"token => ({asks})(token).catch(fault => fault.message)", token)
    assert refused == "Failed to fetch"


def test_both_at_once_and_how_it_looks(visitor: Visitor) -> None:
    """In light, dark and on a phone, by keyboard; each half is signed in for itself."""
    bff, spa = Half(visitor, "bff"), Half(visitor, "spa")
    visitor.goes_to("/")
    for button in (bff.button("Sign in with a cookie"), spa.button("Sign in with a token")):
        visitor.page.keyboard.press("Tab")
        expect(button).to_be_focused()
    with visitor.page.expect_popup() as opened:
        visitor.page.keyboard.press("Enter")
    answers_all(opened.value, "Mia Member")
    spa.says("Signed in as Mia Member")
    bff.says("Not signed in")
    bff.presses("Sign in with a cookie")
    comes_back(visitor.page, "Mia Member")
    spa.says("Not signed in")
    answers_all(spa.opens_window("Sign in with a token"), "Mia Member")
    for half in (bff, spa):
        half.presses("Ask the API")
        half.says("Orders of Mia Member")
    visitor.shows("bff-and-spa")


def test_the_page_lets_nothing_else_in(visitor: Visitor) -> None:
    """SEC-161: no inline script, no asset from elsewhere, no connection but to the API and the authority."""
    answer = visitor.page.goto("/")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy
    assert {re.sub(r"(https?://[^/]+).*", r"\1", each.url) for each in visitor.requests} == {f"https://{sites.HOST}"}
    with (
        visitor.expecting("Content Security Policy", "CSP: connect-src"),
        visitor.page.expect_console_message(lambda message: message.text.startswith("CSP: connect-src")),
    ):
        blocked = visitor.page.evaluate(f"fetch('{STRANGER}').catch(fault => fault.message)")
    assert blocked.startswith("Failed to fetch")
