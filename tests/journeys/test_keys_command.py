"""Keys are made, rotated and looked after with one command, and nobody is signed out."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.keyring import KeyRing, generate
from tests.browser import Browser
from tests.command import begin
from tests.forked import ROOT
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.processes import SOURCES
from tests.taken_up import taken_up

SETTINGS = {"AZURE_TENANT_ID": "contoso.com", "AZURE_CLIENT_ID": "portal"}


def keys(*arguments: str, code: int = 0, **environment: str) -> str:
    """Run `entrada keys …` and return what it printed to both ends."""
    done = begin("keys", *arguments, cwd=ROOT, **{**SETTINGS, **environment}).done()
    assert done.code == code, done.said
    return done.said


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """A file with a ring of one key."""
    path = tmp_path / "ring"
    path.write_text(generate())
    path.chmod(0o600)
    return path


def after_a_minute(path: Path) -> None:
    """Let the file be a minute older."""
    os.utime(path, (time.time() - 61, time.time() - 61))


def test_generate_prints_a_key_that_is_taken() -> None:
    """One line, which is a ring of one key."""
    assert len(KeyRing.parse(keys("generate")).keys) == 1


def test_a_rotation_takes_two_steps_and_prints_no_secret(ring: Path) -> None:
    """First the new key waits, then it is active; the old one still opens. The file stays its owner's (SEC-173)."""
    before = KeyRing.parse(ring.read_text())
    said = keys("rotate", "--file", str(ring))
    waiting = KeyRing.parse(ring.read_text())
    assert waiting.active == before.active
    assert waiting.waiting
    after_a_minute(ring)
    said += keys("rotate", "--file", str(ring)) + keys("status", ENTRADA_KEYS_FILE=str(ring))
    rotated = KeyRing.parse(ring.read_text())
    assert [key.id for key in rotated.keys] == [waiting.waiting.id, before.active.id]
    assert stat.S_IMODE(ring.stat().st_mode) == 0o600
    assert [file.name for file in ring.parent.iterdir()] == ["ring"]
    for line in rotated.text().splitlines():
        assert line.partition(":")[2] not in said


def test_a_key_is_not_made_active_before_workers_can_know_it(ring: Path) -> None:
    """Within a minute the second step is refused, and nothing changes."""
    keys("rotate", "--file", str(ring))
    waiting = ring.read_text()
    assert "has not waited long enough" in keys("rotate", "--file", str(ring), code=1)
    assert ring.read_text() == waiting


def test_rotations_at_the_same_time_take_one_step_each(ring: Path) -> None:
    """Two who rotate at once do not lose a key: the second finds the first one's key waiting (REL-035)."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "entrada.cli", "keys", "rotate", "--file", str(ring)],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for _ in range(4)
    ]
    for run in runs:
        run.communicate(timeout=60)
    assert sorted(run.returncode for run in runs) == [0, 1, 1, 1]
    assert len(KeyRing.parse(ring.read_text()).keys) == 2


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        (("rotate",), {"ENTRADA_KEYS": "KEY"}, "the ring is in ENTRADA_KEYS, which cannot be written from here"),
        (("rotate", "--file", "nowhere"), {}, "nowhere is not a file; make one with `entrada keys generate`"),
        (("status",), {"AZURE_CLIENT_ID": ""}, "client_id: missing"),
        (("drop", "nobody"), {"ENTRADA_KEYS_FILE": "RING"}, "nobody is not in"),
        (("drop", "ACTIVE"), {"ENTRADA_KEYS_FILE": "RING"}, "the active key stays; rotate first"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: tuple[str, ...], environment: dict[str, str], said: str, ring: Path
) -> None:
    """Each refusal is one line with its mend, and the ring stays as it was."""
    text = ring.read_text()
    known = {"KEY": text, "RING": str(ring), "ACTIVE": KeyRing.parse(text).active.id}
    given = {name: known.get(value, value) for name, value in environment.items()}
    printed = keys(*(known.get(each, each) for each in arguments), code=1, **given)
    assert said in printed
    assert "Traceback" not in printed
    assert ring.read_text() == text


async def test_a_key_that_nobody_needs_is_dropped(
    entra: Entra, tmp_path: Path, ring: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """When the last session that the old key finds has ended, the key goes, and the status says so."""
    environment = {"ENTRADA_KEYS_FILE": str(ring), "ENTRADA_DATA_DIR": str(tmp_path / "data")}
    old = KeyRing.parse(ring.read_text()).active
    async with running(entra, tmp_path / "data", keys_file=ring, store="sqlite:") as door:
        mia = await door.signed_in()
        ring.write_text(
            KeyRing.parse(ring.read_text()).with_waiting(KeyRing.parse(generate()).active).promoted().text()
        )
        await taken_up(caplog)
        shown = await anyio.to_thread.run_sync(lambda: keys("status", **environment))
        assert "left to re-seal: 1 records (by their next use), 1 tokens (by their next renewal)" in shown
        sealed = await anyio.to_thread.run_sync(lambda: keys("reseal", **environment))
        assert "1 sessions: 1 records and 1 tokens sealed anew" in sealed
        assert "left to re-seal: nothing" in sealed
        assert "until 2" in sealed
        assert "0 records and 0 tokens" in await anyio.to_thread.run_sync(lambda: keys("reseal", **environment))
        assert (await mia.open(f"{BASE}/graph")).status == 200
        refused = await anyio.to_thread.run_sync(lambda: keys("drop", old.id, code=1, **environment))
        assert "sessions need it" in refused
        await mia.open(f"{BASE}/private")
        await mia.press("Sign out")
        shown = await anyio.to_thread.run_sync(lambda: keys("status", **environment))
        assert f"no longer: `entrada keys drop {old.id}`" in shown
        await anyio.to_thread.run_sync(lambda: keys("drop", old.id, **environment))
        assert [key.id for key in KeyRing.parse(ring.read_text()).keys] != [old.id]
        assert old.id not in ring.read_text()


async def test_a_key_is_dropped_by_force(
    entra: Entra, tmp_path: Path, ring: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With --force it goes at once, and whoever needs it signs in again: 401, and no error."""
    environment = {"ENTRADA_KEYS_FILE": str(ring), "ENTRADA_DATA_DIR": str(tmp_path / "data")}
    old = KeyRing.parse(ring.read_text()).active
    async with running(entra, tmp_path / "data", keys_file=ring, store="sqlite:") as door:
        session = (await door.signed_in()).jar.of("portal.birch.example")[SESSION]
        ring.write_text(
            KeyRing.parse(ring.read_text()).with_waiting(KeyRing.parse(generate()).active).promoted().text()
        )
        await taken_up(caplog)
        await anyio.to_thread.run_sync(lambda: keys("drop", old.id, code=1, **environment))
        await anyio.to_thread.run_sync(lambda: keys("drop", old.id, "--force", **environment))
        assert old.id not in ring.read_text()
        await taken_up(caplog, times=2)
        assert await door.reuse(session) == 401


