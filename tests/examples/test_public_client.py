"""Example C in process: a public and a private client, and its feature."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from entrada_emulator.directory.seeds import BIRCH, CALCULATOR, WEB_APP
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from tests.examples.written import imported
from tests.front_door import FrontDoor, running, walk_through

SITE = "http://localhost"
SIGNED_OUT = "/signed-out"


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    variables = {"AZURE_TENANT_ID": BIRCH.id, "AZURE_CLIENT_ID": CALCULATOR}
    return imported("public_client.app", variables, at=tmp_path, monkeypatch=monkeypatch)


@pytest.fixture(params=["public", "private"])
async def example(
    request: pytest.FixtureRequest, written: ModuleType, entra: Entra, tmp_path: Path
) -> AsyncIterator[FrontDoor]:
    """The example's routes behind a front door, as either kind of client."""

    def build(app: FastAPI) -> None:
        own = [route for route in written.app.routes if getattr(route, "path", "") not in {"/docs", "/redoc"}]
        app.router.routes.extend(own)

    private = {"client_id": WEB_APP, "client_secret": "emulator-secret-birch-portal"}
    client = private if request.param == "private" else {"client_id": CALCULATOR, "client_secret": None}
    templates: dict[str, Any] = {"templates": [Path(written.__file__ or "").parent / "templates"]}
    values: dict[str, Any] = {"prefix": "/auth", "base_url": SITE, **client}
    async with running(entra, tmp_path, build=build, options=templates, **values) as door:
        yield door


async def test_in_by_the_old_address_and_out_by_the_page(example: FrontDoor) -> None:
    """LOG-8, RUN-3: /login, /auth/microsoft, /auth/callback, /logout, for either kind of client."""
    browser = example.browser()
    await browser.open(f"{SITE}/login")
    await browser.follow("Sign in with Microsoft")
    await walk_through(browser)
    assert "Hello, Mia Member" in browser.page.text
    assert (await browser.open(f"{SITE}/login")).url == f"{SITE}/"
    await browser.follow("Sign out")
    page = await browser.press("Sign out")
    assert page.url.startswith(SITE + SIGNED_OUT)
    assert (await browser.open(f"{SITE}/logout")).url == f"{SITE}/login"


async def test_the_calculator_is_for_people_who_are_signed_in(example: FrontDoor) -> None:
    """The feature's page sends to sign in and comes back; its results stay in the session."""
    browser = example.browser()
    await browser.open(f"{SITE}/calculator")
    await walk_through(browser)
    assert browser.page.url == f"{SITE}/calculator"
    await browser.press("Calculate", left="0,1", sign="+", right="0.2")
    assert "0,1 + 0.2 = 0.3" in browser.page.text
    assert "0,1 + 0.2 = 0.3" in (await browser.open(f"{SITE}/calculator")).text


@pytest.mark.parametrize(
    ("left", "sign", "right", "says"),
    [
        ("1", "÷", "0", "Nothing can be divided by zero"),
        ("1e9999999", "×", "2", "two numbers of at most twelve digits"),
        ("one", "+", "2", "two numbers of at most twelve digits"),
        ("1", "**", "2", "and a sign"),
        ("999999999999.999999", "×", "999999999999.999999", "= 1.00000000000e+24"),
        ("<b>1</b>", "+", "2", "two numbers"),
    ],
)
async def test_what_cannot_be_calculated_is_said(
    example: FrontDoor, left: str, sign: str, right: str, says: str
) -> None:
    """Whatever is typed, the page answers; nothing of it is drawn as markup."""
    browser = example.browser()
    await browser.open(f"{SITE}/calculator")
    await walk_through(browser)
    await browser.press("Calculate", left=left, sign=sign, right=right)
    assert browser.page.status == 200
    assert says in browser.page.text
    kept = browser.page.forms[-1].fields["left"]
    assert kept == ("" if "=" in says else left), "who mistyped need not type it all again"


async def test_a_strangers_form_does_nothing(example: FrontDoor) -> None:
    """SEC-089: the feature's route is guarded without a line of its own."""
    browser = example.browser()
    await browser.open(f"{SITE}/calculator")
    await walk_through(browser)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.of("localhost").items())
    answer = await example.raw("POST", f"{SITE}/calculator", headers={"cookie": cookies}, content="left=1&right=2")
    assert answer.status_code == 403
