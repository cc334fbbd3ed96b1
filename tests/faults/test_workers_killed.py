"""A worker is killed or stopped in the middle of a renewal; another one goes on, and the session with it."""

import asyncio
import signal
from datetime import timedelta

import pytest
from entrada_emulator.faults import Fault

from tests.faults.invariants import watching
from tests.faults.points import AFTER_ALL, AFTER_STORING, AFTER_THE_ANSWER, BEFORE_THE_CALL, BEFORE_THE_LEASE_IS_SURE
from tests.faults.workers import Cluster

TO_EXPIRE = timedelta(minutes=100)


async def expired(two: Cluster) -> str:
    """Return the session of somebody whose access token is over."""
    session = await two.sign_in()
    two.renewals()
    two.move_clock(TO_EXPIRE)
    return session


LEASE = timedelta(seconds=13)  # and a little


@pytest.mark.parametrize(
    ("point", "asked", "by_the_clock"),
    [
        (AFTER_THE_ANSWER, 2, True),
        pytest.param(BEFORE_THE_CALL, 1, False, marks=pytest.mark.long),
        pytest.param(AFTER_THE_ANSWER, 2, False, marks=pytest.mark.long),
        pytest.param(AFTER_STORING, 1, False, marks=pytest.mark.long),
        pytest.param(AFTER_ALL, 1, False, marks=pytest.mark.long),
    ],
)
async def test_killed(two: Cluster, point: str, asked: int, by_the_clock: bool) -> None:
    """REL-033: kill -9 at each step: the next request is served within a lease, with whichever token is stored."""
    first, second = two.workers
    await second.ready()
    two.entra.state.refresh_tokens.semantics = "entra"
    session = await expired(two)
    async with watching([two.visit(first)], living=[session]):
        second.arm(point, signal.SIGKILL)
        with pytest.raises((ConnectionError, AssertionError)):
            assert (await two.ask(second, session)).status == 200
        await second.killed_at_the_point()
        if by_the_clock:  # the lease has ended; in earnest it is waited for
            two.move_clock(LEASE)
        answer = await two.ask(first, session)
        assert answer.status == 200
        assert answer.seconds < 15  # a lease and a little
        assert two.renewals() == asked
    await second.ready()
    assert (await two.ask(second, session)).body == {"source": "cache"}


@pytest.mark.long
async def test_killed_where_tokens_are_used_once(two: Cluster) -> None:
    """REL-033: the one window: the old token is taken back and nobody has the new one: one sign-in, no loop."""
    first, second = two.workers
    await second.ready()
    two.entra.state.refresh_tokens.semantics = "strict"
    session = await expired(two)
    second.arm(AFTER_THE_ANSWER, signal.SIGKILL)
    with pytest.raises((ConnectionError, AssertionError)):
        assert (await two.ask(second, session)).status == 200
    await second.killed_at_the_point()
    assert (await two.ask(first, session)).status == 401
    assert (await two.ask(first, session, path="/who")).status == 401
    assert two.renewals() == 2
    again = await two.sign_in()
    assert (await two.ask(first, again)).status == 200


@pytest.mark.long
@pytest.mark.parametrize("semantics", ["entra", "strict"])
async def test_stopped_before_the_call(two: Cluster, semantics: str) -> None:
    """REL-042: the holder of the lease is stopped for 15 s and goes on: one renewal, by the other, and both serve."""
    first, second = two.workers
    await second.ready()
    two.entra.state.refresh_tokens.semantics = semantics  # type: ignore[assignment]
    session = await expired(two)
    second.arm(BEFORE_THE_LEASE_IS_SURE, signal.SIGSTOP)
    waiting = asyncio.create_task(two.ask(second, session))
    await second.stopped()
    others = asyncio.create_task(two.storm(session, each=20, workers=[first]))
    await asyncio.sleep(15)
    second.send(signal.SIGCONT)
    answers = [await waiting, *await others]
    assert {answer.status for answer in answers} == {200}
    assert two.renewals() == 1
    assert (await two.ask(second, session)).body == {"source": "cache"}


@pytest.mark.parametrize("by_the_clock", [True, pytest.param(False, marks=pytest.mark.long)])
async def test_stopped_during_the_call(two: Cluster, by_the_clock: bool) -> None:
    """REL-042, SEC-107: what the stopped one stores late loses by its version; it adopts what the other has stored."""
    first, second = two.workers
    await second.ready()
    two.entra.state.refresh_tokens.semantics = "entra"
    session = await expired(two)
    told = [event for worker in two.workers for event in worker.events()]
    second.arm(AFTER_THE_ANSWER, signal.SIGSTOP)
    waiting = asyncio.create_task(two.ask(second, session))
    await second.stopped()
    others = asyncio.create_task(two.storm(session, each=20, workers=[first]))
    if by_the_clock:
        two.move_clock(LEASE)
    await asyncio.wait([others], timeout=15)
    second.send(signal.SIGCONT)
    answers = [await waiting, *await others]
    assert {answer.status for answer in answers} == {200}
    assert two.renewals() == 2
    assert "renewal_came_late" in second.log.read_text()
    assert [event for worker in two.workers for event in worker.events()] == told


@pytest.mark.long
async def test_told_to_stop_during_a_renewal(two: Cluster) -> None:
    """REL-073: SIGTERM: the renewal is finished and stored, the request answered; no token is lost."""
    first, second = two.workers
    await second.ready()
    two.entra.state.refresh_tokens.semantics = "strict"
    session = await expired(two)
    two.entra.state.faults.add(Fault(endpoint="token", kind="latency", seconds=2.0))
    waiting = asyncio.create_task(two.ask(second, session))
    await asyncio.sleep(1.0)
    second.send(signal.SIGTERM)
    assert (await waiting).status == 200
    assert await second.dead() == -signal.SIGTERM  # uvicorn sends itself the signal again once it has cleaned up
    assert (await two.ask(first, session)).body == {"source": "cache"}
    assert two.renewals() == 1
