"""REL-073: SIGTERM to a worker that is run as documented: not ready, finished, gone with status 0; nobody notices."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from signal import SIGCONT, SIGSTOP, SIGTERM

import httpx2
import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.chromium.sites import free_ports
from tests.faults.invariants import assert_one_renewal_each, watching
from tests.faults.workers import Cluster, Worker, cluster
from tests.forked import ROOT, SOURCES

DRAIN = 3.0
TO_EXPIRE = timedelta(minutes=100)


@pytest.fixture(scope="module")
async def pair(tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]) -> AsyncIterator[Cluster]:
    """Two workers under `entrada serve`."""
    folder: Path = tmp_path_factory.mktemp("pair")
    with served(folder / "emulator", keys=entra_keys) as entra, cluster(entra, folder, workers=2, drain=DRAIN) as pair:
        for worker in pair.workers:
            await worker.ready()
        yield pair


async def readiness(worker: Worker) -> tuple[int, str]:
    """Return what a load balancer sees, over a connection of its own."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{worker.url}/ready")
        return answer.status_code, answer.json()["status"]


async def stopping(worker: Worker) -> bool:
    """Wait, for less than it drains, until a load balancer would know."""
    async with asyncio.timeout(DRAIN):
        while (seen := await readiness(worker)) != (503, "stopping"):
            assert seen == (200, "ready")
            await asyncio.sleep(0.05)
    return True


async def lets_go(worker: Worker) -> bool:
    """Say whether its answer ends the connection that it came on."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        return (await client.get(f"{worker.url}/health")).headers.get("connection") == "close"


async def heard_at_the_door(worker: Worker) -> bytes:
    """Come in while it drains, ask when it takes nobody any more, and return the first line of its answer."""
    reader, writer = await come_to(worker)
    with suppress(ConnectionRefusedError):
        while True:
            (await come_to(worker))[1].close()
            await asyncio.sleep(0.02)
    return await asked(worker, reader, writer)


async def come_to(worker: Worker) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", worker.port)


async def asked(worker: Worker, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Ask, and return the first line of the answer; nothing, when there is none."""
    writer.write(f"GET /health HTTP/1.1\r\nHost: localhost:{worker.port}\r\n\r\n".encode())
    try:
        return await reader.readline()
    finally:
        writer.close()


async def test_under_load(pair: Cluster) -> None:
    """REL-073, I1, I3, I6, I7: it drains, requests and renewals under way finish, the exit status is 0."""
    first, second = pair.workers
    pair.entra.state.refresh_tokens.semantics = "strict"
    session, living = await pair.sign_in(), await pair.sign_in("ada@birch.example")
    pair.renewals()
    pair.move_clock(TO_EXPIRE)
    pair.entra.state.faults.add(Fault(endpoint="token", kind="latency", seconds=2.0))
    async with watching([pair.visit(first), pair.visit(second)], living=[living]) as watch:
        renewing = [asyncio.create_task(pair.ask(second, session)) for _ in range(5)]
        slow = asyncio.create_task(pair.ask(second, living, path="/slow?seconds=3"))
        await asyncio.sleep(0.7)
        told = time.monotonic()
        second.send(SIGTERM)
        assert await stopping(second)
        assert (await lets_go(first), await lets_go(second)) == (False, True)
        assert (await pair.ask(second, living, path="/who")).status == 200  # whoever still comes is served
        assert await readiness(first) == (200, "ready")
        late = asyncio.create_task(heard_at_the_door(second))
        assert {(await one).status for one in [*renewing, slow]} == {200}
        assert await late == b"HTTP/1.1 200 OK\r\n"
        assert await second.dead(within=40) == 0
        assert DRAIN <= time.monotonic() - told < 30
        second.start()
        await watch.recovered(within=60)  # with a start of Python on a busy machine
    assert (await pair.ask(first, session)).body == {"source": "cache"}
    assert pair.renewals() == 1
    assert_one_renewal_each(pair.entra)
    assert "Traceback" not in second.log.read_text()


@pytest.mark.long
async def test_who_waits_at_the_door_is_let_in(pair: Cluster) -> None:
    """REL-073: what the system has taken, and the process not yet, when its time is over: it was at something else."""
    second = pair.workers[1]
    await second.ready()
    until = time.monotonic() + DRAIN + 0.5
    second.send(SIGTERM)
    assert await stopping(second)
    second.send(SIGSTOP)
    await second.stopped()
    answer = asyncio.create_task(asked(second, *await come_to(second)))
    await asyncio.sleep(until - time.monotonic())
    second.send(SIGCONT)
    assert await answer == b"HTTP/1.1 200 OK\r\n"
    assert await second.dead(within=40) == 0
    second.start()


@pytest.mark.long
async def test_what_does_not_finish(pair: Cluster) -> None:
    """REL-073: a request that takes longer than thirty seconds is given up; the exit status is 0 all the same."""
    first, second = pair.workers
    await second.ready()
    session = await pair.sign_in()
    endless = asyncio.create_task(pair.ask(second, session, path="/slow?seconds=50"))
    await asyncio.sleep(1)
    told = time.monotonic()
    second.send(SIGTERM)
    assert await second.dead(within=50) == 0
    assert 29 < time.monotonic() - told < 30 + DRAIN + 6
    endless.cancel()
    await asyncio.wait([endless])
    assert (await pair.ask(first, session, path="/who")).status == 200


def serve(*arguments: str, **environment: str) -> tuple[int, str]:
    """Run `entrada serve` and return its exit status and what it said."""
    done = subprocess.run(
        [sys.executable, "-m", "entrada.cli", "serve", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": SOURCES, **environment},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_settings_that_are_missing() -> None:
    """REL-037: what is missing is said in a sentence, without a traceback, and the status is not 0."""
    code, said = serve("examples.auth_code_flow.app:app", "--port", str(free_ports(1)[0]))
    assert code == 1
    assert "client_id" in said
    assert "Traceback" not in said
