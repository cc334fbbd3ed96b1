"""Answers that come late: what a page asked for under an old session is answered when the browser has a new one."""

from datetime import timedelta

import httpx2

from tests.front_door import AUTH, BASE, SESSION, FrontDoor

HOST = "portal.birch.example"
DELETED = f"{SESSION}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"


async def asked_before(door: FrontDoor, session: str, *, mode: str) -> httpx2.Response:
    """Return the answer to a request that a browser sent with an earlier session's cookie."""
    headers = {"cookie": f"{SESSION}={session}", "sec-fetch-site": "same-origin", "sec-fetch-mode": mode}
    accept = "text/html" if mode == "navigate" else "application/json"
    return await door.raw("GET", f"{AUTH}/me", headers={**headers, "accept": accept})


async def test_a_late_answer_takes_no_newer_session(door: FrontDoor) -> None:
    """REL-060, REL-063: a script asks while the person proves themselves anew; its 401 signs nobody out again."""
    browser = await door.signed_in()
    before = browser.jar.of(HOST)[SESSION]
    await browser.open(f"{AUTH}/login?return_to=/private")
    after = browser.jar.of(HOST)[SESSION]
    assert after != before
    for mode in ("cors", "no-cors", "same-origin"):
        late = await asked_before(door, before, mode=mode)
        assert late.status_code == 401
        for line in late.headers.get_list("set-cookie"):
            browser.jar.keep_raw(f"{BASE}/", line)
    assert browser.jar.of(HOST)[SESSION] == after
    assert (await browser.fetch(f"{AUTH}/me")).status_code == 200


async def test_a_page_that_is_opened_lets_go_of_a_dead_cookie(door: FrontDoor) -> None:
    """SEC-083: a cookie that is no session goes with the next page that is opened, script or not before."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    door.entra.state.clock.move(timedelta(hours=2))
    assert "set-cookie" not in (await asked_before(door, session, mode="cors")).headers
    assert (await asked_before(door, session, mode="navigate")).headers["set-cookie"] == DELETED
