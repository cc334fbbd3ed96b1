"""Example D in a real Chromium: `make demo EXAMPLE=b2c_api`, by session and by Swagger UI's token."""

import json
import signal
from pathlib import Path

import pytest
from entrada_emulator.seeds import PASSWORD

from tests.chromium.demonstration import Demo, until_ready
from tests.chromium.launch import chromium_at
from tests.chromium.swagger import SwaggerPage
from tests.chromium.visitor import Visitor


def answer(visitor: Visitor, path: str) -> dict[str, object]:
    """Open an address of the API, and return what it says."""
    visitor.goes_to(path)
    said: dict[str, object] = json.loads(visitor.page.locator("body").inner_text())
    return said


@pytest.mark.parametrize("demo", ["b2c_api"], indirect=True)
def test_a_customer_calls_the_api_by_session_and_by_token(demo: Demo, tmp_path: Path) -> None:
    """RUN-3, API-7: in by the user flow, /api/me, refused at /api/admin-only; then the same with a token at /docs."""
    process, ports = demo
    said = until_ready(process)
    assert "carla@customer.example" in said
    assert "mia@birch.example" not in said
    home = f"http://localhost:{ports['PORT']}"
    with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
        visitor = Visitor(context.new_page())
        visitor.goes_to(home)
        visitor.presses("Sign in")
        visitor.field("Email address").fill("carla@customer.example")
        visitor.field("Password").fill(PASSWORD)
        visitor.presses("Sign in")
        visitor.sees("Hello, Carla Customer")
        me = answer(visitor, f"{home}/api/me")
        assert (me["name"], me["way"], me["roles"]) == ("Carla Customer", "session", [])
        with visitor.expecting("status of 403"):
            visitor.goes_to(f"{home}/api/admin-only")
            visitor.page.get_by_text("This needs the role Admin").wait_for()
        visitor.goes_to(home)
        visitor.presses("Sign out")
        visitor.page.wait_for_url("**/signed-out**")
        swagger = SwaggerPage(visitor, home)
        assert swagger.tries("/api/me") == (401, None)
        assert not visitor.complaints
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 0
