"""In production nobody is shown the inside, whatever the application left on."""

import logging
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import Entrada, SettingsRefused
from entrada.keyring import generate
from tests.attacks.test_failing_code import with_own_handler
from tests.front_door import BASE, running, settings

INSIDE = ["/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/debug-info"]
TENANT = "11111111-1111-4111-8111-111111111111"
PRODUCTION = {
    "tenant_id": TENANT,
    "profile": "production",
    "store": "sqlite:",
    "client_secret": "k8Q~real-looking-value",
}


@pytest.mark.parametrize("path", INSIDE)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_no_description_of_the_interface(entra: Entra, tmp_path: Path, method: str, path: str) -> None:
    """SEC-186: OpenAPI, its pages and ours for debugging are not there in production, whatever FastAPI's default."""
    async with running(entra, tmp_path, keys=generate(), **PRODUCTION) as door:
        assert (await door.raw(method, f"{BASE}{path}")).status_code == 404
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200


@pytest.mark.parametrize("app", [FastAPI, with_own_handler])
async def test_no_traceback(entra: Entra, tmp_path: Path, app: type[FastAPI]) -> None:
    """SEC-177: what failed is not said."""
    async with running(entra, tmp_path, app=app(), keys=generate(), **PRODUCTION) as door:
        for accept in ("text/html", "application/json", "text/plain"):
            answer = await door.raw("GET", f"{BASE}/broken", headers={"accept": accept})
            assert answer.status_code == 500
            assert "the words of the exception" not in answer.text
            assert "Traceback" not in answer.text


async def test_another_host_is_not_told_where_we_are(entra: Entra, tmp_path: Path) -> None:
    """SEC-163, SEC-177: what developers are told of the base URL, nobody is told in production."""
    async with running(entra, tmp_path, keys=generate(), **PRODUCTION) as door:
        answer = await door.raw("GET", f"{BASE}/", headers={"host": "127.0.0.1", "accept": "text/html"})
        assert answer.status_code == 400
        assert "portal.birch.example" not in answer.text


def test_debug_is_refused(tmp_path: Path) -> None:
    """SEC-183: an application in debug mode does not start in production."""
    app = FastAPI(debug=True)
    with pytest.raises(SettingsRefused, match="debug"):
        Entrada(settings(tmp_path, keys=generate(), **PRODUCTION)).install(app)
    Entrada(settings(tmp_path)).install(app)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, True),
        ({"client_secret": None, "client_secrets": ("k8Q~one-value", "k8Q~other-value")}, True),
        ({"client_assertion_file": Path(__file__)}, False),
        ({"client_secret": None}, False),
        ({"tenant_id": None, "issuer": "https://idp.example"}, False),
        ({"profile": "development"}, False),
    ],
)
def test_a_secret_alone_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, values: dict[str, object], told: bool
) -> None:
    """SEC-027: in production, where a certificate or an assertion would do; a public client has nothing to lose."""
    caplog.set_level(logging.WARNING, logger="entrada")
    Entrada(settings(tmp_path, keys=generate(), **(PRODUCTION | values))).install(FastAPI())
    assert any(record.message.startswith("client_secret_alone ") for record in caplog.records) == told
    assert "k8Q" not in caplog.text


def test_an_assertion_beside_a_secret(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-027: with a function that gives assertions the secret is not alone."""
    caplog.set_level(logging.WARNING, logger="entrada")
    Entrada(settings(tmp_path, keys=generate(), **PRODUCTION), client_assertion=lambda: "x").install(FastAPI())
    assert "client_secret_alone" not in caplog.text


@pytest.mark.parametrize(("values", "told"), [({}, False), ({"limits": False}, True)], ids=["limited", "unlimited"])
async def test_without_limits_it_starts_and_says_so(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture, values: dict[str, bool], told: bool
) -> None:
    """SEC-152: limits by rate may be another layer's in production; nobody forgets them unwarned (0340)."""
    caplog.set_level(logging.WARNING, logger="entrada")
    given = PRODUCTION | {"limit_strangers": ("3/hour",)} | values
    async with running(entra, tmp_path, keys=generate(), **given) as door:
        seen = [(await door.raw("GET", f"{BASE}/nowhere")).status_code for _ in range(5)]
    assert seen[-1] == (404 if told else 429)
    assert any(record.message.startswith("limits_off ") for record in caplog.records) == told
