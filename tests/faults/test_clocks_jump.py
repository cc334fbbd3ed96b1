"""REL-046: one of two workers on one store has a clock that is hours or days off; the other's people notice nothing."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import FrontDoor, running
from tests.journeys.test_bearer_elsewhere import elsewhere
from tests.journeys.test_people_change import house_of
from tests.journeys.test_tokens import graph

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
LONG_IDLE = {"session_idle_minutes": 60 * 24 * 6, "store": "sqlite:"}
RENEWED = (200, {"name": "Mia Member", "source": "identity_provider"})


@asynccontextmanager
async def right_and_wrong(
    entra: Entra, tmp_path: Path, off: list[timedelta]
) -> AsyncIterator[tuple[FrontDoor, FrontDoor]]:
    """Run two workers on one store, the clock of the second off by what is in the list."""
    wrong = {"clock": lambda: entra.state.clock.now() + off[0]}
    async with (
        running(entra, tmp_path, **LONG_IDLE) as one,
        running(entra, tmp_path, options=wrong, **LONG_IDLE) as other,
    ):
        yield one, other


@pytest.mark.parametrize("ahead", [2 * HOUR, DAY])
async def test_a_fast_clock_signs_nobody_out(entra: Entra, tmp_path: Path, ahead: timedelta) -> None:
    """REL-046, SEC-110: what its worker renews seems over on arrival: 503 there, and the person stays."""
    off = [timedelta(0)]
    entra.state.refresh_tokens.semantics = "strict"
    async with right_and_wrong(entra, tmp_path, off) as (right, wrong):
        session = await right.admitted()
        off[0] = ahead
        assert (await graph(wrong, session))[0] == 503
        assert await right.reuse(session) == 200
        assert (await graph(right, session))[0] == 200
        off[0] = timedelta(0)
        entra.state.clock.move(10 * MINUTE)
        assert (await graph(wrong, session))[0] == 200
        assert {event.name for event in right.events + wrong.events} == {"sign_in"}


@pytest.mark.parametrize("behind", [10 * MINUTE, 2 * HOUR])
async def test_a_slow_clock_keeps_nobody_from_their_apis(entra: Entra, tmp_path: Path, behind: timedelta) -> None:
    """REL-046: a token that the others hold is good where the clock is behind, though none can be verified there."""
    off = [timedelta(0)]
    async with right_and_wrong(entra, tmp_path, off) as (right, wrong):
        session = await right.admitted()
        assert (await graph(right, session))[0] == 200
        off[0] = -behind
        for worker in (wrong, wrong, right):
            assert (await graph(worker, session))[0] == 200
            assert await worker.reuse(session) == 200
        assert {event.name for event in right.events + wrong.events} == {"sign_in"}


async def test_a_pause_of_tomorrow_holds_nobody_up(entra: Entra, tmp_path: Path) -> None:
    """REL-046: by a clock that is ahead a failed renewal may be tried again tomorrow; who can tell tries now."""
    off = [DAY]
    async with right_and_wrong(entra, tmp_path, off) as (right, wrong):
        session = await right.admitted()
        entra.state.faults.add(Fault(endpoint="token", kind="status"))
        assert (await graph(wrong, session))[0] == 503
        entra.state.clock.move(2 * HOUR)
        assert await graph(right, session) == RENEWED


async def test_what_was_known_of_tokens_is_forgotten(entra: Entra, tmp_path: Path) -> None:
    """REL-046, SEC-058, TOK-8: a token revoked at its provider is not good for an hour because a clock was set back."""
    off = [HOUR]
    options = {"clock": lambda: entra.state.clock.now() + off[0]}
    async with elsewhere(entra, tmp_path, introspection=True, options=options) as api:
        house = house_of(api.door.app)
        api.provider.opaque["opaque"] = {"active": True, **api.provider.granted(exp=9_999_999_999)}
        assert (await api.status("/bearer", "opaque"))[0] == 200
        await house.bearers.sweep()
        off[0] = timedelta(0)
        api.provider.opaque["opaque"] = {"active": False}
        await house.bearers.sweep()
        assert (await api.status("/bearer", "opaque"))[0] == 401
