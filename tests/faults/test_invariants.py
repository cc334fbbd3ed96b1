"""The probe of the fault tests finds what it is there to find."""

from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.faults.invariants import assert_nothing_half_made, visitor, watching
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.servers import redis_server

HOST = "portal.birch.example"


async def test_nothing_to_find(door: FrontDoor) -> None:
    """I1, I4, I7: a session that lives and one that was ended, and all is well."""
    first, second = [(await door.signed_in()) for _ in range(2)]
    sessions = [each.jar.of(HOST)[SESSION] for each in (first, second)]
    async with watching([visitor(door)], living=sessions) as watch:
        watch.is_ending(sessions[1])
        assert (await second.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})).status_code == 200
        watch.ends(sessions[1])
        assert await watch.recovered() < 10
    assert watch.answers[200] > 0
    assert watch.answers[401] > 0


async def test_somebody_is_signed_out(door: FrontDoor) -> None:
    """I7: who was signed out and was not to be is noticed."""
    browser = await door.signed_in()
    with pytest.raises(AssertionError, match="I7"):
        async with watching([visitor(door)], living=[browser.jar.of(HOST)[SESSION]]):
            await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})


async def test_an_ended_session_goes_on(door: FrontDoor) -> None:
    """I1, I2: a session that was to be over and is served is noticed."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    with pytest.raises(AssertionError, match="I1, I2"):
        async with watching([visitor(door)]) as watch:
            watch.ends(session)


async def test_a_store_that_dies(entra: Entra, tmp_path: Path) -> None:
    """I6, I7: a store that is killed and comes back with what it had signs nobody out; all is whole in it."""
    with redis_server(tmp_path / "redis", "--appendonly", "yes", "--appendfsync", "always") as server:
        async with running(entra, tmp_path / "app", store=server.url) as door:
            session = (await door.signed_in()).jar.of(HOST)[SESSION]
            async with watching([visitor(door)] * 4, living=[session]) as watch:
                server.kill()
                assert (await door.browser().open(f"{BASE}/ready")).status == 503
                server.start()
                await watch.recovered()
            assert watch.answers[503] > 0
            now = entra.state.clock.now
            whole = await assert_nothing_half_made(server.url, data_dir=tmp_path / "app", clock=now)
            assert whole.found.total() == 1
