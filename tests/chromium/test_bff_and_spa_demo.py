"""`make demo EXAMPLE=bff_and_spa`: with Node both halves sign in, without it the half with the backend does."""

import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

from examples.supervisor import port_is_free
from tests.chromium.demonstration import PORT_NAMES, Demo, started, until_ready
from tests.chromium.launch import chromium_at
from tests.chromium.sites import free_ports
from tests.chromium.two_halves import Half, answers_all, comes_back, page_is_built
from tests.chromium.visitor import Visitor
from tests.forked import ROOT


@pytest.fixture
def built() -> None:
    page_is_built()


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("demo", ["bff_and_spa"], indirect=True)
def test_both_halves_sign_in_and_three_programs_stop_on_ctrl_c(demo: Demo, tmp_path: Path) -> None:
    """RUN-3: as people run it, in a browser that trusts nothing of the emulator's."""
    process, ports = demo
    assert "Node" not in until_ready(process)
    with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
        visitor = Visitor(context.new_page())
        visitor.goes_to(f"http://localhost:{ports['PORT']}/")
        spa = Half(visitor, "spa")
        answers_all(spa.opens_window("Sign in with a token"), "Mia Member")
        spa.presses("Renew, then ask")
        spa.says("Orders of Mia Member")
        _through_the_backend(visitor)
        assert not visitor.complaints
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert all(port_is_free(int(port)) for port in ports.values())


def test_without_node_one_half_runs_and_the_other_says_so(tmp_path: Path) -> None:
    """RUN-3: a PATH without npm, a checkout where nothing was built: said at the terminal and on the page."""
    aside = shutil.ignore_patterns("node_modules", "dist", "__pycache__")
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=aside)
    sources = os.pathsep.join(map(str, (tmp_path, ROOT / "src", ROOT / "emulator/src")))
    ports = dict(zip(PORT_NAMES, map(str, free_ports(len(PORT_NAMES))), strict=True))
    environment = {**os.environ, **ports, "PYTHONPATH": sources, "PATH": str(tmp_path)}
    command = [sys.executable, "-u", "-m", "examples.run", "bff_and_spa"]
    with started(command, cwd=tmp_path, environment=environment) as process:
        assert "Node with npm was not found: only the half with the backend works." in until_ready(process)
        with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
            visitor = Visitor(context.new_page())
            visitor.goes_to(f"http://localhost:{ports['PORT']}/")
            Half(visitor, "spa").says("Install Node 20.19 or newer and start it again.")
            _through_the_backend(visitor)
            assert not visitor.complaints
            absent = visitor.page.request.get(f"http://localhost:{ports['PORT']}/built/spa.js")
            assert absent.status == 404


def _through_the_backend(visitor: Visitor) -> None:
    bff = Half(visitor, "bff")
    bff.presses("Sign in with a cookie")
    comes_back(visitor.page, "Mia Member")
    bff.presses("Ask the API")
    bff.says("Orders of Mia Member")
