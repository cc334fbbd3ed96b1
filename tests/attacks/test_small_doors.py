"""Addresses and headers that mean one thing to us and might mean another to whoever sends them."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from entrada_emulator.pytest_plugin import SigningKey, new_entra

from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running, walk_through

HOST = "portal.birch.example"
JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
async def standing(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[FrontDoor]:
    """One door for all requests that leave nothing behind."""
    async with running(new_entra(keys=entra_keys), tmp_path_factory.mktemp("standing")) as front_door:
        yield front_door


@pytest.mark.parametrize(
    "scheme", ["Bearer x", "bearer x", "Bearer\tx", "Bearer", " Bearer x", "Bearer  x", "BEARER\t"]
)
async def test_bearer_in_other_spellings(door: FrontDoor, scheme: str) -> None:
    """SEC-095: however it is spelt, a bearer token beside the cookie refuses the request."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    headers = [("host", HOST), ("cookie", f"{SESSION}={session}"), ("authorization", scheme), *JSON.items()]
    assert (await door.raw("GET", f"{AUTH}/me", headers=headers)).status_code == 401


async def test_second_authorization_header(door: FrontDoor) -> None:
    """SEC-095: a bearer token is seen in any of several Authorization headers."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    for pair in (["Basic eDp5", "Bearer x"], ["Bearer x", "Basic eDp5"]):
        headers = [("host", HOST), ("cookie", f"{SESSION}={session}"), *JSON.items()]
        headers += [("authorization", value) for value in pair]
        assert (await door.raw("GET", f"{AUTH}/me", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "path", ["/api/auth/login", "/api/auth/%6Cogin", "/api/auth/c%61llback", "/signed%2Dout", "/%68ealth"]
)
async def test_return_to_one_of_our_routes(door: FrontDoor, path: str) -> None:
    """SEC-115: an address of ours, however it is spelt, is no page to come back to."""
    browser = door.browser()
    await browser.open(f"{AUTH}/login?{urlencode({'return_to': path})}")
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/"


@pytest.mark.parametrize(
    "origin", ["https://portal.birch.example.evil.example", "https://evilportal.birch.example", BASE, "//" + HOST]
)
async def test_no_origin_is_returned_to(door: FrontDoor, origin: str) -> None:
    """SEC-117: no external origin is configured and none is returned to; nor does a suffix make a host ours."""
    browser = door.browser()
    await browser.open(f"{AUTH}/login?return_to={quote(origin + '/private', safe='')}")
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/"
    if (host := urlsplit(origin).netloc) != HOST:
        answer = await door.raw("GET", f"{BASE}/health", headers={"host": host}, own_host=False)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "name", ["state", "return_to", "post_logout_redirect_uri", "redirect_uri", "next", "url", "logout_hint", "sid"]
)
async def test_signed_out_follows_no_parameter(door: FrontDoor, name: str) -> None:
    """SEC-099: the page after sign-out leads nowhere that a parameter says, with and without a session."""
    evil = "https://evil.example/landing"
    stranger, person = door.browser(), await door.signed_in()
    page = await stranger.open(f"{BASE}/signed-out?{urlencode({name: evil})}")
    assert page.status == 200
    assert "evil.example" not in page.html + str(page.headers)
    await person.open(f"{BASE}/signed-out?{urlencode({name: evil})}")
    assert person.page.url == f"{BASE}/"


async def test_sign_out_follows_no_parameter(door: FrontDoor) -> None:
    """SEC-099: nor does the sign-out itself: the address to come back to is the configured one."""
    browser = await door.signed_in()
    hostile = {"post_logout_redirect_uri": "https://evil.example/", "return_to": "//evil.example", "state": "x"}
    answer = await browser.fetch(
        f"{AUTH}/logout?{urlencode(hostile)}", method="POST", headers={"x-csrf": "1"}, form=hostile
    )
    query = parse_qs(urlsplit(answer.json()["next"]).query)
    assert query["post_logout_redirect_uri"] == [f"{BASE}/signed-out"]
    assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("destination", ["script", "image", "style", "iframe"])
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_me_as_a_script_of_another_site(door: FrontDoor, site: str, destination: str) -> None:
    """SEC-096: another site's page cannot load `me` as a script or image, even where the browser sends the cookie."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    mode = "navigate" if destination == "iframe" else "no-cors"
    headers = {"cookie": f"{SESSION}={session}", "accept": "*/*"}
    headers |= {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": destination}
    answer = await door.raw("GET", f"{AUTH}/me", headers=headers)
    assert answer.status_code == 403
    assert "Mia" not in answer.text


async def test_authenticated_answers_stay_with_our_origin(door: FrontDoor) -> None:
    """SEC-096: what is answered to somebody signed in may not be embedded by other origins."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    for path in ("/api/auth/me", "/", "/private"):
        answer = await door.raw("GET", f"{BASE}{path}", headers={"cookie": f"{SESSION}={session}"})
        assert answer.status_code == 200
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["TRACE", "TRACK", "CONNECT", "PROPFIND", "FOO"])
@pytest.mark.parametrize(
    "path", ["/api/auth/login", "/api/auth/callback", "/api/auth/logout", "/api/auth/me", "/signed-out", "/health",
             "/ready", "/private", "/"],
)  # fmt: skip
async def test_methods_that_nobody_listed(standing: FrontDoor, method: str, path: str) -> None:
    """SEC-166: TRACE and its like are refused with 405 on each route, and echo nothing."""
    answer = await standing.raw(method, f"{BASE}{path}", headers=JSON | {"x-echo": "canary-canary"})
    assert answer.status_code == 405
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    "path", ["/", "/private", "/api/auth/me", "/api/auth/callback", "/signed-out", "/health", "/nowhere", "/broken",
             "/entrada/static/x/entrada.css"],
)  # fmt: skip
@pytest.mark.parametrize("accept", ["text/html", "application/json", "*/*", "image/png", "text/html;q=0", ""])
async def test_type_and_version(standing: FrontDoor, path: str, accept: str) -> None:
    """SEC-166: each text says its charset, JSON is never served as a page, and nobody names a version."""
    answer = await standing.raw("GET", f"{BASE}{path}", headers={"accept": accept})
    kind = answer.headers.get("content-type", "")
    assert kind or not answer.text
    if kind.startswith("text/"):
        assert "charset=utf-8" in kind
    if answer.text.startswith("{"):
        assert kind.split(";")[0] in {"application/json", "application/problem+json"}
    assert not {"server", "x-powered-by", "via"} & answer.headers.keys()