def test_there_must_be_something_to_seal_anew(ring: Path, tmp_path: Path) -> None:
    """A store in memory, or one that nobody has made yet, is refused, and no file is made."""
    for store in ("memory:", "sqlite:"):
        environment = {"ENTRADA_STORE": store, "ENTRADA_DATA_DIR": str(tmp_path / "data")}
        said = keys("reseal", code=1, ENTRADA_KEYS_FILE=str(ring), **environment)
        assert "nothing that could be sealed anew" in said
    assert not (tmp_path / "data").exists()


def test_a_missing_package_is_said_plainly() -> None:
    """Without typer the command names the extra that brings it."""
    source = "import sys; sys.modules['typer'] = None; from entrada.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={"PYTHONPATH": SOURCES},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == 'The command line needs one more package: pip install "entrada[cli]"\n'


async def test_a_rotation_under_load_signs_nobody_out(
    entra: Entra, tmp_path: Path, ring: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Two workers take the ring up while people use them: each request is answered, each form accepted (REL-035)."""
    data = tmp_path / "data"
    values = {"keys_file": ring, "store": "sqlite:"}
    async with running(entra, data, **values) as one, running(entra, data, **values) as other:
        mia, ada = await one.signed_in(), await other.signed_in("ada@birch.example")
        people = [(mia, one), (mia, other), (ada, one), (ada, other)]
        environment = {"ENTRADA_KEYS_FILE": str(ring), "ENTRADA_DATA_DIR": str(data)}
        async with anyio.create_task_group() as crowd:
            stop = anyio.Event()
            for browser, door in people:
                crowd.start_soon(use, browser, door, stop)
            old = KeyRing.parse(ring.read_text()).active.id
            for rotations in (1, 2):
                await anyio.to_thread.run_sync(lambda: keys("rotate", "--file", str(ring)))
                await taken_up(caplog, times=2 * rotations)
                after_a_minute(ring)
            stop.set()
        assert KeyRing.parse(ring.read_text()).active.id != old
        await one.signed_in("greta@birch.example")
        shown = await anyio.to_thread.run_sync(lambda: keys("status", **environment))
        assert [line.split()[1:3] for line in shown.splitlines()[2:4]] == [["active", "1"], ["old", "2"]]
        refused = await anyio.to_thread.run_sync(lambda: keys("drop", old, code=1, **environment))
        assert "sessions need it" in refused


async def use(browser: Browser, door: FrontDoor, stop: anyio.Event) -> None:
    """Open a page of this worker and send its form, over and over, with the cookies of one browser."""
    mine = Browser(door.internet)
    mine.jar = browser.jar
    while not stop.is_set():
        page = await mine.open("https://portal.birch.example/private")
        assert (page.status, page.title) == (200, "Private")
        saved = await mine.press("Save", text="a note")
        assert saved.status == 200
        assert (await mine.fetch(f"{AUTH}/me")).status_code == 200
        await anyio.sleep(0.02)
