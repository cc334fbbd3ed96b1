"""The session stores with few and with very many sessions: look-ups, room, due tokens, and sweeping.

`BENCH_MOST=100000` measures with fewer than a million, `BENCH_STORES=sqlite,redis` some of the stores only.
"""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

from bench.msal_caches import walked
from bench.places import Clock, Place, possible
from bench.population import BATCH, EVERY, FEW_TOKENS, SHORT, TOKENS, WITH_ALL_TOKENS, Population, filled
from bench.sizes import size
from bench.table import show
from entrada import keyring
from entrada.errors import StoreUnavailable
from entrada.keyring import KeyRing
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer

SIZES = size((1_000, WITH_ALL_TOKENS, 1_000_000), (450,))
ROUNDS, CALLS, ALONE = size((15, 200, 1_000), (1, 3, 3))
DUE = (10, 100, 1_000)
SWEPT = 500  # at a time, as the background does it
LOOK_UP_PAUSE = size(0.001, 0)  # seconds between two look-ups while it is swept

Row = tuple[str, ...]


class Rows(list[Row]):
    """Rows that are told as they come, for whoever does not wait for the end."""

    def append(self, row: Row) -> None:
        """Add one."""
        print("  " + " · ".join(row), file=sys.stderr)
        super().append(row)


@dataclass(slots=True)
class Seen:
    """The rows of the four tables."""

    look_ups: Rows = field(default_factory=Rows)
    room: Rows = field(default_factory=Rows)
    due: Rows = field(default_factory=Rows)
    sweeps: Rows = field(default_factory=Rows)


@dataclass(frozen=True, slots=True)
class Times:
    """Microseconds of single calls."""

    half: float
    most: float
    """The 99th of a hundred."""

    @classmethod
    def of(cls, micros: list[float]) -> "Times":
        """Take them from all calls."""
        return cls(statistics.median(micros), statistics.quantiles(micros, n=100)[98])


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    started = time.perf_counter_ns()
    if await work() is None:
        raise RuntimeError("nothing was found")
    return (time.perf_counter_ns() - started) / 1000


