"""REL-072: workers of two steps of a key rotation side by side, as real processes, in both orders and back."""

from pathlib import Path

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from entrada.keyring import KeyRing, generate
from tests.faults.workers import Cluster, cluster


async def all_work(running: Cluster, sessions: list[str]) -> None:
    """Ask with each session at each worker, and with a new one."""
    sessions.append(await running.sign_in())
    for worker in running.workers:
        assert [(await running.ask(worker, each, path="/who")).status for each in sessions] == [200] * len(sessions)
        assert (await running.ask(worker, sessions[0])).status == 200


@pytest.mark.long
@pytest.mark.parametrize("order", [1, -1])
async def test_a_rotation_deployed_worker_by_worker(
    tmp_path: Path, entra_keys: tuple[SigningKey, ...], order: int
) -> None:
    """Each reads what the other writes, nobody is signed out, and a step can be taken back (REL-072)."""
    before = KeyRing.parse(generate())
    waiting = before.with_waiting(KeyRing.parse(generate()).active)
    with (
        served(tmp_path / "emulator", keys=entra_keys) as entra,
        cluster(entra, tmp_path, workers=2, ENTRADA_KEYS=before.text()) as running,
    ):
        for worker in running.workers:
            await worker.ready()
        sessions: list[str] = []
        await all_work(running, sessions)
        for ring in (waiting, waiting.promoted(), waiting):
            for worker in running.workers[::order]:
                worker.end()
                worker.environment["ENTRADA_KEYS"] = ring.text()
                worker.start()
                await worker.ready()
                await all_work(running, sessions)
