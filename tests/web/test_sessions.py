"""`{prefix}/sessions`: the API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.browser import HTML, Browser
from tests.front_door import AUTH, EVIL, SESSION, FrontDoor, running

OURS = {"x-csrf": "1"}


@pytest.fixture(params=["memory:", "sqlite:"])
async def door(request: pytest.FixtureRequest, entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, store=request.param) as front_door:
        yield front_door


async def listed(browser: Browser) -> list[dict[str, object]]:
    answer = await browser.fetch(f"{AUTH}/sessions")
    assert answer.status_code == 200
    return answer.json()["sessions"]


async def other_of(browser: Browser) -> str:
    (handle,) = [str(each["handle"]) for each in await listed(browser) if not each["current"]]
    return handle


async def me(browser: Browser) -> int:
    return (await browser.fetch(f"{AUTH}/me")).status_code


async def test_a_person_sees_their_sessions_and_no_id_of_any(door: FrontDoor) -> None:
    """Device, address and times of each; neither cookie nor store key, and nobody else's (SES-7, SEC-076)."""
    here, there = await door.signed_in(), await door.signed_in()
    await door.signed_in("ada@birch.example")
    answer = await here.fetch(f"{AUTH}/sessions")
    found = answer.json()["sessions"]
    assert [set(each) for each in found] == [
        {"handle", "current", "new", "device", "address", "created_at", "last_seen_at", "idle_expires_at", "expires_at"}
    ] * 2
    assert sorted(each["current"] for each in found) == [False, True]
    for browser in (here, there):
        assert browser.jar.of("portal.birch.example")[SESSION] not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_ending_one_ends_that_one(door: FrontDoor) -> None:
    """The other browser is out at its next request, the one that asked goes on, and who listens is told."""
    here, there = await door.signed_in(), await door.signed_in()
    answer = await here.fetch(f"{AUTH}/sessions/{await other_of(here)}", method="DELETE", headers=OURS)
    assert (answer.status_code, answer.json()) == (200, {"ended": 1})
    assert (await me(here), await me(there)) == (200, 401)
    assert [(event.name, event.reason) for event in door.events[2:]] == [("session_ended", "ended_by_user")]
    assert len(await listed(here)) == 1


async def test_ending_all_others_leaves_this_one(door: FrontDoor) -> None:
    """Every other session of this person ends, and no other person's."""
    here, *others = [await door.signed_in() for _ in range(4)]
    ada = await door.signed_in("ada@birch.example")
    answer = await here.fetch(f"{AUTH}/sessions/others", method="DELETE", headers=OURS)
    assert answer.json() == {"ended": 3}
    assert [await me(browser) for browser in (here, ada, *others)] == [200, 200, 401, 401, 401]
    assert (await here.fetch(f"{AUTH}/sessions/others", method="DELETE", headers=OURS)).json() == {"ended": 0}


async def test_ending_the_own_session_takes_the_cookie(door: FrontDoor) -> None:
    """A session may end itself, and its cookie goes with it."""
    here = await door.signed_in()
    (own,) = await listed(here)
    answer = await here.fetch(f"{AUTH}/sessions/{own['handle']}", method="DELETE", headers=OURS)
    assert answer.json() == {"ended": 1}
    assert SESSION not in here.jar.of("portal.birch.example")


async def test_a_handle_is_good_for_its_person_only(door: FrontDoor) -> None:
    """Another person's handle, a cookie or anything else is 404, all the same, and nothing ends (SEC-076)."""
    mia, there, ada = await door.signed_in(), await door.signed_in(), await door.signed_in("ada@birch.example")
    handle = await other_of(mia)
    for name in (handle, there.jar.of("portal.birch.example")[SESSION], "x", "%00", "a" * 5000):
        answer = await ada.fetch(f"{AUTH}/sessions/{name}", method="DELETE", headers=OURS)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await me(there) == 200


@pytest.mark.parametrize("method", ["DELETE", "POST"])
@pytest.mark.parametrize("path", ["others", "HANDLE"])
async def test_another_site_ends_nothing(door: FrontDoor, method: str, path: str) -> None:
    """Without both proofs of where it comes from a request is refused, and every session lives on (SEC-088 to 090)."""
    here, there = await door.signed_in(), await door.signed_in()
    target = f"{AUTH}/sessions/{path.replace('HANDLE', await other_of(here))}"
    cookie = {"cookie": f"{SESSION}={here.jar.of('portal.birch.example')[SESSION]}"}
    for headers in ({}, OURS, {"sec-fetch-site": "same-origin"}, {"origin": EVIL, **OURS},
                    {"sec-fetch-site": "cross-site", **OURS}):  # fmt: skip
        answer = await door.raw(method, target, headers=cookie | headers)
        assert answer.status_code == 403
    assert (await here.fetch(target)).status_code == 405
    assert await me(there) == 200


async def test_nobody_sees_anything_without_a_session(door: FrontDoor) -> None:
    """A script gets 401; a browser goes to sign in and comes back to the page; a bearer token does not help."""
    stranger = door.browser()
    assert (await stranger.fetch(f"{AUTH}/sessions")).status_code == 401
    assert (await stranger.fetch(f"{AUTH}/sessions/others", method="DELETE", headers=OURS)).status_code == 401
    opened = await door.raw("GET", f"{AUTH}/sessions", headers={"accept": HTML, "sec-fetch-mode": "navigate"})
    assert opened.headers["location"] == "/api/auth/login?return_to=%2Fapi%2Fauth%2Fsessions"
    mia = await door.signed_in(page="/api/auth/sessions")
    assert mia.page.title == "Where you are signed in"
    assert (await mia.fetch(f"{AUTH}/sessions", headers={"authorization": "Bearer x"})).status_code == 401


async def test_no_other_site_frames_or_loads_the_list(door: FrontDoor) -> None:
    """An image, script or frame of another site gets 403 (SEC-096)."""
    mia = await door.signed_in()
    cookie = {"cookie": f"{SESSION}={mia.jar.of('portal.birch.example')[SESSION]}", "sec-fetch-site": "cross-site"}
    for dest in ("script", "image", "iframe"):
        headers = cookie | {"sec-fetch-dest": dest, "sec-fetch-mode": "no-cors"}
        assert (await door.raw("GET", f"{AUTH}/sessions", headers=headers)).status_code == 403