class _Measuring:
    """One store, and what is measured on it."""

    def __init__(self, place: Place, *, clock: Clock, seen: Seen) -> None:
        ring = KeyRing.parse(keyring.generate())
        self.place = place
        self.clock = clock
        self.seen = seen
        self.people = Population(ring, now=clock())
        self.sessions = Sessions(place.store, sealer=Sealer(ring), ring=ring, clock=clock)
        self.few: dict[str, Times] = {}
        self.filled_to = 0
        self.chance = random.Random(7)

    async def fill(self, size: int) -> None:
        before = await self.place.size()
        numbers = range(self.filled_to, size)
        await filled(self.place.store, self.sessions, self.people, numbers, bulk=self.place.bulk, title=self.place.name)
        self.filled_to = size
        tokens = TOKENS if size <= WITH_ALL_TOKENS else FEW_TOKENS
        if len(numbers) > BATCH:
            each = (await self.place.size() - before) / len(numbers)
            self.seen.room.append(
                (self.place.name, f"{len(numbers):,}", f"{tokens:,}", f"{each:,.0f}", self.place.where)
            )

    async def look_ups(self) -> None:
        """Time single look-ups of sessions all over the store; ours and the peers' by turns."""
        numbers = [self.people.lasting(self.chance.randrange(self.filled_to - 1)) for _ in range(CALLS)]
        keys = [self.people.key(number) for number in numbers]
        if self.place.put:
            for number, key in zip(numbers, keys, strict=True):
                await self.place.put(key, self.people.row(number).record)
        times: dict[str, list[float]] = {}
        for _ in range(ROUNDS):
            await self._round(times, [self.people.session_id(number) for number in numbers], keys)
        self._tell({name: Times.of(micros) for name, micros in times.items()})

    async def _round(self, times: dict[str, list[float]], ids: list[str], keys: list[bytes]) -> None:
        store, load = self.place.store, self.sessions.load
        times.setdefault("load: hash, look-up, signature, lifetimes", []).extend(
            [await _timed(lambda session_id=session_id: load(session_id)) for session_id in ids]  # type: ignore[misc]
        )
        for name, read in {"get: the look-up alone": store.get, **self.place.peers}.items():
            times.setdefault(name, []).extend(
                [await _timed(lambda key=key, read=read: read(key)) for key in keys]  # type: ignore[misc]
            )

    def _tell(self, times: dict[str, Times]) -> None:
        self.few = self.few or times
        peers = [name for name in times if name in self.place.peers]
        for name, seen in times.items():
            beside = [f"{seen.half / times[peer].half:.2f} × {peer}" for peer in peers if name not in peers]
            grown = f"{seen.half / self.few[name].half:.2f}, {seen.most / self.few[name].most:.2f}"
            row = (self.place.name, f"{self.filled_to:,}", name, f"{seen.half:.0f}", f"{seen.most:.0f}", grown)
            self.seen.look_ups.append((*row, ", ".join(beside)))

    async def due(self) -> None:
        """Time the search for what is due: ten at every size, more at one."""
        for wanted in DUE if self.filled_to == WITH_ALL_TOKENS else DUE[:1]:
            before = self.people.due_at(wanted)
            try:
                spent = f"{await self._found_due(before, wanted=wanted):,.0f}"
            except StoreUnavailable as unavailable:  # on a machine with much else to do; the background tries again
                spent = str(unavailable)
            self.seen.due.append((self.place.name, f"{self.filled_to:,}", f"{wanted:,}", spent))

    async def _found_due(self, before: datetime, *, wanted: int) -> float:
        """Return the microseconds of one search, which must find so many."""
        micros = []
        for _ in range(30):
            started = time.perf_counter()
            keys = await self.sessions.due(before=before, limit=wanted + 1)
            micros.append((time.perf_counter() - started) * 1e6)
            if len(keys) != wanted:
                raise RuntimeError(f"{len(keys)} are due, not {wanted}")
        return statistics.median(micros)

    async def sweep(self) -> None:
        """Let one of 200 expire, and sweep in batches while look-ups go on."""
        self.clock.ahead = SHORT
        alone = Times.of([await self._look_up() for _ in range(ALONE)])
        batches: list[float] = []
        sweeping = asyncio.create_task(self._sweep(batches))
        meanwhile = [await self._look_up()]
        while not sweeping.done() or len(meanwhile) < 2:
            meanwhile.append(await self._look_up())
        swept, during = await sweeping, Times.of(meanwhile)
        row = (self.place.name, f"{self.filled_to:,}", f"{swept:,}", f"{len(batches)}")
        row += (f"{statistics.median(batches):.1f}", f"{max(batches):.1f}")
        self.seen.sweeps.append((*row, f"{during.half:.0f}, {during.most:.0f}", f"{alone.half:.0f}, {alone.most:.0f}"))

    async def _sweep(self, batches: list[float]) -> int:
        swept, count = 0, SWEPT
        while count >= SWEPT:
            started = time.perf_counter()
            count = await self.sessions.sweep(limit=SWEPT)
            batches.append((time.perf_counter() - started) * 1000)
            swept += count
        return swept

    async def _look_up(self) -> float:
        """Return the microseconds of one, after a pause."""
        await asyncio.sleep(LOOK_UP_PAUSE)
        session_id = self.people.session_id(self.people.lasting(self.chance.randrange(self.filled_to - 1)))
        return await _timed(lambda: self.sessions.load(session_id))


async def _all() -> Seen:
    seen, most = Seen(), int(os.environ.get("BENCH_MOST", SIZES[-1]))
    for open_place in possible():
        clock = Clock()
        async with open_place(clock) as place:
            measuring = _Measuring(place, clock=clock, seen=seen)
            for size in (size for size in SIZES if size <= most):
                await measuring.fill(size)
                await measuring.look_ups()
                await measuring.due()
            await measuring.sweep()
    for size, micros in walked((1_000, 10_000, 100_000)):
        seen.due.append(("every MSAL cache walked", f"{size:,}", "0", f"{micros:,.0f}"))
    return seen


def measure() -> None:
    """Print the tables."""
    seen = asyncio.run(_all())
    print(f"  one session of {EVERY} expires before it is swept", file=sys.stderr)
    show(
        "Look-ups, µs a call",
        ("store", "sessions", "what", "p50", "p99", "p50, p99 beside 1,000", "p50 beside peers"),
        seen.look_ups,
    )
    show("Room a session takes", ("store", "sessions", "bytes of tokens", "bytes a session", "of"), seen.room)
    show("What is due, found", ("store", "sessions", "due", "µs"), seen.due)
    show(
        "Sweeping, 500 at a time",
        ("store", "sessions", "swept", "batches", "ms, p50", "ms, most", "look-up µs meanwhile", "and alone"),
        seen.sweeps,
    )
