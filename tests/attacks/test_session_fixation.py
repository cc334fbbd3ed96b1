"""A session id that we did not issue never becomes anybody's session."""

from tests.front_door import AUTH, BASE, SESSION, FrontDoor, walk_through

HOST = "portal.birch.example"
PLANTED = "A" * 43


async def test_planted_before_sign_in(door: FrontDoor) -> None:
    """SEC-071, SEC-072: an id planted before sign-in is replaced by a new one, and stays worthless."""
    browser = door.browser()
    await browser.open(f"{BASE}/private")
    browser.jar.keep_raw(f"{BASE}/", f"{SESSION}={PLANTED}; Path=/; Secure; HttpOnly; SameSite=Lax")
    await walk_through(browser)
    assert browser.jar.of(HOST)[SESSION] not in {PLANTED, ""}
    assert await door.reuse(PLANTED) == 401


async def test_dead_cookie_is_deleted(door: FrontDoor) -> None:
    """SEC-083: a cookie that is no session is taken from the browser with the attributes it was set with."""
    answer = await door.raw(
        "GET", f"{AUTH}/me", headers={"cookie": f"{SESSION}={PLANTED}", "accept": "application/json"}
    )
    assert answer.status_code == 401
    assert answer.headers["set-cookie"] == f"{SESSION}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"


async def test_other_places(door: FrontDoor) -> None:
    """SEC-072: an id counts in the session cookie only."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    for headers in ({"authorization": f"Bearer {session}"}, {"x-session": session}, {"cookie": f"entrada={session}"}):
        answer = await door.raw(
            "GET", f"{AUTH}/me?{SESSION}={session}", headers=headers | {"accept": "application/json"}
        )
        assert answer.status_code == 401


async def test_two_cookies_that_differ(door: FrontDoor) -> None:
    """SEC-087: a second cookie of the same name with another value leaves nobody signed in."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    for cookie in (f"{SESSION}={session}; {SESSION}={PLANTED}", f"{SESSION}={PLANTED}; {SESSION}={session}"):
        answer = await door.raw("GET", f"{AUTH}/me", headers={"cookie": cookie, "accept": "application/json"})
        assert answer.status_code == 401
    same = await door.raw("GET", f"{AUTH}/me", headers={"cookie": f"{SESSION}={session}; {SESSION}={session}"})
    assert same.status_code == 200


async def test_bearer_beside_the_cookie(door: FrontDoor) -> None:
    """SEC-095: a bearer token that comes with the request refuses it; the cookie is no way round."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    for path in ("/private", "/", "/api/auth/me"):
        for scheme in ("Bearer", "bearer", "BEARER"):
            headers = {"cookie": f"{SESSION}={session}", "authorization": f"{scheme} x", "accept": "text/html"}
            answer = await door.raw("GET", f"{BASE}{path}", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Session" if path.endswith("me") else "Bearer error")


async def test_far_too_many_cookies(door: FrontDoor) -> None:
    """SEC-086: over 16 KiB of cookies are refused; thousands of small ones below that cost little and harm nobody."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    many = "; ".join(f"{n:x}=" for n in range(2500))
    assert len(many) < 16 * 1024 - 100
    answer = await door.raw("GET", f"{AUTH}/me", headers={"cookie": f"{many}; {SESSION}={session}"})
    assert answer.status_code == 200
    answer = await door.raw("GET", f"{AUTH}/me", headers={"cookie": "a=" + "b" * 16 * 1024})
    assert answer.status_code == 431
