"""REL-037, REL-038: what is missing or fails in the background is said to whoever watches, and comes back by itself."""

import asyncio
import logging
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.background import Chore, Chores
from entrada.errors import SettingsRefused
from entrada.keyring import KeyRing, generate
from tests.faults.invariants import visitor, watching
from tests.front_door import BASE, SESSION, FrontDoor, running
from tests.servers import RedisServer

HOST = "portal.birch.example"


async def ready(door: FrontDoor) -> tuple[int, dict[str, object]]:
    """Return what whoever watches is told."""
    answer = await door.raw("GET", f"{BASE}/ready")
    return answer.status_code, answer.json()


async def until_ready(door: FrontDoor, status: int, said: dict[str, object], *, within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while await ready(door) != (status, said):
            await asyncio.sleep(0.05)


async def test_an_exception_in_a_chore(caplog: pytest.LogCaptureFixture) -> None:
    """REL-038: it is logged with its traceback, named, tried again later and later, and forgotten when it works."""
    done: list[float] = []

    async def once() -> None:
        done.append(time.monotonic())
        if len(done) < 3:
            raise ZeroDivisionError("in a test")

    chores = Chores([Chore("dividing", timedelta(seconds=0.1), once)], chance=lambda: 0.0)
    with caplog.at_level(logging.ERROR):
        async with chores.going_on(), asyncio.timeout(30):
            while len(done) < 2:
                await asyncio.sleep(0.01)
            assert chores.failing == ("dividing",)
            while len(done) < 4:
                await asyncio.sleep(0.01)
            assert chores.failing == ()
    pauses = [later - earlier for earlier, later in pairwise(done)]
    assert pauses[0] > 0.7
    assert pauses[1] > 1.4
    failed = [record for record in caplog.records if "chore_failed" in record.getMessage()]
    assert len(failed) == 2
    assert all("dividing" in record.getMessage() for record in failed)


async def test_a_ring_that_is_no_ring(entra: Entra, tmp_path: Path) -> None:
    """REL-038, REL-076, I7: /ready names the keys while their file is spoilt; people go on; mended, it is taken up."""
    ring = tmp_path / "ring"
    ring.write_text(generate())
    async with running(entra, tmp_path / "data", keys_file=ring) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        good = KeyRing.parse(ring.read_text())
        async with watching([visitor(door)], living=[session]):
            assert await ready(door) == (200, {"status": "ready"})
            ring.write_text("half a r")
            await until_ready(door, 200, {"status": "ready", "failing": ["keys"]})
            await asyncio.sleep(1.5)  # it is not forgotten while it lasts
            assert await ready(door) == (200, {"status": "ready", "failing": ["keys"]})
            ring.write_text(good.with_waiting(KeyRing.parse(generate()).active).text())
            await until_ready(door, 200, {"status": "ready"})


async def test_no_keys(entra: Entra, tmp_path: Path) -> None:
    """REL-037: without the file of its keys no application starts, so none is ready; the refusal names it."""
    with pytest.raises(SettingsRefused, match="ring"):
        async with running(entra, tmp_path / "data", keys_file=tmp_path / "ring"):
            pass
    assert not (tmp_path / "ring").exists()


async def test_no_store(entra: Entra, tmp_path: Path) -> None:
    """REL-037, I6: started while its store is down: not ready, nobody let in; the store comes: ready, no restart."""
    server = RedisServer(tmp_path / "redis")
    async with running(entra, tmp_path / "app", store=server.url) as door, watching([visitor(door)]) as watch:
        assert (await ready(door))[0] == 503
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        server.start()
        await until_ready(door, 200, {"status": "ready"})
        watch.begins((await door.signed_in()).jar.of(HOST)[SESSION])
        await watch.recovered()
    server.kill()


async def test_no_authority(entra: Entra, tmp_path: Path) -> None:
    """REL-037, I6: started while the authority is away: not ready; ready by itself when it is there."""
    hosts: dict[str, object] = {"login.microsoftonline.com": None}
    async with running(entra, tmp_path, hosts=hosts) as door:
        assert (await ready(door))[0] == 503
        door.internet.hosts["login.microsoftonline.com"] = entra.app
        entra.state.clock.move(timedelta(minutes=1))
        await until_ready(door, 200, {"status": "ready"})
