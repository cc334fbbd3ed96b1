"""msal-browser, unmodified, in a real Chromium: redirect, popup, silent renewal, hidden frames, step-up, sign-out."""

import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from entrada_emulator.directory import seeds
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import ServedEntra, served
from playwright.sync_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH
from emulator.tests.chromium import chromium
from emulator.tests.flow_pages import listed
from emulator.tests.node import JAVASCRIPT, PACKAGES, node_path
from emulator.tests.sign_in import code_of

pytestmark = [pytest.mark.peer, pytest.mark.browser]

FILES = {
    "/": JAVASCRIPT / "page.html",
    "/redirect.html": JAVASCRIPT / "redirect.html",
    "/msal.js": PACKAGES / "msal-browser/lib/msal-browser.min.js",
    "/bridge.js": PACKAGES / "msal-browser/lib/redirect-bridge/msal-redirect-bridge.min.js",
}
READ = {"scopes": ["User.Read"]}
STEP_UP = {**READ, "claims": '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'}
PATIENCE = 60_000  # milliseconds
START_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Spa:
    """A single-page application in a browser, and the emulator it signs in at."""

    running: ServedEntra
    page: Page
    origin: str
    settings: dict[str, Any]

    def open(self, client_id: str, authority: str) -> None:
        host = self.running.service.public_origin.removeprefix("https://")
        self.settings.update(
            clientId=client_id,
            authority=f"{self.running.service.public_origin}/{authority}",
            knownAuthorities=[host],
            redirectUri=f"{self.origin}/redirect.html",
        )
        self.page.goto(self.origin)

    def call(self, verb: str, request: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = self.page.evaluate(f"r => call('{verb}', r)", request)
        return answer

    def leave(self, verb: str, request: dict[str, Any]) -> None:
        with self.page.expect_navigation(url=lambda url: not url.startswith(self.origin), timeout=PATIENCE):
            self.page.evaluate(f"r => leave('{verb}', r)", request)

    def returned(self) -> dict[str, Any]:
        self.page.wait_for_url(f"{self.origin}/", timeout=PATIENCE)
        answer: dict[str, Any] = self.page.evaluate("() => cameBack()")
        return answer


def press(page: Page, text: str) -> None:
    with page.expect_navigation(timeout=PATIENCE):
        page.get_by_role("button", name=re.compile(rf"\b{text}\b")).first.click(timeout=PATIENCE)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    node_path()
    with chromium() as browser:
        yield browser


@pytest.fixture
def spa(browser: Browser, entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> Iterator[Spa]:
    settings: dict[str, Any] = {}
    context = browser.new_context(ignore_https_errors=True)
    with served(tmp_path / "emulator", keys=entra_keys) as running, site(settings) as origin:
        yield Spa(running, context.new_page(), origin, settings)
        context.close()


@contextmanager
def site(settings: dict[str, Any]) -> Iterator[str]:
    """The application's files on a free port of this machine."""

    async def file(request: Request) -> Response:
        return FileResponse(FILES[request.url.path])

    async def told(_: Request) -> Response:
        return JSONResponse(settings)

    routes = [*(Route(path, file) for path in FILES), Route("/settings.json", told)]
    server = uvicorn.Server(
        uvicorn.Config(Starlette(routes=routes), port=0, log_level="error", lifespan="off", ws="none")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    ends = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < ends:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)


def signed_in(spa: Spa) -> None:
    spa.open(seeds.SPA, BIRCH)
    spa.leave("loginRedirect", READ)
    press(spa.page, "Mia")
    press(spa.page, "No")
    assert spa.returned()["username"] == "mia@birch.example"


def test_redirect_cache_refresh_frame_and_sign_out(spa: Spa) -> None:
    """Each way to a token in turn, the hidden frame where the refresh token is dead, and the way out."""
    signed_in(spa)
    assert spa.call("acquireTokenSilent", READ)["cached"] is True
    anew = {**READ, "forceRefresh": True}
    assert spa.call("acquireTokenSilent", anew)["cached"] is False
    refused = spa.call("acquireTokenSilent", STEP_UP)
    assert refused == {"failure": "InteractionRequiredAuthError", "error": "invalid_grant", "suberror": "basic_action"}
    spa.running.entra.state.refresh_tokens.revoke_all()
    assert spa.call("acquireTokenSilent", anew)["username"] == "mia@birch.example"
    assert spa.call("ssoSilent", {**READ, "loginHint": "mia@birch.example"})["username"] == "mia@birch.example"
    spa.page.evaluate("r => leave('logoutRedirect', r)", {})
    spa.page.wait_for_url(lambda url: url.startswith(f"{spa.origin}/?state="), timeout=PATIENCE)
    assert spa.call("ssoSilent", {**READ, "loginHint": "mia@birch.example"})["error"] == "login_required"
    assert drawn(spa) == DRAWN


DRAWN = [
    ("Silent sign-in · code + PKCE", "✗ AADSTS50058"),
    ("Sign-out", "✓ Signed out"),
    ("Silent sign-in · code + PKCE", "✓ Tokens issued"),
    ("Silent sign-in · code + PKCE", "✓ Tokens issued"),
    ("Renewal", "✗ AADSTS70000"),
    ("Renewal", "✗ AADSTS50076"),
    ("Renewal", "✓ Tokens issued"),
    ("Sign-in · code + PKCE", "✓ Tokens issued"),
]


def drawn(spa: Spa) -> list[tuple[str, str]]:
    """What the flow inspector made of it."""
    service = spa.running.service
    with TestClient(service.app, base_url=service.pages_origin, client=("127.0.0.1", 1)) as http:
        return [(line.kind, line.ending) for line in listed(http)]


def test_popup(spa: Spa) -> None:
    """The sign-in in a window of its own; the answer comes back through the bridge page."""
    spa.open(seeds.SPA, BIRCH)
    with spa.page.expect_popup(timeout=PATIENCE) as opened:
        spa.page.evaluate("r => { window.answer = call('loginPopup', r) }", READ)
    popup = opened.value
    press(popup, "Mia")
    popup.get_by_role("button", name="No", exact=True).click(timeout=PATIENCE)
    answer = spa.page.evaluate("() => window.answer")
    assert (answer["username"], "User.Read" in answer["scopes"]) == ("mia@birch.example", True)


def test_step_up_through_the_page(spa: Spa) -> None:
    """What was refused silently is granted once the person gave the second factor."""
    signed_in(spa)
    assert spa.call("acquireTokenSilent", STEP_UP)["suberror"] == "basic_action"
    spa.leave("acquireTokenRedirect", STEP_UP)
    secret = spa.page.locator("code.secret").inner_text().replace(" ", "")
    spa.page.get_by_label("Enter the six-digit code").fill(code_of(spa.running.entra, secret))
    press(spa.page, "Finish set-up")
    assert spa.returned()["username"] == "mia@birch.example"
    assert spa.call("acquireTokenSilent", STEP_UP)["username"] == "mia@birch.example"
    token = json.loads(spa.running.entra.state.recorder.requests("token")[-1].form["claims"])
    assert token["access_token"]["acrs"]["value"] == "c1"


def test_a_customer_signs_in_at_a_policy(spa: Spa) -> None:
    """A B2C authority: redirect, renewal, and the other application's script reads nothing."""
    spa.open(shop.SHOP_SPA, f"{shop.SHOP_DOMAIN}/B2C_1_susi")
    basket = {"scopes": [f"{shop.SHOP_API_URI}/basket.read"]}
    spa.leave("loginRedirect", basket)
    press(spa.page, "Carla")
    assert spa.returned()["scopes"][0] == basket["scopes"][0]
    assert spa.call("acquireTokenSilent", basket)["cached"] is True
    assert spa.call("acquireTokenSilent", {**basket, "forceRefresh": True})["cached"] is False
