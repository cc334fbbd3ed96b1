"""Swagger UI against an Entra tenant, on another site than the API: with a token, and with a session."""

import json
from collections.abc import Mapping

import pytest
from entrada_emulator.directory.seeds import SPA

from tests.chromium.portals import picks
from tests.chromium.sites import HOST
from tests.chromium.swagger import SwaggerPage
from tests.chromium.visitor import Visitor


@pytest.fixture(scope="module")
def app() -> str:
    return "tests.chromium.orders:app"


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    return {"ENTRADA_SWAGGER_CLIENT_ID": SPA}


def accepts(window: Visitor) -> None:
    """Sign in, and agree to what the page asks for."""
    picks(window.page, "Ada Admin")
    window.stays()
    window.sees("Permissions requested")
    assert "Use the portal as you" in window.text
    window.presses("Accept")


def test_a_token_with_the_scope_that_the_route_requires(visitor: Visitor) -> None:
    """API-7: what `requires` demands is asked for, and redeemed across origins by SPA rules."""
    swagger = SwaggerPage(visitor)
    with visitor.expecting("status of 401"):
        assert swagger.tries("/orders")[0] == 401
    window = swagger.signs_in(accepts)
    status, said = swagger.tries("/orders")
    assert (status, json.loads(said)["by"]) == (200, "bearer")
    (redeemed,) = [request for request in visitor.requests if request.url.endswith("/token")]
    assert redeemed.all_headers()["origin"] == f"https://{HOST}"
    assert not window.complaints


def test_a_session_writes_too(visitor: Visitor) -> None:
    """API-7, SEC-089: who is signed in tries a POST without a token; the page proves that the request is its own."""
    visitor.goes_to("/docs")
    visitor.goes_to("/login?return_to=/docs")
    picks(visitor.page, "Gil Guest")
    visitor.stays()
    if visitor.sees_one_of("Permissions requested", "Orders") == "Permissions requested":
        visitor.presses("Accept")
    status, said = SwaggerPage(visitor).tries("/orders")
    assert (status, json.loads(said)) == (200, {"for": "Gil Guest", "by": "session"})
