"""An example as `make demo` runs it, with the emulator beside it."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chromium.sites import free_ports
from tests.forked import SOURCES

PORT_NAMES = ("PORT", "EMULATOR_HTTP_PORT", "EMULATOR_HTTPS_PORT", "API_PORT")
Demo = tuple["subprocess.Popen[str]", dict[str, str]]


@pytest.fixture
def demo(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Demo]:
    """What the Makefile runs, in an empty folder, with ports of its own."""
    ports = dict(zip(PORT_NAMES, map(str, free_ports(len(PORT_NAMES))), strict=True))
    command = [sys.executable, "-u", "-m", "examples.run", getattr(request, "param", "auth_code_flow")]
    environment = {**os.environ, **ports, "PYTHONPATH": SOURCES, "ENTRADA_PROFILE": "production"}
    with started(command, cwd=tmp_path, environment=environment) as process:
        yield process, ports


@contextmanager
def started(command: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """Run a command until the block ends."""
    with subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def until_ready(process: "subprocess.Popen[str]") -> str:
    """Return what it said until it says how to stop it."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            return said
    raise AssertionError(f"it ended: {said}")
