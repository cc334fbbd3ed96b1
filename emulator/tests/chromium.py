"""A real Chromium for the tests, and the two sites that it visits: the emulator and an application."""

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import pytest
import uvicorn
from entrada_emulator.directory import seeds, seeds_customers
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.pytest_plugin import Entra, new_entra
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--disable-component-update"]
START_SECONDS = 60


def chromium_path() -> str:
    """Where Chromium is; without it the test is skipped, or fails where CI says it must be there."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("Chromium is missing: install the package `chromium`")
    if path is None:
        pytest.skip("Chromium is missing: install the package `chromium` to run the browser tests")
    return path


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser without profile and without traffic of its own."""
    path = chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True, slots=True)
class Sites:
    """An emulator at 127.0.0.1 and an application at localhost: to a browser two different sites."""

    entra: Entra
    emulator: str
    application: str

    def authorize(self, **changes: str) -> str:
        """The address that the application sends the person to."""
        parameters = {
            "client_id": seeds.WEB_APP,
            "response_type": "code",
            "redirect_uri": f"{self.application}/callback",
            "scope": "openid profile offline_access User.Read",
            "nonce": "n",
            "state": "s",
        } | changes
        return f"{self.emulator}/{seeds.BIRCH.id}/oauth2/v2.0/authorize?{urlencode(parameters)}"

    def policy(self, name: str) -> str:
        """The address that the shop sends its customers to."""
        parameters = {
            "client_id": seeds_customers.SHOP_APP,
            "response_type": "code",
            "redirect_uri": f"{self.application}/callback",
            "scope": "openid",
            "prompt": "login",
        }
        return f"{self.emulator}/{seeds_customers.SHOP_DOMAIN}/{name}/oauth2/v2.0/authorize?{urlencode(parameters)}"

    def logout(self, **parameters: str) -> str:
        """The address for signing out."""
        return f"{self.emulator}/{seeds.BIRCH.id}/oauth2/v2.0/logout?{urlencode(parameters)}"


@contextmanager
def two_sites() -> Iterator[Sites]:
    """Both sites, served on free ports of this machine."""
    told: list[str] = []
    with _port() as emulator, _port() as application:
        emulator_port, application_port = emulator.getsockname()[1], application.getsockname()[1]
        entra = new_entra(
            _world(f"http://localhost:{application_port}/told"), public_origin=f"http://127.0.0.1:{emulator_port}"
        )
        with _served(entra.app, emulator), _served(_application(told), application):
            yield Sites(entra, f"http://127.0.0.1:{emulator_port}", f"http://localhost:{application_port}")


def _world(logout_url: str) -> World:
    """The default directory, in which one person has both second factors and the portal a logout URL."""
    world = default_world()
    users = tuple(
        replace(user, mfa_methods=("push", "totp"), totp_secret=seeds.TOTP_SECRET)
        if user.user_principal_name == "pia@birch.example"
        else user
        for user in world.users
    )
    applications = tuple(
        replace(app, logout_url=logout_url) if app.client_id == seeds.WEB_APP else app for app in world.applications
    )
    return World(world.tenants, users, world.groups, applications)


def _application(told: list[str]) -> Starlette:
    """An application that shows what it was given, after a redirect to a frontend on another host name."""

    async def callback(request: Request) -> Response:
        given = dict(await request.form()) if request.method == "POST" else dict(request.query_params)
        port = request.url.port
        return RedirectResponse(f"http://127.0.0.1:{port}/shown?{urlencode({'got': ' '.join(given)})}", 303)

    async def shown(request: Request) -> Response:
        return HTMLResponse(f"<title>Application</title><p id=got>{request.query_params.get('got', '')}")

    async def told_of_logout(request: Request) -> Response:
        told.append(request.query_params["sid"])
        return HTMLResponse("ok")

    async def was_told(_: Request) -> Response:
        return HTMLResponse(f"<title>Application</title><p id=told>{len(told)}")

    return Starlette(
        routes=[
            Route("/callback", callback, methods=["GET", "POST"]),
            Route("/shown", shown),
            Route("/told", told_of_logout),
            Route("/signed-out", was_told),
        ]
    )


@contextmanager
def _port() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@contextmanager
def _served(app: Starlette, listener: socket.socket) -> Iterator[None]:
    config = uvicorn.Config(app, log_level="warning", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started, "the server did not start"
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(START_SECONDS)
