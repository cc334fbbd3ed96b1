"""How the application proves itself, seen from the browser and from whoever watches it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import FederatedCredential
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI
from pydantic import SecretStr

from emulator.tests.foreign import ISSUER, SUBJECT, foreign_token, signer
from entrada import Entrada, Event
from entrada.web.request_body import Given
from tests.front_door import AUTH, BASE, SECRET, SESSION, running, settings
from tests.internet import Application
from tests.journeys.test_tokens import graph


class WithoutSecrets:
    """The authority, which refuses secrets from a moment on, as Entra does those that were deleted."""

    def __init__(self, authority: Application) -> None:
        self._authority = authority
        self.refusing = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self.refusing or not scope["path"].endswith("/token"):
            await self._authority(scope, receive, send)
            return
        body = (await receive())["body"]
        if b"client_secret=" not in body:
            await self._authority(scope, Given(body, receive), send)
            return
        said = b'{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}'
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": said})


SECRETS = (SecretStr("a-secret-that-is-over"), SecretStr(SECRET))


async def test_people_sign_in_while_one_secret_is_changed_for_another(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """LOG-8, SEC-174: the authority knows one of two secrets only; nobody notices, and the other is not tried again."""
    async with running(entra, tmp_path, client_secret=None, client_secrets=SECRETS) as door:
        first = await door.signed_in()
        asked = door.calls("/token")
        assert (await first.fetch(f"{AUTH}/me")).json()["name"] == "Mia Member"
        await door.signed_in("ada@birch.example")
        assert (asked, door.calls("/token")) == (2, 3)
    assert 'credential_refused which="client_secret 1"' in caplog.text  # the log says which one to take away


async def test_an_assertion_that_cannot_be_had_is_an_outage(entra: Entra, tmp_path: Path) -> None:
    """LOG-8: the page says that sign-in does not work just now, and nothing of what the function raised."""

    def broken() -> str:
        raise OSError("the words of the exception")

    options = {"client_assertion": broken}
    async with running(entra, tmp_path, client_secret=None, options=options) as door:
        browser = await door.signed_in()
        assert browser.page.status == 503
        assert "the words" not in browser.page.text
        assert SESSION not in browser.jar.of("portal.birch.example")


async def test_an_assertion_that_cannot_be_had_beside_a_secret(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """LOG-8, SEC-174: who changes a secret for a workload's identity, and has both, signs people in all the while."""

    def broken() -> str:
        raise OSError("the words of the exception")

    async with running(entra, tmp_path, options={"client_assertion": broken}) as door:
        assert (await door.signed_in()).page.status == 200
    assert 'credential_not_had which=client_assertion reason="client_assertion raised OSError"' in caplog.text
    assert "the words" not in caplog.text


async def test_a_certificate_takes_the_place_of_a_secret(entra: Entra, tmp_path: Path) -> None:
    """SEC-174: before the authority knows it the secret serves; once it does, and takes the secret away, it does."""
    held, file = signer("Birch Portal"), tmp_path / "portal.pem"
    file.write_text(held.private_pem + held.public_pem)
    hosts = {"login.microsoftonline.com": WithoutSecrets(entra.app)}
    async with running(entra, tmp_path, hosts=hosts, client_certificate=file, session_idle_minutes=600) as door:
        session = (await door.signed_in()).jar.of("portal.birch.example")[SESSION]
        entra.state.credentials.add_certificate(seeds.WEB_APP, held.public_pem)
        hosts["login.microsoftonline.com"].refusing = True
        await door.signed_in("ada@birch.example")
        entra.state.clock.move(timedelta(hours=2))
        assert await graph(door, session) == (200, {"name": "Mia Member", "source": "identity_provider"})


async def test_a_secrets_end_is_known_to_ready(entra: Entra, tmp_path: Path) -> None:
    """SEC-174, BEY-7: from 30 days before; strangers learn no more than the number of days."""
    ends = (entra.state.clock.now() + timedelta(days=40)).date()
    async with running(entra, tmp_path, client_secret_expires=(ends,)) as door:
        assert (await door.raw("GET", f"{BASE}/ready")).json() == {"status": "ready"}
        entra.state.clock.move(timedelta(days=12))
        assert (await door.raw("GET", f"{BASE}/ready")).json() == {"status": "ready", "credential_days": 27}


async def test_the_start_warns_of_a_secret_that_is_about_to_end(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """SEC-174: the log, and whoever listens, says which credential it is, without its value."""
    ends = (entra.state.clock.now() + timedelta(days=3)).date()
    told: list[Event] = []
    chosen = settings(tmp_path, client_secret_expires=(ends,))
    entrada, app = Entrada(chosen, clock=entra.state.clock.now, transport=None), FastAPI()
    entrada.on("credential_expiring")(told.append)
    entrada.install(app)
    async with app.router.lifespan_context(app):
        assert [event.reason for event in told] == ["client_secret 1: 2 days left"]
    assert 'credential_expiring which="client_secret 1" days=2' in caplog.text
    assert SECRET not in caplog.text


def private_pem(key: rsa.RSAPrivateKey, password: str | None) -> bytes:
    """Return the private key as a file has it, under a password if there is one."""
    sealed = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealed)


OTHER_PROVIDER = {"tenant_id": None, "issuer": f"https://login.microsoftonline.com/{seeds.BIRCH.id}/v2.0"}


@pytest.mark.parametrize("values", [{}, OTHER_PROVIDER], ids=["msal", "oidc"])
@pytest.mark.parametrize("password", [None, "a word beside the file"])
async def test_people_sign_in_with_a_certificate(
    entra: Entra, tmp_path: Path, values: dict[str, Any], password: str | None
) -> None:
    """LOG-8, SEC-026: the emulator, which verifies as Entra does, knows the public half only."""
    held = signer("Birch Portal")
    entra.state.credentials.add_certificate(seeds.WEB_APP, held.public_pem)
    file = tmp_path / "portal.pem"
    file.write_bytes(private_pem(held.key, password) + held.public_pem.encode())
    values = values | ({"client_certificate_password": password} if password else {})
    async with running(entra, tmp_path, client_secret=None, client_certificate=file, **values) as door:
        browser = await door.signed_in()
        assert (await browser.fetch(f"{AUTH}/me")).json()["name"] == "Mia Member"


@pytest.mark.parametrize("values", [{}, OTHER_PROVIDER], ids=["msal", "oidc"])
async def test_people_sign_in_with_a_workloads_identity(entra: Entra, tmp_path: Path, values: dict[str, Any]) -> None:
    """LOG-8: the platform's token from a file proves the application; there is no secret to keep."""
    entra.state.credentials.add_federated(seeds.WEB_APP, FederatedCredential(ISSUER, SUBJECT, signer("foreign").jwks))
    file = tmp_path / "token"
    file.write_text(foreign_token())
    async with running(entra, tmp_path, client_secret=None, client_assertion_file=file, **values) as door:
        browser = await door.signed_in()
        assert (await browser.fetch(f"{AUTH}/me")).json()["name"] == "Mia Member"
