"""Strangers begin to sign in, without end and without finishing: whoever is signed in goes on, memory has a bound."""

import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.faults.invariants import Held
from tests.front_door import SESSION, FrontDoor, running
from tests.visitor import HOST, visit

DEFAULTS = {"limit_sign_in": "20/minute 40/hour", "limit_strangers": "50/hour 200/day"}
ADDRESSES = 10_000
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}
GROWTH = 120  # MiB: two limits of 50 000 addresses each are 40, and Python gives little back


@dataclass(slots=True)
class Flood:
    """What came of it."""

    answers: Counter[int] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds that the person waited for each page."""


async def flooded(door: FrontDoor, *, starts: int, person: dict[str, str]) -> Flood:
    """Begin so many sign-ins from many addresses, each of which claims to be others; the person asks now and then."""
    flood, every = Flood(), max(starts // 1000, 20)
    for number in range(starts):
        address = f"10.{number % ADDRESSES // 256}.{number % 256}.1"
        claimed = {"x-forwarded-for": f"198.51.100.{number % 250}", "forwarded": f"for=192.0.2.{number % 250}"}
        answer = await visit(door.app, "/api/auth/login", address=address, headers=PAGE | claimed)
        flood.answers[answer.status] += 1
        if number % every == 0:
            began = time.perf_counter()
            assert (await visit(door.app, "/private", address=address, headers=PAGE | person)).status == 200
            flood.waits.append(time.perf_counter() - began)
    return flood


@pytest.mark.parametrize("starts", [1_000, pytest.param(1_000_000, marks=pytest.mark.long)])
async def test_sign_ins_that_nobody_finishes(entra: Entra, tmp_path: Path, starts: int) -> None:
    """SEC-152, SEC-156, REL-050: each start is answered or told to wait, none locks a person out, none is kept."""
    async with running(entra, tmp_path, store="sqlite:", **DEFAULTS) as door:
        person = {"cookie": f"{SESSION}={(await door.signed_in()).jar.of(HOST)[SESSION]}"}
        await flooded(door, starts=500, person=person)
        before = Held.by(os.getpid())
        flood = await flooded(door, starts=starts, person=person)
        grown = Held.by(os.getpid()).megabytes - before.megabytes
    assert flood.answers.keys() <= {302, 429}
    assert flood.answers[302] > 0
    assert flood.answers[302] <= ADDRESSES * 80, "the limits of an hour, and of one more that it may have come into"
    assert grown < GROWTH
    middle, last = statistics.median(flood.waits), max(flood.waits)
    print(
        f"{dict(flood.answers)}; the person waited {middle * 1e3:.1f} ms, at most {last * 1e3:.0f} ms; +{grown:.0f} MiB"
    )
