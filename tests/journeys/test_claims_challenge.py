"""An API wants more of the person than the token proves: pages walk the person through it, scripts are told."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.faults import Fault
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra

from entrada.flows.stepping_up.challenge import claims_in
from tests.browser import Browser
from tests.front_door import AUTHORITY, BASE, SESSION, FrontDoor, running
from tests.journeys.test_tokens import HOST, graph

OLGA = "olga@birch.example"
CONTEXT = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
CHALLENGE = f'Bearer realm="", error="insufficient_claims", claims="{base64.b64encode(CONTEXT.encode()).decode()}"'


class Strict:
    """Microsoft Graph behind a policy: a token without authentication context c1 gets a claims challenge."""

    def __init__(self, entra: Entra) -> None:
        self.entra = entra
        self.tokens: list[str] = []

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        token = dict(scope["headers"]).get(b"authorization", b"").decode().removeprefix("Bearer ")
        self.tokens.append(token)
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        if "c1" in claims.get("acrs", ()):
            await self.entra.app(scope, receive, send)
            return
        headers = [(b"www-authenticate", CHALLENGE.encode()), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 401, "headers": headers})
        await send({"type": "http.response.body", "body": b"{}"})


@pytest.fixture
def entra(entra_keys: tuple[SigningKey, ...]) -> Entra:
    """The tenant, where nobody asks Olga for a second factor until an API does."""
    world = default_world()
    users = tuple(replace(user, mfa_required=False) for user in world.users)
    return new_entra(
        checked_world(tenants=world.tenants, users=users, groups=world.groups, applications=world.applications),
        keys=entra_keys,
    )


@pytest.fixture
async def guarded(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The portal, with a Graph that wants c1."""
    async with running(entra, tmp_path, hosts={"graph.microsoft.com": Strict(entra)}) as door:
        yield door


async def olga_signed_in(door: FrontDoor) -> Browser:
    """Olga has an authenticator, which signing in does not ask for."""
    return await door.signed_in(OLGA)


async def walk_on(browser: Browser) -> None:
    while browser.page.url.startswith(AUTHORITY):
        await browser.press(next(each for each in ("No", "Accept", "Continue") if browser.page.has_button(each)))


def authorize_requests(door: FrontDoor) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(url).query) for _, url in door.internet.calls if "/authorize?" in url]


async def test_a_page_is_sent_to_sign_in_with_the_claims_and_back(guarded: FrontDoor) -> None:
    """A page that meets the challenge sends the person to meet it and is opened again, which now succeeds."""
    browser = await olga_signed_in(guarded)
    assert "claims" not in authorize_requests(guarded)[-1]
    before = browser.jar.of(HOST)[SESSION]
    await browser.open(f"{BASE}/graph")
    if browser.page.has_button(OLGA):
        await browser.press(OLGA)
    await browser.press("Verify", code=pyotp.TOTP(seeds.TOTP_SECRET).at(guarded.entra.state.clock.now()))
    await walk_on(browser)
    assert authorize_requests(guarded)[-1]["claims"] == [CONTEXT]
    assert "Olga Onetime" in browser.page.text
    assert browser.page.url == f"{BASE}/graph"
    assert browser.jar.of(HOST)[SESSION] != before
    assert await guarded.reuse(before) == 401


