"""REL-035: kill -9 at each step of a key rotation and of sealing anew: all opens with the ring; the command resumes."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL

import anyio
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.keyring import KeyRing, generate
from entrada.sessions.census import Census
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.resealing import BATCH
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from tests.contracts.test_sessions import ADA
from tests.faults.invariants import assert_nothing_half_made, visitor, watching
from tests.faults.points import (
    AFTER_THE_RING_IS_REPLACED,
    BEFORE_A_SESSION_IS_SEALED_ANEW,
    BEFORE_THE_RING_IS_REPLACED,
    BEFORE_THE_RING_IS_WRITTEN,
    arm,
)
from tests.forked import ROOT, SOURCES, Streams, start
from tests.front_door import SESSION, running
from tests.taken_up import taken_up

HOST = "portal.birch.example"


@dataclass(frozen=True)
class Keys:
    """The command `entrada keys` on one ring and one store, which can be killed on its way."""

    folder: Path

    @property
    def ring(self) -> Path:
        return self.folder / "ring"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def read(self) -> KeyRing:
        return KeyRing.parse(self.ring.read_text())

    def rested(self) -> None:
        """Let the ring be a minute older."""
        os.utime(self.ring, (time.time() - 61, time.time() - 61))

    async def run(self, *arguments: str, killed_at: str | None = None, after: int = 0) -> str:
        """Run the command to its end, or to this point; return what it said."""
        points = self.folder / "points"
        if killed_at:
            arm(points, killed_at, SIGKILL, after=after)
        status, said = await anyio.to_thread.run_sync(lambda: self._run(arguments, points))
        assert status == (-SIGKILL if killed_at else 0), said
        return said

    async def whole(self, entra: Entra) -> Census:
        """Return what the store holds, of which every record and every token opens with the ring."""
        now = entra.state.clock.now
        return await assert_nothing_half_made("sqlite:", data_dir=self.data, keys=self.ring, clock=now)

    def _run(self, arguments: tuple[str, ...], points: Path) -> tuple[int, str]:
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": SOURCES,
            "AZURE_TENANT_ID": "contoso.com",
            "AZURE_CLIENT_ID": "portal",
            "ENTRADA_KEYS_FILE": str(self.ring),
            "ENTRADA_DATA_DIR": str(self.data),
            "FAULTS_POINTS": str(points),
        }
        said = self.folder / "said"
        said.write_text("")
        streams = Streams(out=said, err=said)
        process = start(
            "tests.faults.armed_command", "keys", *arguments, environment=environment, cwd=ROOT, streams=streams
        )
        return process.wait(60), said.read_text()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    """The command with a ring of one key."""
    made = Keys(tmp_path)
    made.ring.write_text(generate())
    made.ring.chmod(0o600)
    return made


async def test_at_each_step_of_a_rotation(entra: Entra, keys: Keys) -> None:
    """REL-035, I1, I7: the ring is the old one or the new one; people go on; run again, the command goes on."""
    async with running(entra, keys.data, keys_file=keys.ring, store="sqlite:") as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        async with watching([visitor(door)], living=[session]) as watch:
            old = keys.read()
            await keys.run("rotate", killed_at=BEFORE_THE_RING_IS_REPLACED)
            assert keys.read() == old
            (left,) = keys.folder.glob(".ring.*")  # for its owner only, and not for long
            assert left.stat().st_mode & 0o077 == 0
            os.utime(left, (time.time() - 7200, time.time() - 7200))
            await keys.run("rotate", killed_at=AFTER_THE_RING_IS_REPLACED, after=1)
            assert keys.read().waiting
            assert list(keys.folder.glob(".ring.*")) == []
            keys.rested()
            await keys.run("rotate", killed_at=BEFORE_THE_RING_IS_WRITTEN)
            assert keys.read().active == old.active
            await keys.run("rotate")
            assert keys.read().active != old.active
            watch.begins((await door.signed_in("ada@birch.example")).jar.of(HOST)[SESSION])
            await watch.recovered()
        assert (await keys.whole(entra)).found.total() == 2


async def begun(keys: Keys, entra: Entra, *, so_many: int) -> list[str]:
    """Begin sessions in the store, with the ring as it is; return their ids."""
    now = entra.state.clock.now
    store = open_store("sqlite:", data_dir=keys.data, clock=now)
    sessions = Sessions(store, sealer=Sealer(keys.read()), ring=keys.read(), clock=now)
    ids = [(await sessions.begin(ADA, tokens=b"tokens"))[0] for _ in range(so_many)]
    await store.close()
    return ids


async def test_in_the_middle_of_sealing_anew(entra: Entra, keys: Keys, caplog: pytest.LogCaptureFixture) -> None:
    """REL-035, I2, I7: some are under the new key, some under the old: all open; run again, all are under the new."""
    async with running(entra, keys.data, keys_file=keys.ring, store="sqlite:") as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        others = await begun(keys, entra, so_many=BATCH + 50)
        async with watching([visitor(door)], living=[session, *others[::50]]) as watch:
            anew = KeyRing.parse(generate()).active
            keys.ring.write_text(keys.read().with_waiting(anew).promoted().text())
            await taken_up(caplog)
            await keys.run("reseal", killed_at=BEFORE_A_SESSION_IS_SEALED_ANEW, after=BATCH + 20)
            half = await keys.whole(entra)
            assert half.tokens[anew.id] == BATCH
            assert half.tokens.total() == len(others) + 1
            await keys.run("reseal")
            whole = await keys.whole(entra)
            assert whole.to_reseal(anew.id) == (0, 0)
            assert whole.found.total() == len(others) + 1
            await watch.recovered()
