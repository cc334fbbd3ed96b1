"""The work in the background: killed, it is taken over; started again and again, nothing needs to be mended."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.faults.invariants import assert_nothing_half_made, assert_one_renewal_each, watching
from tests.faults.points import BEFORE_THE_CALL
from tests.faults.workers import Cluster, Worker, cluster

PEOPLE = ("mia@birch.example", "ada@birch.example", "greta@birch.example")
ALMOST_DUE = timedelta(minutes=91)
LEASE = timedelta(seconds=13)
EVERY = 1  # seconds between two rounds


@pytest.fixture(scope="module")
async def busy(tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]) -> AsyncIterator[Cluster]:
    """Two workers that look for tokens to renew each second."""
    folder: Path = tmp_path_factory.mktemp("busy")
    often = {"ENTRADA_TOKEN_REFRESH_CHECK_INTERVAL_SECS": str(EVERY)}
    with (
        served(folder / "emulator", keys=entra_keys) as entra,
        cluster(entra, folder, workers=2, points=True, **often) as running,
    ):
        for worker in running.workers:
            await worker.ready()
        yield running


async def first_to_die(workers: list[Worker]) -> Worker:
    """Wait until one of the armed workers has died, and disarm the others."""
    async with asyncio.timeout(20):
        while not (dead := [one for one in workers if one.process and one.process.poll() is not None]):
            await asyncio.sleep(0.01)
    for worker in workers:
        worker.points.unlink(missing_ok=True)
    assert len(dead) == 1
    return dead[0]


async def renewed(busy: Cluster, *, number: int, within: float) -> None:
    """Wait until the tokens of so many sessions have been renewed."""
    began, asked = time.monotonic(), busy.renewals()
    while asked < number:
        assert time.monotonic() - began < within, f"{asked} of {number} after {within} s"
        await asyncio.sleep(0.05)
        asked += busy.renewals()


@pytest.mark.parametrize("by_the_clock", [True, pytest.param(False, marks=pytest.mark.long)])
async def test_the_refresher_is_killed(busy: Cluster, by_the_clock: bool) -> None:
    """REL-036, I3, I7: killed in its round: the other takes over within a lease; each token is renewed once."""
    busy.entra.state.refresh_tokens.semantics = "strict"
    for worker in busy.workers:
        await worker.ready()
    sessions = [await busy.sign_in(upn) for upn in PEOPLE]
    busy.renewals()
    number = len(await busy.stored_keys())  # those of a test before this one are due as well
    for worker in busy.workers:
        worker.arm(BEFORE_THE_CALL, SIGKILL)
    busy.move_clock(ALMOST_DUE)
    dead = await first_to_die(busy.workers)
    (other,) = [worker for worker in busy.workers if worker is not dead]
    async with watching([busy.visit(other)], living=sessions):
        if by_the_clock:  # both leases, of the round and of the session, have ended
            busy.move_clock(LEASE)
        await renewed(busy, number=number, within=12 + 12 + 4 * EVERY)
        dead.start()
        await dead.ready()
        await asyncio.sleep(2.5 * EVERY)  # two are alive: neither does it again
        assert busy.renewals() == 0
    for session in sessions:
        assert (await busy.ask(dead, session)).body == {"source": "cache"}
    assert_one_renewal_each(busy.entra)
    assert busy.entra.state.recorder.counts["token"] > 0


@pytest.mark.long
async def test_killed_again_and_again_while_it_starts(busy: Cluster) -> None:
    """REL-037, I1, I2, I6: a crash loop: no start needs a repair, what was there is there, the other never notices."""
    first, second = busy.workers
    for worker in busy.workers:
        await worker.ready()
    session = await busy.sign_in()
    async with watching([busy.visit(first), busy.visit(second)], living=[session]) as watch:
        for seconds in (0.0, 0.5, 1.0):
            second.send(SIGKILL)
            await second.dead()
            second.start()
            await asyncio.sleep(seconds)
        await second.ready()
        await watch.recovered()
    now = busy.entra.state.clock.now
    assert (await assert_nothing_half_made("sqlite:", data_dir=busy.data, clock=now)).found.total() >= 1