async def test_a_script_gets_the_challenge(guarded: FrontDoor) -> None:
    """An API caller gets 401 with the claims in Entra's form; the session lives, and one entry says what is missing."""
    session = (await olga_signed_in(guarded)).jar.of(HOST)[SESSION]
    asked = guarded.calls("/token")
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    answers = [await guarded.raw("GET", f"{BASE}/graph", headers=headers) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {401}
    assert [claims_in(answer.headers.get_list("www-authenticate")) for answer in answers] == [CONTEXT] * 3
    assert answers[0].json()["code"] == "interaction_required"
    assert answers[0].json()["login"].startswith("/api/auth/step-up?for=")
    assert guarded.calls("/token") == asked + 1
    assert [(event.name, event.reason) for event in guarded.events[1:]] == [("renewal_failed", "interaction_required")]
    assert await guarded.reuse(session) == 200


async def test_nothing_is_asked_again_for_a_while(guarded: FrontDoor) -> None:
    """While the step is waited for the authority is left in peace; after a minute it is asked once more."""
    session = (await olga_signed_in(guarded)).jar.of(HOST)[SESSION]
    asked = guarded.calls("/token")
    for _ in range(5):
        assert (await graph(guarded, session))[0] == 401
    assert guarded.calls("/token") == asked + 1
    guarded.entra.state.clock.move(timedelta(seconds=61))
    assert (await graph(guarded, session))[0] == 401
    assert guarded.calls("/token") == asked + 2
    assert len(guarded.events) == 2


async def test_revoked_access_ends_with_a_reason(door: FrontDoor) -> None:
    """Continuous access evaluation: the API refuses a token that has not expired; the session ends, told once."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    door.entra.state.continuous_access_evaluation = True
    assert (await graph(door, session))[0] == 200
    door.entra.state.clock.move(timedelta(seconds=5))
    door.entra.state.revoke_sessions(door.entra.user())
    assert (await graph(door, session))[0] == 401
    assert await door.reuse(session) == 401
    told = [(event.name, event.reason) for event in door.events[1:]]
    assert told == [("renewal_failed", "invalid_grant"), ("session_ended", "renewal_refused")]
    door.entra.state.clock.move(timedelta(seconds=5))
    browser = await door.signed_in()
    assert (await graph(door, browser.jar.of(HOST)[SESSION]))[0] == 200


class Once:
    """A Graph that refuses each token once, for a claim that the authority gives without more ado."""

    def __init__(self, entra: Entra) -> None:
        self.entra = entra
        self.refused: list[bytes] = []

    async def __call__(self, scope, receive, send) -> None:  # type: ignore[no-untyped-def]
        token = dict(scope["headers"]).get(b"authorization", b"")
        if self.refused and token not in self.refused:
            await self.entra.app(scope, receive, send)
            return
        self.refused.append(token)
        wanted = base64.b64encode(b'{"access_token":{"xms_cc":{"values":["cp1"]}}}').decode()
        line = f'Bearer error="insufficient_claims", claims="{wanted}"'
        await send({"type": "http.response.start", "status": 401, "headers": [(b"www-authenticate", line.encode())]})
        await send({"type": "http.response.body", "body": b""})


async def test_met_without_the_person(entra: Entra, tmp_path: Path) -> None:
    """Where the authority answers the claims at once, the request is sent again and nobody notices."""
    async with running(entra, tmp_path, hosts={"graph.microsoft.com": Once(entra)}) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        asked = door.calls("/token")
        assert (await graph(door, session))[0] == 200
        assert door.calls("/token") == asked + 1
        sent = entra.state.recorder.requests("token")[-1].form
        assert json.loads(sent["claims"]) == {"access_token": {"xms_cc": {"values": ["cp1"]}}}
        assert (await graph(door, session))[0] == 200
        assert door.calls("/token") == asked + 1
        assert [event.name for event in door.events] == ["sign_in"]


async def test_an_outage_in_between_is_an_outage(entra: Entra, tmp_path: Path) -> None:
    """When the authority is down as the challenge comes: 503 with Retry-After, the session stays (SEC-110)."""
    async with running(entra, tmp_path, hosts={"graph.microsoft.com": Once(entra)}) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        entra.state.faults.add(Fault(endpoint="token", kind="status", status=503, retry_after=7))
        assert (await graph(door, session))[0] == 503
        assert await door.reuse(session) == 200
        entra.state.clock.move(timedelta(seconds=20))
        assert (await graph(door, session))[0] == 200
