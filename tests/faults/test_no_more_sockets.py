"""REL-057: a process that may open no more files waits, serves who is connected, and is well again when it may."""

import asyncio
import resource
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.faults.workers import Worker, cluster

LEFT = 4  # files that may still be opened
CROWD = 30


def leave(worker: Worker, number: int | None) -> None:
    """Let the process open so many files more; None: as many as it likes."""
    assert worker.process
    pid, most = worker.process.pid, resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    used = max(int(each.name) for each in Path(f"/proc/{pid}/fd").iterdir()) + 1
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (most if number is None else used + number, most))


def answered(connection: socket.socket) -> bool:
    """Say whether a request gets an answer within a second; the server lets it wait, or hangs up."""
    connection.settimeout(1)
    try:
        connection.sendall(b"GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n")
        return bool(connection.recv(1))
    except OSError:
        return False


@pytest.mark.long
async def test_no_more_sockets(tmp_path: Path, entra_keys: tuple[SigningKey, ...]) -> None:
    """REL-057: no crash, no session lost, nobody signed out; service is back within ten seconds of the end."""
    with served(tmp_path / "emulator", keys=entra_keys) as entra, cluster(entra, tmp_path, workers=1) as running:
        (worker,) = running.workers
        await worker.ready()
        session = await running.sign_in()
        leave(worker, LEFT)
        with ExitStack() as crowd:
            waiting = [crowd.enter_context(socket.create_connection(("127.0.0.1", worker.port))) for _ in range(CROWD)]
            assert not await asyncio.to_thread(answered, waiting[-1])
            assert worker.process
            assert worker.process.poll() is None
        leave(worker, None)
        async with asyncio.timeout(10):
            assert (await running.ask(worker, session, path="/token")).status == 200
        assert worker.events() == []
