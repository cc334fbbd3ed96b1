"""How long one call takes."""

import statistics
import time
from collections.abc import Awaitable, Callable

from bench.sizes import size

CALLS, ROUNDS, TURNS = size((300, 9, 400), (1, 1, 4))
Row = tuple[str, str, str]
"""What was measured, microseconds, and beside what."""


def micros(work: Callable[[], object], *, calls: int = CALLS, rounds: int = ROUNDS) -> float:
    """Return the microseconds of one call: the median of rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            work()
        times.append((time.perf_counter() - started) / calls * 1e6)
    return statistics.median(times)


async def micros_of(work: Callable[[], Awaitable[object]], *, calls: int = CALLS, rounds: int = ROUNDS) -> float:
    """Return the microseconds of one awaited call: the median of rounds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(calls):
            await work()
        times.append((time.perf_counter() - started) / calls * 1e6)
    return statistics.median(times)


async def beside(
    floor: Callable[[], object], work: Callable[[], Awaitable[object]], *, rounds: int = TURNS
) -> tuple[float, float]:
    """Return the microseconds of both, in turns: medians of the quarter of rounds that was disturbed least."""
    pairs = []
    for _ in range(rounds):
        first = micros(floor, calls=5, rounds=1)
        pairs.append((first, await micros_of(work, calls=5, rounds=1)))
    calm = sorted(pairs, key=sum)[: rounds // 4]
    return statistics.median(each[0] for each in calm), statistics.median(each[1] for each in calm)
