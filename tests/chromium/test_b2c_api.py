"""Example D in a real Chromium: `make demo EXAMPLE=b2c_api`, by Swagger UI's token and by session."""

import json
import signal
from pathlib import Path

import pytest

from tests.chromium.demonstration import Demo, until_ready
from tests.chromium.launch import chromium_at
from tests.chromium.swagger import SwaggerPage
from tests.chromium.test_b2c import signs_in
from tests.chromium.visitor import Visitor


@pytest.mark.parametrize("demo", ["b2c_api"], indirect=True)
def test_a_customer_calls_the_api_by_token_and_by_session(demo: Demo, tmp_path: Path) -> None:
    """RUN-3, API-7: /api/me by a token at /docs, then in a session; /api/admin-only is not for everybody."""
    process, ports = demo
    said = until_ready(process)
    assert "carla@customer.example" in said
    assert "mia@birch.example" not in said
    home = f"http://localhost:{ports['PORT']}"
    with chromium_at(tmp_path) as chromium, chromium.new_context() as context:
        visitor = Visitor(context.new_page())
        swagger = SwaggerPage(visitor, home)
        swagger.signs_in(signs_in("carla@customer.example"))
        status, text = swagger.tries("/api/me")
        me = json.loads(text)
        assert (status, me["name"], me["way"]) == (200, "Carla Customer", "bearer")
        visitor.goes_to(home)
        visitor.presses("Sign in")
        visitor.sees("Hello, Carla Customer")
        assert visitor.page.request.get(f"{home}/api/me").json()["way"] == "session"
        with visitor.expecting("status of 403"):
            visitor.presses("/api/admin-only")
            visitor.page.get_by_text("This needs the role Admin").wait_for()
        assert not visitor.complaints
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 0
