"""The users' database is down: nobody signs in, whoever is in goes on, and whoever watches is told; back by itself."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.attacks.test_state import stopped_at_callback
from tests.faults.invariants import visitor, watching
from tests.faults.test_background_fails import ready
from tests.front_door import SESSION, FrontDoor, running
from tests.servers import PostgresServer, postgres_server

HOST = "portal.birch.example"
WELL = {"status": "ready"}


@dataclass(frozen=True, slots=True)
class Users:
    """An application whose people are in a database of their own, and how that goes away and comes back."""

    door: FrontDoor
    down: Callable[[], object]
    up: Callable[[], object]


def away(file: Path) -> Path:
    """Return where a file is while it is not there."""
    return file.with_suffix(".away")


def kinds(kind: str, folder: Path, stack: ExitStack) -> tuple[str | None, Callable[[], object], Callable[[], object]]:
    """Return the setting of this kind, what takes it away, and what brings it back."""
    if kind == "postgresql":
        server: PostgresServer = stack.enter_context(postgres_server())
        return server.url, server.kill, server.start
    file = folder / "app" / "entrada.db"
    return None, lambda: shutil.move(file, away(file)), lambda: shutil.move(away(file), file)


@pytest.fixture(params=["sqlite", "postgresql"])
async def people(request: pytest.FixtureRequest, entra: Entra, tmp_path: Path) -> AsyncIterator[Users]:
    """The small application; its sessions are elsewhere than its people."""
    with ExitStack() as stack:
        url, down, up = kinds(request.param, tmp_path, stack)
        async with running(entra, tmp_path / "app", store="sqlite:", database_url=url) as door:
            yield Users(door, down, up)


async def until_named(door: FrontDoor, *, failing: bool) -> None:
    """Wait until /ready names the database, or does not; it may name a chore that met it while it was down as well."""
    async with asyncio.timeout(60):
        while True:
            status, said = await ready(door)
            assert status == 200
            if ("users" in said.get("failing", [])) is failing:
                return
            await asyncio.sleep(0.05)


async def test_down_and_back(people: Users, caplog: pytest.LogCaptureFixture) -> None:
    """REL-020, REL-026, SEC-179, I6, I7: who is in stays in; sign-in is 503 and leaves nothing; /ready names it."""
    door = people.door
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    coming, url = await stopped_at_callback(door)
    assert await ready(door) == (200, WELL)
    async with watching([visitor(door)], living=[session]) as watch:
        await asyncio.to_thread(people.down)
        with caplog.at_level(logging.WARNING):
            await until_named(door, failing=True)
        assert "users_database_not_reached" in caplog.text
        assert "postgresql://" not in caplog.text
        served = watch.answers[200]
        page = await coming.open(url)
        assert page.status == 503
        assert int(page.headers["retry-after"]) > 0
        assert SESSION not in coming.jar.of(HOST)
        async with asyncio.timeout(60):
            while watch.answers[200] < served + 5:
                await asyncio.sleep(0.02)
        assert watch.answers[503] == 0
        await asyncio.to_thread(people.up)
        await until_named(door, failing=False)
        watch.begins((await door.signed_in("ada@birch.example")).jar.of(HOST)[SESSION])
        await watch.recovered()
