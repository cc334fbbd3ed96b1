"""Programs that belong together start in turn, and end together."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from examples.supervisor import NotRunning, Program, Supervisor, port_is_free

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def file_server(name: str, port: int) -> Program:
    """A real server from the standard library: it answers 200 once it listens, and ends on SIGTERM."""
    command = (sys.executable, "-m", "http.server", "--bind", "127.0.0.1", str(port))
    return Program(name, command, os.environ, ready=f"http://127.0.0.1:{port}/")


def script(name: str, code: str) -> Program:
    return Program(name, (sys.executable, "-c", code), os.environ, ready="http://127.0.0.1:9/")


async def test_started_means_ready_and_left_means_ended() -> None:
    """After `start` the address answers; after the context nobody listens there any more."""
    port = free_port()
    async with Supervisor() as supervisor:
        await supervisor.start(file_server("The server", port))
        assert not port_is_free(port)
    assert port_is_free(port)


async def test_a_program_that_ends_before_it_is_ready_is_named_with_its_exit_code() -> None:
    """What did not start is said, at once rather than after the time limit."""
    async with Supervisor() as supervisor:
        with pytest.raises(NotRunning, match=r"The broken one has ended by itself \(exit code 3\)"):
            await supervisor.start(script("The broken one", "raise SystemExit(3)"))


async def test_when_one_program_ends_by_itself_the_other_is_ended_too() -> None:
    """Half a demonstration does not stay behind."""
    port = free_port()
    with pytest.raises(NotRunning, match="The short one has ended"):
        async with Supervisor() as supervisor:
            await supervisor.start(file_server("The server", port))
            await supervisor.start(script("The short one", "import time; time.sleep(0.2)"))
    assert port_is_free(port)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_and_the_exit_code_is_0(number: signal.Signals) -> None:
    """Ctrl-C, a system that shuts down and a closed terminal all leave nothing behind."""
    port = free_port()
    code = f"""
import asyncio
from examples.supervisor import AskedToStop, Supervisor
from tests.examples.test_supervisor import file_server
async def main():
    try:
        async with Supervisor() as supervisor:
            await supervisor.start(file_server("The server", {port}))
            print("ready")
            await supervisor.wait()
    except AskedToStop:
        print("stopped")
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-u", "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert any(line == "ready\n" for line in running.stdout)
        running.send_signal(number)
        assert running.stdout.read().endswith("stopped\n")
    assert running.returncode == 0
    assert port_is_free(port)


async def test_a_port_in_use_on_either_address_of_localhost_is_not_free() -> None:
    """A browser may take ::1 or 127.0.0.1: both must be ours."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert not await asyncio.to_thread(port_is_free, taken.getsockname()[1])
