"""TOK-3: tokens are renewed before anybody asks, a few at a time, by one worker at a time, for the living only."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import BASE, SESSION, FrontDoor, running
from tests.journeys.test_tokens import HOST, graph

SOON = {"token_refresh_check_interval_secs": 1, "session_idle_minutes": 600}
MOST = 8.0  # seconds; some rounds of the background, on a machine that has other things to do


@pytest.fixture
async def ahead(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application, looking for tokens to renew every second."""
    async with running(entra, tmp_path, **SOON) as door:
        yield door


async def until(done: Any, *, within: float = MOST) -> None:
    async with asyncio.timeout(within):
        while not done():
            await asyncio.sleep(0.05)


def renewals(door: FrontDoor) -> int:
    """Return how many renewals the authority has answered."""
    return len([one for one in door.entra.state.recorder.requests("token") if "refresh_token" in one.form])


def almost_due(door: FrontDoor) -> None:
    """Let the token be within the last minutes of its life, which ends between 60 and 90 minutes."""
    door.entra.state.clock.move(timedelta(minutes=91))


async def test_nobody_waits_for_a_renewal(ahead: FrontDoor) -> None:
    """TOK-3: a token that is about to expire is renewed in the background; the next request finds it in the cache."""
    session = (await ahead.signed_in()).jar.of(HOST)[SESSION]
    almost_due(ahead)
    await until(lambda: renewals(ahead) == 1)
    await asyncio.sleep(2.5)
    assert renewals(ahead) == 1
    assert (await graph(ahead, session))[1]["source"] == "cache"


async def test_it_is_no_activity(ahead: FrontDoor) -> None:
    """SEC-113: renewal in the background does not let an unused session live longer, nor renew for one that ended."""
    session = (await ahead.signed_in()).jar.of(HOST)[SESSION]
    for number in range(1, 5):
        almost_due(ahead)
        await until(lambda number=number: renewals(ahead) == number)
        await asyncio.sleep(0.5)  # until it is verified and stored
    ahead.entra.state.clock.move(timedelta(hours=4))
    assert await ahead.reuse(session) == 401
    await asyncio.sleep(2.0)
    assert renewals(ahead) == 4


async def test_one_of_many_workers_does_it(entra: Entra, tmp_path: Path) -> None:
    """TOK-3, REL-036: with three workers awake at once, strict about reuse, each session is renewed once."""
    entra.state.refresh_tokens.semantics = "strict"
    async with AsyncExitStack() as stack:
        doors = [await stack.enter_async_context(running(entra, tmp_path, store="sqlite:", **SOON)) for _ in range(3)]
        sessions = [(await doors[0].signed_in()).jar.of(HOST)[SESSION] for _ in range(6)]
        almost_due(doors[0])
        await until(lambda: renewals(doors[0]) >= 6)
        await asyncio.sleep(1.5)
        assert renewals(doors[0]) == 6
        answers = [await graph(doors[1], session) for session in sessions]
        assert [answer[1]["source"] for answer in answers] == ["cache"] * 6


async def test_refused_in_the_background(ahead: FrontDoor) -> None:
    """REL-044: a person whose access was withdrawn is out without having asked; one pair of events says so."""
    session = (await ahead.signed_in()).jar.of(HOST)[SESSION]
    ahead.entra.state.revoke_sessions(ahead.entra.user())
    almost_due(ahead)
    await until(lambda: len(ahead.events) == 3)
    assert [event.name for event in ahead.events] == ["sign_in", "renewal_failed", "session_ended"]
    assert await ahead.reuse(session) == 401


async def test_an_outage_is_waited_out(ahead: FrontDoor) -> None:
    """SEC-111, REL-038: Retry-After is honoured; /ready names what fails, and no longer when it works again."""
    session = (await ahead.signed_in()).jar.of(HOST)[SESSION]
    ahead.entra.state.faults.add(Fault(endpoint="token", kind="status", status=429, retry_after=100))
    almost_due(ahead)
    await until(lambda: renewals(ahead) == 1)
    await asyncio.sleep(2.5)
    assert renewals(ahead) == 1
    ready = await ahead.raw("GET", f"{BASE}/ready")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    ahead.entra.state.clock.move(timedelta(seconds=130))
    await until(lambda: renewals(ahead) == 2)
    assert (await graph(ahead, session))[0] == 200
    async with asyncio.timeout(MOST):
        while (await ahead.raw("GET", f"{BASE}/ready")).json() != {"status": "ready"}:
            await asyncio.sleep(0.05)
