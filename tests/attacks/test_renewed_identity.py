"""A renewal brings a new ID token; it is held to all that the first was, and to being the same person's."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.internet import Application, Message

HOST = "portal.birch.example"


class OtherTokens:
    """The authority, whose next token answers carry the ID token of `instead`."""

    def __init__(self, authority: Application) -> None:
        self._authority = authority
        self.given: list[str] = []
        self.instead: str | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def change(message: Message) -> None:
            if scope["path"].endswith("/token") and message["type"] == "http.response.body":
                document = json.loads(message["body"])
                self.given.append(document["id_token"])
                document["id_token"] = self.instead or document["id_token"]
                message = {**message, "body": json.dumps(document).encode()}
            await send(message)

        await self._authority(scope, receive, change)


async def use_until_renewal(door: FrontDoor, browser: Browser) -> None:
    """Let two hours pass in which the session is used, so that the access token is over."""
    for _ in range(3):
        door.entra.state.clock.move(timedelta(minutes=40))
        await browser.fetch(f"{AUTH}/me")


async def test_renewed_token_of_another_person(entra: Entra, tmp_path: Path) -> None:
    """SEC-109: a true token of the same tenant and client, but another person's, ends the session."""
    authority = OtherTokens(entra.app)
    async with running(entra, tmp_path, hosts={"login.microsoftonline.com": authority}) as door:
        mia = await door.signed_in()
        await use_until_renewal(door, mia)
        ada = await door.signed_in("ada@birch.example")
        authority.instead = authority.given[-1]
        session = mia.jar.of(HOST)[SESSION]
        assert (await mia.fetch(f"{BASE}/graph")).status_code == 401
        assert await door.reuse(session) == 401
        assert (await ada.fetch(f"{AUTH}/me")).json()["username"] == "ada@birch.example"


@pytest.mark.parametrize("kind", ["bad_signature", "alg_none", "wrong_issuer", "wrong_audience"])
async def test_renewed_token_with_a_fault(door: FrontDoor, kind: str) -> None:
    """SEC-109: one that fails ends the session: no token is handed out, and the person signs in again."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    await use_until_renewal(door, browser)
    door.entra.state.faults.add(Fault(endpoint="token", kind=kind))  # type: ignore[arg-type]
    answer = await browser.fetch(f"{BASE}/graph")
    assert answer.status_code == 401
    assert "displayName" not in answer.text
    assert await door.reuse(session) == 401
    assert [event.name for event in door.events][-2:] == ["renewal_failed", "session_ended"]


async def test_renewed_token_that_is_over(door: FrontDoor) -> None:
    """SEC-109, REL-046: one that is over on arrival is not used; it may be our clock, so the person stays (0401)."""
    browser = await door.signed_in()
    session = browser.jar.of(HOST)[SESSION]
    await use_until_renewal(door, browser)
    door.entra.state.faults.add(Fault(endpoint="token", kind="expired"))
    answer = await browser.fetch(f"{BASE}/graph")
    assert answer.status_code == 503
    assert "displayName" not in answer.text
    assert await door.reuse(session) == 200
    door.entra.state.clock.move(timedelta(minutes=1))
    assert (await browser.fetch(f"{BASE}/graph")).json()["source"] == "identity_provider"
