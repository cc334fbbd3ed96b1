"""REL-045: many sessions' tokens are due in the same minute; the authority hears of each once, a few at a time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import FrontDoor, running
from tests.journeys.test_tokens import graph

SESSIONS = 60
BUDGET = 10  # renewals ahead at a time, of all workers together
SETTINGS = {
    "store": "sqlite:",
    "token_refresh_check_interval_secs": 1,
    "session_idle_minutes": 600,
    "most_sessions": 1000,
}
PATIENCE = 90.0  # seconds, on a machine that has other things to do


@dataclass(slots=True)
class Watched:
    """The authority, and how many ask its token endpoint at the same time."""

    app: Any
    now: int = 0
    most: int = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        asked = scope["type"] == "http" and scope["path"].endswith("/token")
        self.now += asked
        self.most = max(self.most, self.now)
        try:
            await self.app(scope, receive, send)
        finally:
            self.now -= asked


@asynccontextmanager
async def two_workers(entra: Entra, folder: Path, watched: Watched) -> AsyncIterator[list[FrontDoor]]:
    """Two workers on one SQLite file, both looking for what is due every second."""
    hosts = {"login.microsoftonline.com": watched}
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(entra, folder, hosts=hosts, **SETTINGS)) for _ in range(2)]


def renewals(entra: Entra) -> Counter[str]:
    """Return how often the authority was asked with each refresh token."""
    asked = [one.form for one in entra.state.recorder.requests("token") if "refresh_token" in one.form]
    return Counter(form["refresh_token"] for form in asked)


async def quiet(entra: Entra, *, at_least: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while renewals(entra).total() < at_least:
            await asyncio.sleep(0.1)
    await asyncio.sleep(2.5)  # more rounds of both workers, which must find nothing


async def test_each_is_renewed_once_and_never_too_many_at_a_time(entra: Entra, tmp_path: Path) -> None:
    """REL-045, SEC-111: each session once, within the budget, by whichever worker; requests are answered meanwhile."""
    watched = Watched(entra.app)
    entra.state.refresh_tokens.semantics = "strict"
    async with two_workers(entra, tmp_path, watched) as doors:
        ids = [await doors[number % 2].admitted() for number in range(SESSIONS)]
        watched.most = 0
        entra.state.faults.add(Fault(endpoint="token", kind="latency", seconds=0.1, times=10_000))
        entra.state.clock.move(timedelta(minutes=91))
        statuses: Counter[int] = Counter()
        storm = asyncio.create_task(quiet(entra, at_least=SESSIONS))
        while not storm.done():
            statuses[await doors[0].reuse(ids[statuses.total() % SESSIONS])] += 1
            await asyncio.sleep(0.01)
        await storm
        asked = renewals(entra)
        assert (len(asked), asked.total()) == (SESSIONS, SESSIONS)
        assert 1 < watched.most <= BUDGET
        assert statuses.total() > SESSIONS / BUDGET
        assert set(statuses) == {200}
        answers = [await graph(doors[1], session_id) for session_id in ids]
        assert Counter(body["source"] for _, body in answers) == {"cache": SESSIONS}
        assert {event.name for door in doors for event in door.events} == {"sign_in"}
