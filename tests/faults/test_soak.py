"""REL-077: steady load and faults by chance for as long as one likes; `SOAK_MINUTES=1440` is the day of the fault list.

The first worker is never harmed: what it holds is measured whenever all is well, and must not rise.
"""

import asyncio
import os
import random
import signal
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from entrada_emulator.faults import EndpointName, Fault, TransportFault
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.faults.invariants import OK, UNAVAILABLE, Held, Watch, assert_nothing_half_made, watching
from tests.faults.people import Person
from tests.faults.workers import Cluster, Worker, cluster

MINUTES = float(os.environ.get("SOAK_MINUTES", "3"))
WORKERS, PEOPLE, REMEMBERED = 3, 8, 20
UPNS = ("mia@birch.example", "ada@birch.example", "greta@birch.example")  # of whom no renewal asks a second factor
QUIET = 1.0  # seconds between two faults
PASSES = timedelta(minutes=10)  # with each fault, so that tokens run out all the time
WARM = 0.25  # share of the time in which caches and pools may still fill
MOST_MEGABYTES, MOST_FILES, MOST_THREADS, MOST_STORED = 16.0, 6.0, 3.0, 4.0  # by which a line through all may rise

pytestmark = pytest.mark.long


@dataclass(slots=True)
class Soak:
    """What goes on, and what was measured at which second."""

    site: Cluster
    watch: Watch
    chance: random.Random
    people: dict[str, Person] = field(default_factory=dict)
    """Who is in, by session."""
    refused: list[str] = field(default_factory=list)
    """Tokens that were refused to somebody who is in."""
    measured: list[tuple[float, Held, float]] = field(default_factory=list)
    """Second, what the first worker holds, megabytes of the session store."""
    going: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Whoever has it, nobody else comes or goes meanwhile."""

    def somewhere(self) -> Worker:
        return self.chance.choice(self.site.workers)

    async def come(self) -> None:
        """Have somebody sign in; what fails meanwhile is theirs to try again."""
        person = self.site.person(self.chance.choice(UPNS))
        with suppress(httpx2.TransportError, KeyError):
            await person.start(self.somewhere().url)
            await person.come_back(self.somewhere().url)
        if person.session is None:
            await person.close()
            return
        self.people[person.session] = person
        self.watch.begins(person.session)

    async def go(self) -> None:
        """Have somebody sign out, until they are told that they are."""
        session = self.chance.choice(list(self.people))
        person = self.people.pop(session)
        self.watch.is_ending(session)
        while True:
            with suppress(httpx2.TransportError):
                if (await person.sign_out(self.somewhere().url)).is_success:
                    break
            await asyncio.sleep(0.1)
        await person.close()
        self.watch.ends(session)
        while len(self.watch.ended) > REMEMBERED:
            self.watch.ended.pop()

    async def traffic(self) -> None:
        """Come and go, and call the API behind, without end."""
        while True:
            async with self.going:
                await (self.come() if len(self.people) < PEOPLE else self.go())
            for session in list(self.people):
                with suppress(OSError, TimeoutError):
                    answered = await self.site.ask(self.somewhere(), session)
                    if answered.status not in (OK, *UNAVAILABLE):
                        self.refused.append(f"a token: {answered.status} {answered.body.get('code')}")

    def measure(self, began: float) -> None:
        first = self.site.workers[0].process
        assert first
        stored = sum(path.stat().st_size for path in self.site.data.glob("sessions.db*")) / 2**20
        self.measured.append((time.monotonic() - began, Held.by(first.pid), stored))

    def rises(self) -> dict[str, float]:
        """Return by how much each measure rises over the time, by the line that fits it best."""
        warm = self.measured[int(len(self.measured) * WARM) :]
        seconds = [at for at, _, _ in warm]
        measures: dict[str, Sequence[float]] = {
            "megabytes": [held.megabytes for _, held, _ in warm],
            "files": [held.files for _, held, _ in warm],
            "threads": [held.threads for _, held, _ in warm],
            "stored": [stored for _, _, stored in warm],
        }
        span = seconds[-1] - seconds[0]
        return {
            name: statistics.linear_regression(seconds, values).slope * span if len(set(values)) > 1 else 0.0
            for name, values in measures.items()
        }


async def killed(soak: Soak) -> None:
    worker = soak.chance.choice(soak.site.workers[1:])
    worker.end()
    await asyncio.sleep(soak.chance.uniform(0, 2))
    worker.start()
    await worker.ready()


async def told_to_stop(soak: Soak) -> None:
    worker = soak.chance.choice(soak.site.workers[1:])
    worker.send(signal.SIGTERM)
    assert await worker.dead(within=40) == 0
    worker.start()
    await worker.ready()


async def held_up(soak: Soak) -> None:
    worker = soak.chance.choice(soak.site.workers[1:])
    worker.send(signal.SIGSTOP)
    await asyncio.sleep(soak.chance.uniform(0.5, 15))
    worker.send(signal.SIGCONT)


async def authority_fails(soak: Soak) -> None:
    endpoint: EndpointName = soak.chance.choice(("token", "token", "keys", "metadata", "graph"))
    kind: TransportFault = soak.chance.choice(("latency", "status", "garbage"))
    times = soak.chance.randint(1, 10)
    soak.site.entra.state.faults.add(Fault(endpoint=endpoint, kind=kind, times=times, seconds=1.0))
    await asyncio.sleep(soak.chance.uniform(0, 3))
    soak.site.entra.state.faults.clear()


async def keys_rotate(soak: Soak) -> None:
    soak.site.entra.state.keys.rotate()


FAULTS: tuple[Callable[[Soak], Awaitable[None]], ...] = (killed, told_to_stop, held_up, authority_fails, keys_rotate)


@pytest.fixture
async def site(tmp_path: Path, entra_keys: tuple[SigningKey, ...]) -> AsyncIterator[Cluster]:
    settings = {"ENTRADA_TOKEN_REFRESH_CHECK_INTERVAL_SECS": "5"}
    with (
        served(tmp_path / "emulator", keys=entra_keys) as entra,
        cluster(entra, tmp_path, workers=WORKERS, drain=0.5, **settings) as site,
    ):
        await asyncio.gather(*(worker.ready() for worker in site.workers))
        yield site


async def test_nothing_rises_and_nobody_is_out(site: Cluster, record_property: Callable[[str, object], None]) -> None:
    """REL-077: no invariant is breached, and memory, files, threads and the session store stay as they are."""
    chance = random.Random(seed := random.SystemRandom().randrange(2**32))
    record_property("seed", seed)
    began = time.monotonic()
    async with watching([site.visit(worker) for worker in site.workers]) as watch:
        soak = Soak(site, watch, chance)
        while len(soak.people) < PEOPLE:
            await soak.come()
        coming_and_going = asyncio.create_task(soak.traffic())
        while time.monotonic() - began < MINUTES * 60:
            await chance.choice(FAULTS)(soak)
            site.move_clock(PASSES)
            async with soak.going:
                await watch.recovered()
                soak.measure(began)
            await asyncio.sleep(QUIET)
            assert not watch.breaches, f"seed {seed}: {watch.breaches[:5]}"
            assert not soak.refused, f"seed {seed}: {soak.refused[:5]}"
            assert not coming_and_going.done(), f"seed {seed}: {coming_and_going.exception()}"
        coming_and_going.cancel()
        with suppress(asyncio.CancelledError):
            await coming_and_going
    for person in soak.people.values():
        await person.close()
    await assert_nothing_half_made("sqlite:", data_dir=site.data, clock=site.entra.state.clock.now)
    most = {"megabytes": MOST_MEGABYTES, "files": MOST_FILES, "threads": MOST_THREADS, "stored": MOST_STORED}
    rises = soak.rises()
    print(f"seed {seed}, {len(soak.measured)} faults, rises {rises}")
    assert {name: rise for name, rise in rises.items() if rise > most[name]} == {}, f"seed {seed}"
