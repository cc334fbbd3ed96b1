"""What becomes of a session when a renewal does not go well: refused, one more step, put off, or left alone."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import AUTHORITY, BASE, SESSION, FrontDoor, running
from tests.journeys.test_tokens import HOST, graph, near_expiry


async def expired(door: FrontDoor) -> str:
    """Return the session of somebody whose access token is over."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    return session


async def test_an_outage_is_asked_about_once(door: FrontDoor) -> None:
    """SEC-110, SEC-111, REL-003: after 503 with Retry-After nobody asks before; then it works; nobody is signed out."""
    session = await expired(door)
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", status=503, retry_after=40))
    asked = door.calls("/token")
    answers = await asyncio.gather(*[graph(door, session) for _ in range(20)])
    assert {status for status, _ in answers} == {503}
    assert (await graph(door, session))[0] == 503
    assert door.calls("/token") == asked + 1
    door.entra.state.clock.move(timedelta(seconds=55))
    assert await graph(door, session) == (200, {"name": "Mia Member", "source": "identity_provider"})
    assert door.calls("/token") == asked + 2
    assert [event.name for event in door.events] == ["sign_in"]


async def test_a_token_that_lasts_serves_through_an_outage(entra: Entra, tmp_path: Path) -> None:
    """REL-001: within the buffer the held token is handed out, and the authority is left in peace meanwhile."""
    async with running(entra, tmp_path, token_refresh_buffer_secs=3600) as door:  # at most half of a token's life
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        door.entra.state.clock.move(timedelta(minutes=50))
        door.entra.state.faults.add(Fault(endpoint="token", kind="garbage", times=1000))
        asked = door.calls("/token")
        answers = [await graph(door, session) for _ in range(5)]
        assert answers == [(200, {"name": "Mia Member", "source": "cache"})] * 5
        assert door.calls("/token") == asked + 1


async def test_refused_is_told_once(door: FrontDoor) -> None:
    """REL-044: revoked: thirty requests learn it from one question; one entry says so, and why the session ended."""
    session = await expired(door)
    door.entra.state.revoke_sessions(door.entra.user())
    asked = door.calls("/token")
    answers = await asyncio.gather(*[graph(door, session) for _ in range(30)])
    assert {status for status, _ in answers} == {401}
    assert door.calls("/token") == asked + 1
    told = [(event.name, event.reason) for event in door.events[1:]]
    assert told == [("renewal_failed", "invalid_grant"), ("session_ended", "renewal_refused")]
    assert await door.reuse(session) == 401


ENDED = {50173: "the password was changed, or sessions were revoked", 700082: "unused for too long", 50057: "disabled",
         70043: "expired by the organisation's policy", 50034: "deleted"}  # fmt: skip
STEPS = {50076: "a second factor is wanted", 50079: "a second factor must be set up", 65001: "consent was withdrawn"}


@pytest.mark.parametrize("code", ENDED)
async def test_refused_for_good(door: FrontDoor, code: int) -> None:
    """REL-044: each reason for which a grant has ended ends the session at once, told once, with no retry."""
    session = await expired(door)
    asked = door.calls("/token")
    door.entra.state.faults.add(Fault(endpoint="token", kind="error", code=code))
    answers = await asyncio.gather(*[graph(door, session) for _ in range(5)])
    assert {status for status, _ in answers} == {401}
    assert await door.reuse(session) == 401
    assert door.calls("/token") == asked + 1
    told = [(event.name, event.reason, event.user_key == door.events[0].user_key) for event in door.events[1:]]
    assert told == [("renewal_failed", "invalid_grant", True), ("session_ended", "renewal_refused", True)]


