"""`make demo` says what is wrong in one sentence, and never leaves half of itself behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from examples.supervisor import port_is_free
from tests.forked import SOURCES, Streams, start

NAMES = ("PORT", "EMULATOR_HTTP_PORT", "EMULATOR_HTTPS_PORT")


def free_ports() -> dict[str, str]:
    """Ports of this machine on which nothing listens, under the names that the demo reads."""
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in NAMES]
    ports = [str(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return dict(zip(NAMES, ports, strict=True))


def demo(folder: Path, *arguments: str, environment: Mapping[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "examples.run", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": SOURCES, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def refused(folder: Path, *arguments: str, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run it to its end; return how it ended and all that it said."""
    log = folder / "said"
    streams = Streams(out=log, err=log)
    inside = {**os.environ, "PYTHONPATH": SOURCES, **environment}
    status = start("examples.run", *arguments, environment=inside, cwd=folder, streams=streams).wait(60)
    return status, log.read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_port_that_is_taken_is_named_with_the_variable_to_set(name: str, tmp_path: Path) -> None:
    """Whose port it is and how to choose another; nothing is started."""
    ports = free_ports()
    with socket.create_server(("127.0.0.1", int(ports[name]))):
        _, said = refused(tmp_path, "auth_code_flow", environment=ports)
    another = int(ports[name]) + 1
    assert said == f"Port {ports[name]} is taken. Choose another with {name}, for example: {name}={another} make demo\n"
    assert not (tmp_path / ".entrada").exists()


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "8000 "])
def test_what_is_no_port_is_refused(text: str, tmp_path: Path) -> None:
    """The variable is named; no traceback."""
    told = refused(tmp_path, "auth_code_flow", environment={**free_ports(), "PORT": text})
    assert told == (1, "PORT must be a port number from 1 to 65535.\n")


@pytest.mark.parametrize("arguments", [(), ("unheard_of",), ("auth_code_flow", "more"), ("../run",)])
def test_only_examples_that_are_there_can_be_run(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Their names are said instead."""
    status, said = refused(tmp_path, *arguments, environment={})
    assert "python -m examples.run auth_code_flow" in said
    assert status == 2


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for the programs in /proc")
@pytest.mark.parametrize(("number", "name"), [(0, "The emulator"), (1, "The example auth_code_flow")])
def test_when_one_of_the_two_dies_it_is_said_and_the_other_is_stopped(number: int, name: str, tmp_path: Path) -> None:
    """Not zero, one sentence, and both ports free again."""
    ports = free_ports()
    with demo(tmp_path, "auth_code_flow", environment=ports) as running:
        try:
            assert running.stdout is not None
            assert any("Ctrl-C" in line for line in running.stdout)
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
            os.kill(int(children[number]), signal.SIGKILL)
            assert f"{name} has ended by itself (exit code -9)" in running.stdout.read()
        finally:
            running.terminate()
    assert running.returncode == 1
    assert all(port_is_free(int(port)) for port in ports.values())
