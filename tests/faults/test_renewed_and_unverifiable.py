"""The authority renews, and what it gave cannot be verified just now: nobody is signed out, and nothing is lost."""

import base64
import json
from datetime import timedelta
from pathlib import Path

from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import BASE, SESSION, FrontDoor, running
from tests.journeys.test_tokens import HOST, graph, near_expiry

RENEWED = (200, {"name": "Mia Member", "source": "identity_provider"})


async def test_a_slow_clock_signs_nobody_out(entra: Entra, tmp_path: Path) -> None:
    """REL-046, SEC-110: ten minutes behind, a renewed ID token is from the future: 503, and well with the clock."""
    behind = [timedelta(0)]
    entra.state.refresh_tokens.semantics = "strict"
    async with running(entra, tmp_path, options={"clock": lambda: entra.state.clock.now() - behind[0]}) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        await near_expiry(door, session)
        behind[0] = timedelta(minutes=10)
        assert (await graph(door, session))[0] == 503
        assert await door.reuse(session) == 200
        behind[0] = timedelta(0)
        assert await graph(door, session) == RENEWED
        assert [event.name for event in door.events] == ["sign_in"]


async def test_keys_that_are_down_cost_no_refresh_token(door: FrontDoor) -> None:
    """REL-006, SEC-108: the provider has taken the old refresh token back, and its new key cannot be fetched yet."""
    door.entra.state.refresh_tokens.semantics = "strict"
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    door.entra.state.keys.rotate()
    door.entra.state.keys.rotate()
    door.entra.state.faults.add(Fault(endpoint="keys", kind="status", times=9))
    assert (await graph(door, session))[0] == 503
    assert await door.reuse(session) == 200
    door.entra.state.faults.clear()
    door.entra.state.clock.move(timedelta(minutes=6))
    assert await graph(door, session) == RENEWED
    assert [event.name for event in door.events] == ["sign_in"]


async def test_what_cannot_be_verified_is_not_used(entra: Entra, tmp_path: Path) -> None:
    """SEC-109, REL-001: the held token is handed out while it lasts, never the one beside the doubtful ID token."""
    async with running(entra, tmp_path, token_refresh_buffer_secs=3600) as door:  # at most half of a token's life
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        door.entra.state.clock.move(timedelta(minutes=50))
        door.entra.state.faults.add(Fault(endpoint="token", kind="unknown_kid"))
        asked = door.calls("/token")
        for _ in range(3):
            assert await graph(door, session) == (200, {"name": "Mia Member", "source": "cache"})
        assert door.calls("/token") == asked + 1
        door.entra.state.clock.move(timedelta(seconds=30))
        assert await graph(door, session) == RENEWED


async def test_a_strangers_kid_hides_no_new_key(door: FrontDoor) -> None:
    """SEC-061, SEC-062: an invented kid has just used up its fetch; who renews and who signs in notice no rotation."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    await near_expiry(door, session)
    header = {"alg": "RS256", "kid": "invented", "typ": "JWT"}
    invented = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode() + ".e30.AAAA"
    answer = await door.raw("GET", f"{BASE}/private", headers={"authorization": f"Bearer {invented}"})
    assert answer.status_code == 401
    fetched = door.calls("/keys")
    door.entra.state.keys.rotate()
    door.entra.state.keys.rotate()
    assert await graph(door, session) == RENEWED
    assert door.calls("/keys") == fetched + 1
    assert (await door.signed_in("ada@birch.example")).page.url == f"{BASE}/private"


async def test_a_scope_that_was_never_granted_ends_no_session(entra: Entra, tmp_path: Path) -> None:
    """SEC-110, TOK-2: without a refresh token, who asks for an API that no sign-in asked for is told so, and stays."""
    async with running(entra, tmp_path, offline_access=False, scopes=["openid"]) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        status, problem = await graph(door, session)
        assert (status, problem["code"]) == (403, "insufficient_scope")
        assert await door.reuse(session) == 200
        assert [event.name for event in door.events] == ["sign_in"]
