"""Example C in a real Chromium: `make demo EXAMPLE=public_client`, in, a calculation, out."""

import signal
from pathlib import Path

import pytest
from entrada_emulator.directory.seeds import PASSWORD

from tests.chromium.demonstration import Demo, until_ready
from tests.chromium.launch import chromium_at
from tests.chromium.visitor import Visitor


@pytest.mark.parametrize("demo", ["public_client"], indirect=True)
def test_a_public_client_signs_in_and_its_feature_works(demo: Demo, tmp_path: Path) -> None:
    """RUN-3: by /login and /auth/microsoft, the calculator with its form, /logout with its question."""
    process, ports = demo
    assert "A public client" in until_ready(process)
    home = f"http://localhost:{ports['PORT']}/"
    with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
        visitor = Visitor(context.new_page())
        visitor.goes_to(home)
        visitor.presses("Sign in")
        visitor.presses("Sign in with Microsoft")
        visitor.names_themselves("mia@birch.example")
        visitor.proves(PASSWORD)
        visitor.stays()
        visitor.consents()
        visitor.sees("Hello, Mia Member")
        visitor.presses("Calculate")
        visitor.field("First number").fill("12")
        visitor.page.get_by_role("combobox").select_option("×")
        visitor.field("Second number").fill("3,5")
        visitor.presses("Calculate")
        visitor.page.get_by_text("12 × 3,5 = 42").wait_for()
        visitor.presses("Back")
        visitor.presses("Sign out")
        visitor.presses("Sign out")
        visitor.page.wait_for_url("**/signed-out")
        visitor.goes_to(f"{home}logout")
        visitor.sees("Sign in")
        assert not visitor.complaints
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
