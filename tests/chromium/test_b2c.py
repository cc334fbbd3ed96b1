"""Azure AD B2C in a real Chromium, the application and the authority on different sites: its user flows, and /docs."""

import json
import re
from collections.abc import Callable

import pytest
from entrada_emulator.directory.seeds import PASSWORD

from examples.b2c_api.demo import demo as b2c_api
from examples.demo import Demo
from tests.chromium.sites import HOST
from tests.chromium.swagger import SwaggerPage
from tests.chromium.visitor import Visitor

HERE = f"https://{HOST}"
NEW = "a-password-made-today"


@pytest.fixture(scope="module")
def app() -> str:
    return "examples.b2c_api.app:app"


@pytest.fixture(scope="module")
def registered() -> Demo:
    return b2c_api({})


def signs_in(email: str, password: str = PASSWORD) -> Callable[[Visitor], None]:
    """Fill in the user flow's first page."""

    def fill(visitor: Visitor) -> None:
        visitor.sees("Sign in")
        visitor.field("Email address").fill(email)
        visitor.field("Password").fill(password)
        visitor.presses("Sign in")

    return fill


def at_flow(visitor: Visitor, name: str) -> None:
    """Wait until the browser is at this user flow, whose name counts in whatever case."""
    visitor.page.wait_for_url(re.compile(f"/b2c_1_{name}/", re.IGNORECASE))


def test_a_forgotten_password_is_reset(visitor: Visitor) -> None:
    """B2C-1: AADB2C90118 to the reset flow, on to the page that was wanted, over two sites; the new one lets in."""
    visitor.goes_to("/")
    visitor.shows("b2c-example")
    visitor.goes_to("/api/me")
    visitor.presses("Forgot your password?")
    at_flow(visitor, "reset")
    visitor.field("Email address").fill("carla@customer.example")
    visitor.presses("Send verification code")
    visitor.field("Verification code").fill(visitor.page.locator(".number").inner_text()[-6:])
    visitor.presses("Verify code")
    visitor.field("New password").fill(NEW)
    visitor.field("Confirm new password").fill(NEW)
    with visitor.expecting("status of 404"):  # the icon of an answer that is no page
        visitor.presses("Continue")
        visitor.page.wait_for_url(f"{HERE}/api/me")
        assert json.loads(visitor.page.locator("body").inner_text())["name"] == "Carla Customer"
    visitor.goes_to("/")
    visitor.shows("b2c-example-signed-in")
    visitor.presses("Sign out")
    visitor.page.wait_for_url("**/signed-out**")
    visitor.goes_to("/auth/login")
    signs_in("carla@customer.example", NEW)(visitor)
    visitor.sees("Hello, Carla Customer")


def test_a_changed_mind(visitor: Visitor) -> None:
    """B2C-1: Cancel in the reset flow leads back to signing in, and Cancel there to a page that says so."""
    visitor.goes_to("/api/me")
    visitor.presses("Forgot your password?")
    at_flow(visitor, "reset")
    visitor.presses("Cancel")
    at_flow(visitor, "susi")
    with visitor.expecting("status of 4"):
        visitor.presses("Cancel")
        visitor.page.get_by_text("You cancelled the sign-in").wait_for()


def test_a_profile_is_edited(visitor: Visitor) -> None:
    """B2C-1: the edit flow and back, and the page knows the new name without another question."""
    visitor.goes_to("/auth/login")
    signs_in("anton@customer.example")(visitor)
    visitor.sees("Hello, Anton Admin")
    visitor.presses("Edit profile")
    at_flow(visitor, "edit")
    visitor.field("Display name").fill("Anton A.")
    visitor.presses("Continue")
    visitor.sees("Hello, Anton A.")


def test_swagger_ui_signs_in_and_calls(visitor: Visitor) -> None:
    """API-7: a window at the authority, a code redeemed across origins with PKCE and no secret, a route called with it.

    Nothing is loaded from elsewhere, no content policy is in the way, and no session is begun (SEC-095).
    """
    swagger = SwaggerPage(visitor)
    with visitor.expecting("status of 401"):
        assert swagger.tries("/api/admin-only")[0] == 401
    window = swagger.signs_in(signs_in("anton@customer.example"))
    status, said = swagger.tries("/api/admin-only")
    assert (status, json.loads(said)["way"]) == (200, "bearer")
    assert not window.complaints
    (redeemed,) = [request for request in visitor.requests if request.url.endswith("/token")]
    assert "code_verifier=" in (redeemed.post_data or "")
    assert "secret" not in (redeemed.post_data or "") + str(redeemed.headers)
    elsewhere = [request.url for request in visitor.requests if not request.url.startswith((HERE, "data:"))]
    assert elsewhere == [redeemed.url]
    assert not [cookie for cookie in visitor.page.context.cookies(HERE) if cookie.get("name") == "__Host-entrada"]


def test_swagger_ui_uses_the_session_too(visitor: Visitor) -> None:
    """API-7: who is signed in by session tries a route without a token, as the document's alternatives say."""
    visitor.goes_to("/auth/login")
    visitor.one_click("Anton")
    visitor.sees("Hello, Anton")
    status, said = SwaggerPage(visitor).tries("/api/admin-only")
    assert (status, json.loads(said)["way"]) == (200, "session")


def test_an_answer_that_nobody_asked_for(visitor: Visitor) -> None:
    """SEC-013: a window that comes back with another state brings no token, and its code is redeemed nowhere."""
    swagger = SwaggerPage(visitor)

    def comes_back(window: Visitor) -> None:
        window.sees("Sign in")
        address = f"{HERE}/docs/oauth2-redirect?code=stolen&state=invented"
        window.page.evaluate(f"setTimeout(() => location.assign('{address}'))")

    swagger.is_refused(comes_back, "This answer is not to the question that was asked")
    assert not [request for request in visitor.requests if request.url.endswith("/token")]