@pytest.mark.parametrize("code", STEPS)
async def test_refused_for_now(door: FrontDoor, code: int) -> None:
    """REL-044: each reason that the person can mend steps them up: the session stays, told once."""
    session = await expired(door)
    asked = door.calls("/token")
    door.entra.state.faults.add(Fault(endpoint="token", kind="error", code=code, times=9))
    answers = await asyncio.gather(*[graph(door, session) for _ in range(5)])
    assert {(status, problem["code"]) for status, problem in answers} == {(401, "interaction_required")}
    assert await door.reuse(session) == 200
    assert door.calls("/token") == asked + 1
    told = [(event.name, event.reason) for event in door.events[1:]]
    assert told == [("renewal_failed", "interaction_required")]


async def test_one_more_step_keeps_the_session(door: FrontDoor) -> None:
    """REL-044, SEC-110: when MFA is wanted the person is asked for it where a token is needed; the session goes on."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    door.entra.state.faults.add(Fault(endpoint="token", kind="error", code=50076))
    asked = door.calls("/token")
    answers = [await graph(door, session) for _ in range(5)]
    assert {(status, problem["code"]) for status, problem in answers} == {(401, "interaction_required")}
    assert door.calls("/token") == asked + 1
    assert await door.reuse(session) == 200
    assert [event.name for event in door.events] == ["sign_in", "renewal_failed"]
    await browser.open(f"{BASE}/graph")
    assert any(url.startswith(AUTHORITY) for url in browser.visited)
    assert "Mia Member" in browser.page.text


async def test_a_browser_that_goes_away_loses_no_tokens(door: FrontDoor) -> None:
    """SEC-108, REL-043: the renewal goes on without the request that began it; reuse is never seen by the authority."""
    door.entra.state.refresh_tokens.semantics = "strict"
    session = await expired(door)
    door.entra.state.faults.add(Fault(endpoint="token", kind="latency", seconds=0.3))
    asked = door.calls("/token")
    request = asyncio.create_task(graph(door, session))
    while door.calls("/token") == asked:
        await asyncio.sleep(0.01)
    request.cancel()
    await asyncio.wait([request])
    assert request.cancelled()
    assert (await graph(door, session))[0] == 200
    assert door.calls("/token") == asked + 1
    await near_expiry(door, session)
    assert (await graph(door, session))[0] == 200


async def test_an_answer_that_is_lost(door: FrontDoor) -> None:
    """REL-043: when the answer never came, the old refresh token is tried once more, which Entra takes."""
    session = await expired(door)
    lost = Lost(door.internet.hosts["login.microsoftonline.com"])
    door.internet.hosts["login.microsoftonline.com"] = lost
    assert (await graph(door, session))[0] == 503
    assert lost.answers == 1
    door.entra.state.clock.move(timedelta(seconds=10))
    assert (await graph(door, session))[0] == 200


async def test_an_answer_that_is_lost_where_tokens_are_used_once(door: FrontDoor) -> None:
    """REL-043: where refresh tokens rotate, a lost answer means one sign-in, not a loop."""
    door.entra.state.refresh_tokens.semantics = "strict"
    session = await expired(door)
    door.internet.hosts["login.microsoftonline.com"] = Lost(door.internet.hosts["login.microsoftonline.com"])
    assert (await graph(door, session))[0] == 503
    door.entra.state.clock.move(timedelta(seconds=10))
    assert (await graph(door, session))[0] == 401
    assert await door.reuse(session) == 401
    again = (await door.signed_in()).jar.of(HOST)[SESSION]
    assert (await graph(door, again))[0] == 200


class Lost:
    """An authority whose first answer to a token request arrives nowhere, although it has acted."""

    def __init__(self, authority) -> None:  # type: ignore[no-untyped-def]
        self._authority = authority
        self.answers = 0

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        if not scope["path"].endswith("/token") or self.answers:
            await self._authority(scope, receive, send)
            return

        async def nowhere(_: object) -> None:
            pass

        await self._authority(scope, receive, nowhere)
        self.answers += 1
        await send({"type": "http.response.start", "status": 502, "headers": []})
        await send({"type": "http.response.body", "body": b""})
