"""`make demo`: one command, two programs, a person in and out, Ctrl-C."""

import signal
from pathlib import Path

from entrada_emulator.directory.seeds import PASSWORD

from examples.supervisor import port_is_free
from tests.chromium.demonstration import Demo, until_ready
from tests.chromium.launch import chromium_at
from tests.chromium.visitor import Visitor


def test_make_demo_signs_a_person_in_and_out_and_stops_on_ctrl_c(demo: Demo, tmp_path: Path) -> None:
    """It says what to open and who can sign in, works in Chromium, and leaves nothing running behind it."""
    process, ports = demo
    said = until_ready(process)
    assert f"http://localhost:{ports['PORT']}" in said
    assert "mia@birch.example" in said
    assert PASSWORD in said
    with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
        visitor = Visitor(context.new_page())
        _in_and_out(visitor, f"http://localhost:{ports['PORT']}/")
        assert not visitor.complaints
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
    assert all(port_is_free(int(port)) for port in ports.values())


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
