"""REL-001 to REL-004: the authority is gone, silent, overloaded or talks nonsense, while people use the application."""

import asyncio
import time
import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.faults.broken_authority import GARBAGE, MIB, TOKEN, Between, silent, status
from tests.faults.invariants import visitor, watching
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running, walk_through
from tests.journeys.test_tokens import HOST, graph

LOGIN = "login.microsoftonline.com"
LONG_IDLE = {"session_idle_minutes": 60 * 24 * 30}


@pytest.fixture
async def portal(entra: Entra, tmp_path: Path) -> AsyncIterator[tuple[FrontDoor, Between]]:
    """The small application, and an authority that can be broken."""
    between = Between(entra.app)
    async with running(entra, tmp_path, hosts={LOGIN: between}, **LONG_IDLE) as door:
        yield door, between


async def session_of(door: FrontDoor) -> str:
    return (await door.signed_in()).jar.of(HOST)[SESSION]


def expire(door: FrontDoor) -> None:
    """Let the access tokens be over."""
    door.entra.state.clock.move(timedelta(hours=2))


async def test_rel_001_connections_are_refused(portal: tuple[FrontDoor, Between]) -> None:
    """REL-001: live tokens work, expired ones wait (503), logout works, sign-in says so; nobody is signed out."""
    door, between = portal
    session, leaver = await session_of(door), await session_of(door)
    async with watching([visitor(door)], living={session}) as watch:
        del door.internet.hosts[LOGIN]
        assert (await graph(door, session))[0] == 200
        headers = {"cookie": f"{SESSION}={leaver}", "x-csrf": "1", "sec-fetch-site": "same-origin"}
        assert (await door.raw("POST", f"{AUTH}/logout", headers=headers)).status_code == 200
        expire(door)
        answers = [await graph(door, session) for _ in range(5)]
        assert {(code, problem["code"]) for code, problem in answers} == {(503, "temporarily_unavailable")}
        door.internet.hosts[LOGIN] = between
        between.instead[TOKEN] = status(503)
        attempt = door.browser()
        await attempt.open(f"{BASE}/private")
        failed = await walk_through(attempt)
        assert (failed.status, failed.title) == (503, "The sign-in service does not answer")
        between.instead.clear()
        door.entra.state.clock.move(timedelta(seconds=70))
        assert (await graph(door, session))[0] == 200
        await watch.recovered()
    assert await door.reuse(leaver) == 401
    assert [event.name for event in door.events if event.name == "session_ended"] == []


async def test_rel_001_at_a_cold_start(entra: Entra, tmp_path: Path) -> None:
    """REL-001, REL-006: started while it is down: alive, not ready, sign-in says 503 with a retry; then well."""
    async with running(entra, tmp_path, hosts={LOGIN: status(503)}) as door:
        for path, code in (("/health", 200), ("/ready", 503)):
            assert (await door.raw("GET", BASE + path)).status_code == code
        answer = await door.raw("GET", f"{AUTH}/login", headers={"accept": "text/html"})
        assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
        assert b"Try again" in answer.content
        door.internet.hosts[LOGIN] = entra.app
        entra.state.clock.move(timedelta(seconds=3))
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 200
        await session_of(door)


async def test_rel_002_it_accepts_and_never_answers(portal: tuple[FrontDoor, Between]) -> None:
    """REL-002: a renewal is given up within ten seconds; meanwhile other routes answer at once, connections are few."""
    door, between = portal
    session = await session_of(door)
    expire(door)
    between.instead[TOKEN] = silent
    async with watching([visitor(door)], living={session}) as watch:
        began = time.monotonic()
        waiting = [asyncio.create_task(graph(door, session)) for _ in range(30)]
        slowest = 0.0
        while not all(task.done() for task in waiting):
            asked = time.monotonic()
            assert await door.reuse(session) == 200
            slowest = max(slowest, time.monotonic() - asked)
            await asyncio.sleep(0.05)
        assert {task.result()[0] for task in waiting} == {503}
        assert time.monotonic() - began < 12
        assert slowest < 2
        assert between.asked[TOKEN] == 2
        assert between.most_at_once <= 2
        between.instead.clear()
        door.entra.state.clock.move(timedelta(seconds=70))
        assert (await graph(door, session))[0] == 200
        await watch.recovered()


@pytest.mark.parametrize(
    ("code", "retry_after"),
    [
        (500, None),
        (429, "90"),
        *[
            pytest.param(*each, marks=pytest.mark.long)
            for each in ((502, "90"), (429, None), (503, "Wed, 21 Oct 2026 07:28:00 GMT"), (429, "9" * 30))
        ],
    ],
)
async def test_rel_003_it_answers_that_it_cannot(
    portal: tuple[FrontDoor, Between], code: int, retry_after: str | None
) -> None:
    """REL-003: asked for all five seconds, at most 15 requests in ten minutes reach it, none before its Retry-After."""
    door, between = portal
    session = await session_of(door)
    expire(door)
    between.instead[TOKEN] = status(code, retry_after=retry_after)
    asked_at: list[int] = []
    async with watching([visitor(door)], living={session}):
        for second in range(0, 600, 5):
            before = between.asked[TOKEN]
            assert (await graph(door, session))[0] == 503
            asked_at += [second] * (between.asked[TOKEN] - before)
            door.entra.state.clock.move(timedelta(seconds=5))
        assert 4 <= len(asked_at) <= 15
        if retry_after == "90":
            assert min(after - before for before, after in pairwise(asked_at)) >= 90
        between.instead.clear()
        door.entra.state.clock.move(timedelta(minutes=6))
        assert (await graph(door, session))[0] == 200


async def test_rel_004_garbage_for_a_renewal(portal: tuple[FrontDoor, Between]) -> None:
    """REL-004: every kind is 503 with a code, never 500; the session stays, memory is flat, and then all is well."""
    door, between = portal
    session = await session_of(door)
    expire(door)
    async with watching([visitor(door)], living={session}):
        tracemalloc.start()
        for kind, garbage in GARBAGE.items():
            between.instead[TOKEN] = garbage
            code, problem = await graph(door, session)
            assert (kind, code, problem["code"]) == (kind, 503, "temporarily_unavailable")
            door.entra.state.clock.move(timedelta(seconds=400))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 16 * MIB
        between.instead.clear()
        assert (await graph(door, session))[0] == 200


async def test_rel_004_garbage_for_a_code(portal: tuple[FrontDoor, Between]) -> None:
    """REL-004: a sign-in that meets it ends with a page that says so; no session begins, and the next one works."""
    door, between = portal
    for kind, garbage in GARBAGE.items():
        between.instead[TOKEN] = garbage
        browser: Browser = door.browser()
        await browser.open(f"{BASE}/private")
        page = await walk_through(browser)
        assert (kind, page.status) == (kind, 503)
        assert SESSION not in browser.jar.of(HOST)
        assert "Traceback" not in page.text
    between.instead.clear()
    await session_of(door)
    assert {event.name for event in door.events} == {"sign_in", "sign_in_failed"}
