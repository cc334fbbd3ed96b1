"""Whoever sends refused requests all day does not write our log all day: some lines of each kind, and how many more."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.web.guards.paced_lines import MOST
from tests.front_door import SESSION, FrontDoor
from tests.journeys.test_bearer import orders
from tests.moved_clock import MovedClock
from tests.visitor import HOST, visit

MORE = 17
SAID = {"refused", "return_to_refused", "metrics_refused", "lines_left_out"}
NUMBERS_TOKEN = "numbers-" + "n" * 40
JSON = {"accept": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
FLOODS = {
    "a bad bearer": ("/bearer", "GET", {"authorization": "Bearer aa.bb.cc"}, b"", "BearerRefused"),
    "two bearers": ("/bearer", "GET", {"authorization": "Bearer a b"}, b"", "BearerMalformed"),
    "another host": ("/", "GET", {}, b"", "HostRefused"),
    "a failed callback": ("/api/auth/callback", "GET", {}, b"state=a&code=b", "TransactionRefused"),
    "a post from elsewhere": (
        "/note", "POST", {"cookie": f"{SESSION}={'A' * 43}", "sec-fetch-site": "cross-site"}, b"", "CsrfRefused"),
    "a return address": ("/api/auth/login", "GET", {}, b"return_to=//evil.example", "return_to"),
    "a guessed token": ("/metrics", "GET", {"authorization": "Bearer no"}, b"", "metrics"),
}  # fmt: skip


@pytest.fixture
def clock(entra: Entra) -> MovedClock:
    return MovedClock(entra.state.clock.now())


@asynccontextmanager
async def unlimited(entra: Entra, data_dir: Path, clock: MovedClock) -> AsyncIterator[FrontDoor]:
    """Run an API without limits, so that every stranger's request is answered for what it is."""
    given = {"limits": False, "metrics_token": NUMBERS_TOKEN, "options": {"clock": clock}}
    async with orders(entra, data_dir, **given) as door:
        yield door


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    """Return the lines about requests; what goes on in the background writes some of its own."""
    ours = [record.entrada for record in caplog.records if hasattr(record, "entrada")]
    return [line for line in ours if line["event"] in SAID]


def left_out(caplog: pytest.LogCaptureFixture) -> list[tuple[object, object]]:
    return [(line["kind"], line["number"]) for line in lines(caplog) if line["event"] == "lines_left_out"]


async def flood(door: FrontDoor, which: str, times: int) -> None:
    path, method, headers, query, _ = FLOODS[which]
    host = "evil.example" if which == "another host" else HOST
    for number in range(times):
        address = f"192.0.{number // 256}.{number % 256}"
        await visit(door.app, path, method=method, headers=JSON | headers, query=query, host=host, address=address)


@pytest.mark.parametrize("which", list(FLOODS))
async def test_a_flood_writes_few_lines(
    entra: Entra, tmp_path: Path, clock: MovedClock, caplog: pytest.LogCaptureFixture, which: str
) -> None:
    """SEC-146, SEC-156: of a minute's flood so many lines are written, one says how many not, metrics count each."""
    caplog.set_level(logging.INFO, logger="entrada")
    kind = FLOODS[which][-1]
    async with unlimited(entra, tmp_path, clock) as door:
        before = len(lines(caplog))
        await flood(door, which, MOST + MORE)
        assert len(lines(caplog)) - before == MOST
        clock.move(timedelta(minutes=5))
        await flood(door, which, 1)
        assert left_out(caplog) == [(kind, MORE)]
        assert len(lines(caplog)) - before == MOST + 2
        if kind[0].isupper():
            series = f'entrada_refusals_total{{error="{kind}"}} {MOST + MORE + 1}'
            assert series in (await door.entrada.metrics()).splitlines()


async def test_a_flood_of_one_kind_hides_no_other(
    entra: Entra, tmp_path: Path, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-146: while one kind is only counted, the first of another is written."""
    caplog.set_level(logging.INFO, logger="entrada")
    async with unlimited(entra, tmp_path, clock) as door:
        await flood(door, "a bad bearer", MOST + MORE)
        before = len(lines(caplog))
        await flood(door, "a post from elsewhere", 1)
        (line,) = lines(caplog)[before:]
        assert (line["event"], line["error"]) == ("refused", "cross_site_request")


async def test_what_was_left_out_is_told_at_the_end(
    entra: Entra, tmp_path: Path, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-146: a process that stops says what it has only counted."""
    caplog.set_level(logging.INFO, logger="entrada")
    async with unlimited(entra, tmp_path, clock) as door:
        await flood(door, "a bad bearer", MOST + MORE)
        assert left_out(caplog) == []
    assert left_out(caplog) == [("BearerRefused", MORE)]
