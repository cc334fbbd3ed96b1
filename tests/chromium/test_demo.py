"""`make demo`: one command, two programs, a person in and out, Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from entrada_emulator.seeds import PASSWORD

from examples.supervisor import port_is_free
from tests.chromium.launch import chromium_at
from tests.chromium.sites import SOURCES, free_ports
from tests.chromium.visitor import Visitor

PORT_NAMES = ("PORT", "EMULATOR_HTTP_PORT", "EMULATOR_HTTPS_PORT")
Demo = tuple["subprocess.Popen[str]", dict[str, str]]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    """What the Makefile runs, in an empty folder, with ports of its own."""
    ports = dict(zip(PORT_NAMES, map(str, free_ports(3)), strict=True))
    command = [sys.executable, "-u", "-m", "examples.run", "auth_code_flow"]
    environment = {**os.environ, **ports, "PYTHONPATH": SOURCES, "ENTRADA_PROFILE": "production"}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, ports
        finally:
            process.terminate()


def test_make_demo_signs_a_person_in_and_out_and_stops_on_ctrl_c(demo: Demo, tmp_path: Path) -> None:
    """It says what to open and who can sign in, works in Chromium, and leaves nothing running behind it."""
    process, ports = demo
    said = _until_ready(process)
    assert f"http://localhost:{ports['PORT']}" in said
    assert "mia@birch.example" in said
    assert PASSWORD in said
    with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
        visitor = Visitor(context.new_page())
        _in_and_out(visitor, f"http://localhost:{ports['PORT']}/")
        assert not visitor.complaints
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 0
    assert all(port_is_free(int(port)) for port in ports.values())


def _until_ready(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            return said
    raise AssertionError(f"it ended: {said}")


def _in_and_out(visitor: Visitor, url: str) -> None:
    visitor.goes_to(url)
    visitor.presses("Sign in with Microsoft")
    visitor.names_themselves("mia@birch.example")
    visitor.proves(PASSWORD)
    visitor.stays()
    visitor.consents()
    visitor.sees("Hello, Mia Member")
    visitor.presses("Sign out")
    visitor.page.wait_for_url("**/signed-out")
    assert "Your sign-in at Microsoft has ended" in visitor.text
