"""A browser without a session is sent to sign in and comes back to the page."""

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from entrada_emulator.pytest_plugin import Entra

from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, running, walk_through
from tests.journeys.test_people_change import house_of

HOST = "portal.birch.example"


async def test_protected_page_and_back(door: FrontDoor) -> None:
    """LOG-1 to LOG-3: a protected page, the authority's pages, and back to that very page, signed in."""
    browser = door.browser()
    await browser.open(f"{BASE}/private?tab=2")
    assert browser.page.url.startswith(AUTHORITY)
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/private?tab=2"
    assert "Hello Mia Member" in browser.page.text
    assert set(browser.jar.of(HOST)) == {SESSION, "__Host-entrada-visits", "__Host-entrada-device"}
    assert [event.name for event in door.events] == ["sign_in"]


async def test_me(door: FrontDoor) -> None:
    """SES-9: who is signed in, with the times of the session, and never a token (SEC-078)."""
    browser = await door.signed_in("ada@birch.example")
    answer = await browser.fetch(f"{AUTH}/me")
    assert answer.status_code == 200
    document = answer.json()
    assert document["name"] == "Ada Admin"
    assert document["roles"] == ["Admin"]
    assert document["tenant_id"] == door.entra.user().tenant_id
    assert set(document["session"]) == {"created_at", "last_seen_at", "idle_expires_at", "expires_at"}
    assert not any("token" in name for name in document)


async def test_two_tabs(door: FrontDoor) -> None:
    """REL-060: two tabs sign in at once; each ends signed in at its own page."""
    await _tabs(door, 2)


async def test_ten_tabs(door: FrontDoor) -> None:
    """REL-060, SEC-022: so do ten, one transaction cookie each."""
    await _tabs(door, 10)


async def _tabs(door: FrontDoor, number: int) -> None:
    browser = door.browser()
    pages = [await browser.open(f"{BASE}/private?tab={tab}") for tab in range(number)]
    attempts = [name for name in browser.jar.of(HOST) if name.startswith("__Host-entrada-signin-")]
    assert len(attempts) == number
    for tab, page in enumerate(pages):
        browser.history.append(page)
        await walk_through(browser)
        assert browser.page.url == f"{BASE}/private?tab={tab}", browser.page.text
        assert "Hello Mia Member" in browser.page.text
    assert not [name for name in browser.jar.of(HOST) if name.startswith("__Host-entrada-signin-")]


async def test_back_button_onto_the_callback(door: FrontDoor) -> None:
    """REL-061: the callback opened again by a signed-in person leads home; nothing is redeemed, the session lives."""
    browser = await door.signed_in()
    callback = next(url for url in browser.visited if url.startswith(f"{AUTH}/callback"))
    redeemed, session = door.calls("/token"), browser.jar.of(HOST)[SESSION]
    await browser.reload(callback)
    assert browser.page.url == f"{BASE}/"
    assert browser.page.text == '{"hello":"Mia Member"}'
    assert door.calls("/token") == redeemed
    assert browser.jar.of(HOST)[SESSION] == session


async def test_cancelled(door: FrontDoor) -> None:
    """LOG-6, SEC-015: whoever cancels reads so in our words, with a number to quote and a way on."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    await browser.press("Cancel")
    page = browser.page
    assert page.url.startswith(f"{AUTH}/failed?why=")
    assert page.status == 403
    assert "cancel" in page.text.lower()
    assert page.headers["x-correlation-id"] in page.text
    assert SESSION not in browser.jar.of(HOST)
    assert [event.name for event in door.events] == ["sign_in_failed"]
    assert not [name for name in browser.jar.of(HOST) if "signin" in name]
    await browser.follow("Sign in")
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/private"


async def test_consent_refused(door: FrontDoor) -> None:
    """LOG-6: whoever does not grant the permissions reads that these were needed."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    await browser.press("mia@birch.example")
    while not browser.page.has_button("Accept"):
        await browser.press("No")
    await browser.press("Cancel")
    assert browser.page.status == 403
    assert "permissions" in browser.page.text
    assert "AADSTS65004" in browser.page.text
    assert SESSION not in browser.jar.of(HOST)


async def test_another_person_in_the_same_browser(door: FrontDoor) -> None:
    """REL-063, SEC-071: a second sign-in replaces the first session, whose id dies with it."""
    browser = door.browser()
    second_tab = await browser.open(f"{BASE}/private")
    await browser.open(f"{BASE}/private")
    await walk_through(browser)
    first = browser.jar.of(HOST)[SESSION]
    browser.history.append(second_tab)
    await walk_through(browser, "ada@birch.example")
    assert "Hello Ada Admin" in browser.page.text
    second = browser.jar.of(HOST)[SESSION]
    assert second != first
    assert await door.reuse(first) == 401
    assert await door.reuse(second) == 200


async def test_starting_changes_nothing_until_the_end(door: FrontDoor) -> None:
    """SEC-012: a sign-in that is begun and abandoned leaves the session as it is."""
    browser = await door.signed_in()
    left = await browser.fetch(f"{AUTH}/login", headers={"sec-fetch-mode": "navigate"})
    assert left.headers["location"].startswith(AUTHORITY)
    assert (await browser.open(f"{BASE}/private")).text.startswith("Hello Mia Member")


async def test_the_authorization_request(door: FrontDoor) -> None:
    """LOG-1, LOG-11, SEC-001, SEC-002, SEC-010: code and S256 only, three independent secrets, the scopes exactly."""
    browser = door.browser()
    asked = []
    for _ in range(50):
        await browser.open(f"{AUTH}/login")
        url = next(url for url in browser.visited if "/authorize" in url)
        asked.append({name: values[0] for name, values in parse_qs(urlsplit(url).query).items()})
    request = asked[0]
    assert request["response_type"] == "code"
    assert request["code_challenge_method"] == "S256"
    assert request["redirect_uri"] == f"{AUTH}/callback"
    assert request["scope"].split() == ["openid", "profile", "offline_access", "User.Read"]
    secrets = [request[name] for request in asked for name in ("state", "nonce", "code_challenge")]
    assert len(set(secrets)) == 150
    assert all(len(secret) >= 43 for secret in secrets)
    cookies = browser.jar.of(HOST).items()
    sealed = [(name.rpartition("-signin-")[2], value) for name, value in cookies if "-signin-" in name]
    attempts = [house_of(door.app).sign_in.open(handle, value) for handle, value in sealed]
    kept = [secret for each in attempts if each for secret in (each.state, each.nonce, each.code_verifier)]
    assert len(set(kept)) == 3 * len(sealed) > 0
    assert all(len(secret) >= 43 for secret in kept)  # what is sent of nonce and verifier are hashes


async def test_without_refresh_tokens_none_is_asked_for(entra: Entra, tmp_path: Path) -> None:
    """SEC-010: offline_access is a scope only where renewal is wanted."""
    async with running(entra, tmp_path, offline_access=False) as door:
        answer = await door.raw("GET", f"{AUTH}/login")
        assert parse_qs(urlsplit(answer.headers["location"]).query)["scope"] == ["openid profile User.Read"]
