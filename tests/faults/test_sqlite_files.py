"""SQLite on a disk that is full, and copied under load: what was acknowledged is there, and the files are whole."""

import asyncio
import resource
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.sessions.stores.opening import open_store
from tests.faults.invariants import assert_nothing_half_made
from tests.faults.test_background_fails import until_ready
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.meanwhile import meanwhile

HOST = "portal.birch.example"
FILES = ("sessions.db", "entrada.db")


@contextmanager
def full_disk(folder: Path, *, room: int) -> Iterator[None]:
    """Let no file of this process grow beyond the largest database file and so many bytes more, as a quota does."""
    largest = max(file.stat().st_size for file in folder.iterdir())
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest + room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def check(folder: Path) -> dict[str, str]:
    """Return what SQLite finds in each file."""
    found = {}
    for name in FILES:
        with closing(sqlite3.connect(folder / name)) as connection:
            found[name] = connection.execute("PRAGMA integrity_check").fetchone()[0]
    return found


async def fill(door: FrontDoor) -> tuple[list[str], int]:
    """Sign people in until nobody can; return the sessions that were handed out, and the last status."""
    sessions = []
    for _ in range(200):
        browser = await door.signed_in()
        if SESSION not in browser.jar.of(HOST):
            return sessions, browser.page.status
        sessions.append(browser.jar.of(HOST)[SESSION])
    raise AssertionError("the disk is never full")


async def fill_sessions(data: Path, clock: Clock) -> None:
    """Write as little at a time as can be, until nothing fits: who cannot sign in may lack room for people only."""
    store = open_store("sqlite:", data_dir=data, clock=clock)
    try:
        for number in range(1000):
            await store.add_if_absent(number.to_bytes(32), lifetime=timedelta(hours=1))
    except StoreUnavailable:
        return
    finally:
        await store.close()
    raise AssertionError("the disk is never full")


@pytest.mark.parametrize("room", [0, 60_000])
async def test_the_disk_is_full(entra: Entra, tmp_path: Path, room: int) -> None:
    """REL-025: sign-ins are 503, who is in stays in, the files stay whole, and all goes on once there is room."""
    data = tmp_path / "data"
    async with running(entra, data, store="sqlite:", most_sessions=1000) as door:
        before = (await door.signed_in()).jar.of(HOST)[SESSION]
        with full_disk(data, room=room):
            handed_out, status = await fill(door)
            assert status == 503
            assert [await door.reuse(session) for session in (before, *handed_out)] == [200] * (len(handed_out) + 1)
        assert check(data) == dict.fromkeys(FILES, "ok")
        after = await door.signed_in()
        assert after.page.status == 200
        assert await door.reuse(before) == 200
    async with running(entra, data, store="sqlite:", most_sessions=1000) as again:
        for session in (before, after.jar.of(HOST)[SESSION], *handed_out):
            assert await again.reuse(session) == 200
    await assert_nothing_half_made("sqlite:", data_dir=data, clock=entra.state.clock.now)


async def test_a_sign_out_on_a_full_disk(entra: Entra, tmp_path: Path) -> None:
    """REL-025, BEY-8: what could not be written is not said to be done, and is when there is room; /ready names it."""
    data = tmp_path / "data"
    async with running(entra, data, store="sqlite:", token_refresh_check_interval_secs=1) as door:
        browser = await door.signed_in()
        session = browser.jar.of(HOST)[SESSION]
        with full_disk(data, room=0):
            await fill_sessions(data, entra.state.clock.now)
            answer = await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})
            assert (answer.status_code, answer.json()["ended"]["here"]) == (503, False)
            assert await door.reuse(session) == 200
            await until_ready(door, 200, {"status": "ready", "failing": ["renewal"]})
        again = await door.browser().fetch(
            f"{AUTH}/logout", method="POST", headers={"x-csrf": "1", "cookie": f"{SESSION}={session}"}
        )
        assert again.status_code == 200
        assert await door.reuse(session) == 401


async def test_a_backup_under_load(entra: Entra, tmp_path: Path) -> None:
    """REL-028: a copy taken while people sign in and out is whole; its sessions and tokens open with the ring."""
    data, restored = tmp_path / "data", tmp_path / "restored"
    async with running(entra, data, store="sqlite:", most_sessions=1000) as door:
        early = (await door.signed_in()).jar.of(HOST)[SESSION]
        restored.mkdir(mode=0o700)
        seen = len(door.events)
        async with meanwhile(come_and_go(door)):
            while len(door.events) < seen + 10:
                for name in FILES:
                    await asyncio.to_thread(copy, data / name, restored / name)
    (restored / "keys").write_bytes((data / "keys").read_bytes())
    (restored / "keys").chmod(0o600)
    assert check(restored) == dict.fromkeys(FILES, "ok")
    await assert_nothing_half_made("sqlite:", data_dir=restored, clock=entra.state.clock.now)
    async with running(entra, restored, store="sqlite:") as door:
        answer = await door.browser().fetch(f"{BASE}/graph", headers={"cookie": f"{SESSION}={early}"})
        assert answer.json()["name"] == "Mia Member"


async def come_and_go(door: FrontDoor) -> None:
    """Sign people in and out, without end."""
    while True:
        browser = await door.signed_in("ada@birch.example")
        await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})


def copy(source: Path, target: Path) -> None:
    """Copy a database that is in use, as docs/stores.md says."""
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
