"""An API calls the next one: for the person who called it, or for itself; the authority is asked once (TOK-6)."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Policy
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request

from entrada import ApiClient, api_client, app_client
from entrada.flows.stepping_up.challenge import claims_in
from tests.access_tokens import app_token, user_token
from tests.attacks.test_bearer_door import inactive
from tests.front_door import BASE, FrontDoor
from tests.journeys.test_bearer import get, orders
from tests.journeys.test_people_change import house_of

LEDGER = "https://ledger.birch.example"
LEDGER_SCOPE = f"{seeds.LEDGER_URI}/Ledger.Read"
Ledger = Annotated[ApiClient, api_client(LEDGER, LEDGER_SCOPE)]
Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "User.Read")]
Nightly = Annotated[ApiClient, app_client(LEDGER, f"{seeds.LEDGER_URI}/.default")]


def api(app: FastAPI) -> None:
    @app.get("/ledger")
    async def ledger(client: Ledger) -> dict[str, Any]:
        answer = await client.get("/entries")
        return {**answer.json(), "source": client.token_source}

    @app.get("/me")
    async def me(client: Graph) -> str:
        return (await client.get("/me")).json()["displayName"]

    @app.get("/both")
    async def both(ledger: Ledger, graph: Graph) -> dict[str, Any]:
        return {"ledger": (await ledger.get("/entries")).json()["aud"], "name": (await graph.get("/me")).json()["id"]}

    @app.get("/audit")
    async def audit(client: Nightly) -> dict[str, Any]:
        return {**(await client.get("/entries")).json(), "source": client.token_source}


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


class LedgerApi:
    """The API behind: tells whom the token names; `wants` makes it answer with a claims challenge first."""

    def __init__(self) -> None:
        self.tokens: list[str] = []
        self.wants: str | None = None

    async def __call__(self, asgi: Any, receive: Any, send: Any) -> None:
        token = Request(asgi).headers["authorization"].removeprefix("Bearer ")
        self.tokens.append(token)
        claims = claims_of(token)
        status, headers = 200, [(b"content-type", b"application/json")]
        if self.wants and "c1" not in claims.get("acrs", ()):
            asked = base64.b64encode(self.wants.encode()).decode()
            status, headers = (
                401,
                [(b"www-authenticate", f'Bearer error="insufficient_claims", claims="{asked}"'.encode())],
            )
        shown = {name: claims.get(name) for name in ("aud", "tid", "oid", "scp", "roles", "appid")}
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(shown).encode()})


@pytest.fixture
def ledger() -> LedgerApi:
    return LedgerApi()


@pytest.fixture
async def door(entra: Entra, tmp_path: Path, ledger: LedgerApi) -> AsyncIterator[FrontDoor]:
    async with orders(entra, tmp_path, build=api, hosts={"ledger.birch.example": ledger}) as front_door:
        yield front_door


async def test_on_behalf_of_the_caller(door: FrontDoor) -> None:
    """TOK-6: the next API gets a token of its own for the same person, never the one that came in."""
    token = user_token(door.entra)["access_token"]
    told = (await get(door, "/ledger", token)).json()
    assert told["oid"] == claims_of(token)["oid"]
    assert (told["aud"], told["scp"], told["appid"]) == (seeds.LEDGER_URI, "Ledger.Read", seeds.API)
    assert told["source"] == "identity_provider"


async def test_asked_once(door: FrontDoor) -> None:
    """Fifty requests at once and fifty later cost one question; another person's token costs one of its own."""
    token = user_token(door.entra)["access_token"]
    before = door.calls("/token")
    answers = await asyncio.gather(*[get(door, "/ledger", token) for _ in range(50)])
    assert {answer.status_code for answer in answers} == {200}
    assert door.calls("/token") == before + 1
    assert (await get(door, "/ledger", token)).json()["source"] == "cache"
    other = user_token(door.entra, "ada@birch.example")["access_token"]
    asked = door.calls("/token")
    told = (await get(door, "/ledger", other)).json()
    assert told["oid"] == claims_of(other)["oid"]
    assert door.calls("/token") == asked + 1


async def test_several_apis_for_one_caller(door: FrontDoor) -> None:
    """One caller's token is good for several APIs, each with a token for it alone."""
    token = user_token(door.entra)["access_token"]
    told = (await get(door, "/both", token)).json()
    assert told == {"ledger": seeds.LEDGER_URI, "name": claims_of(token)["oid"]}


async def test_not_for_somebody_who_was_shut_out(door: FrontDoor, tmp_path: Path, ledger: LedgerApi) -> None:
    """USR-3, SEC-075: the next API's token that is kept for them is used no more."""
    token = user_token(door.entra)["access_token"]
    assert (await get(door, "/ledger", token)).status_code == 200
    mia, asked = door.entra.user(), door.calls("/token")
    await inactive(door, tmp_path)
    house_of(door.app).bearers.forget(f"{mia.tenant_id}:{mia.id}")
    assert (await get(door, "/ledger", token)).status_code == 403
    assert (await get(door, "/ledger", user_token(door.entra)["access_token"])).status_code == 403
    assert (len(ledger.tokens), door.calls("/token")) == (1, asked)


async def test_ends_with_its_time(door: FrontDoor, ledger: LedgerApi) -> None:
    """What is kept is renewed before it ends, and used to its end while the authority is down (SEC-110)."""
    token = user_token(door.entra)["access_token"]
    assert (await get(door, "/audit", token)).json()["source"] == "identity_provider"
    assert (await get(door, "/audit", token)).json()["source"] == "cache"
    lasts = claims_of(ledger.tokens[-1])["exp"] - claims_of(ledger.tokens[-1])["iat"]
    door.entra.state.clock.move(timedelta(seconds=lasts - 120))
    door.entra.state.faults.add(Fault(endpoint="token", kind="status", status=503, times=2))
    answer = await get(door, "/audit", "")
    assert answer.status_code == 200, answer.text
    assert ledger.tokens[-1] == ledger.tokens[-2]
    door.entra.state.faults.clear()
    door.entra.state.clock.move(timedelta(seconds=5))
    assert (await get(door, "/audit", "")).json()["source"] == "identity_provider"


async def test_rel_003_a_failing_authority_is_not_asked_by_each_request(door: FrontDoor) -> None:
    """REL-003: for a caller, and for ourselves, one question until Retry-After is over; others' tokens go on."""
    token = user_token(door.entra)["access_token"]
    assert (await get(door, "/me", token)).status_code == 200
    for path in ("/ledger", "/audit"):
        before = door.calls("/token")
        door.entra.fail("token", "status", status=503, retry_after=9)
        answers = [await get(door, path, token) for _ in range(5)]
        assert [(answer.status_code, answer.headers["retry-after"]) for answer in answers[:1]] == [(503, "9")]
        assert {answer.status_code for answer in answers} == {503}
        assert door.calls("/token") == before + 1
        assert (await get(door, "/me", token)).status_code == 200
        door.entra.state.clock.move(timedelta(seconds=9))
        assert (await get(door, path, token)).status_code == 200


async def test_the_application_itself(door: FrontDoor) -> None:
    """TOK-6: `app_client` calls as the application, with the roles granted to it and no person's rights."""
    told = (await get(door, "/audit", user_token(door.entra)["access_token"])).json()
    assert (told["scp"], told["appid"]) == (None, seeds.API)


async def test_the_step_is_handed_on(door: FrontDoor) -> None:
    """BEY-4: the authority wants a second factor for the next API: our caller gets its claims, as Entra says them."""
    token = user_token(door.entra)["access_token"]
    door.entra.state.policies.switch_on(
        Policy("e7712ada-00fb-4000-8000-00000000000f", seeds.BIRCH.id, "MFA for the ledger",
               applications=(seeds.LEDGER_API,), requires="mfa")
    )  # fmt: skip
    refused = await get(door, "/ledger", token)
    assert (refused.status_code, refused.json()["code"]) == (401, "interaction_required")
    handed_on = claims_in(refused.headers.get_list("www-authenticate"))
    assert handed_on
    assert "polids" in json.loads(handed_on)["access_token"]


async def test_a_challenge_of_the_next_api(door: FrontDoor, ledger: LedgerApi) -> None:
    """BEY-4: the next API wants a context: asked for on behalf of the person, and handed on when that does not do."""
    ledger.wants = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    refused = await get(door, "/ledger", user_token(door.entra)["access_token"])
    assert refused.status_code == 401
    assert claims_in(refused.headers.get_list("www-authenticate")) == ledger.wants
    sent = door.entra.state.recorder.requests("token")[-1].form
    assert sent["claims"] == ledger.wants


async def test_a_token_that_is_revoked(door: FrontDoor) -> None:
    """The authority no longer takes the caller's token: 401 invalid_token, so that the caller gets another."""
    token = user_token(door.entra)["access_token"]
    door.entra.state.clock.move(timedelta(seconds=5))
    door.entra.state.revoke_sessions(door.entra.user())
    refused = await get(door, "/ledger", token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["www-authenticate"]


async def test_an_application_has_nobody_to_act_for(door: FrontDoor) -> None:
    """On-behalf-of is for people: an application's token is refused before the authority is asked."""
    token, asked = app_token(door.entra), door.calls("/token")
    assert (await get(door, "/ledger", token)).status_code == 403
    assert door.calls("/token") == asked


async def test_without_a_caller(door: FrontDoor) -> None:
    """A stranger gets 401 and costs the authority nothing."""
    asked = door.calls("/token")
    answer = await door.raw("GET", f"{BASE}/ledger", headers={"accept": "application/json"})
    assert answer.status_code == 401
    assert door.calls("/token") == asked


@pytest.mark.parametrize("breaks", ["gone", "early"])
async def test_the_next_api_is_out_of_reach(door: FrontDoor, breaks: str) -> None:
    """REL-001: an API that cannot be reached, or breaks off, is 502 with our words, and never its address or token."""
    token = user_token(door.entra)["access_token"]
    if breaks == "gone":
        del door.internet.hosts["ledger.birch.example"]
    else:
        door.internet.hosts["ledger.birch.example"] = _breaks_off
    for path in ("/ledger", "/audit"):
        answer = await get(door, path, token)
        assert (answer.status_code, answer.json()["code"]) == (502, "api_unavailable"), path
        assert answer.headers["retry-after"]
        assert not {"entries", "ConnectError", token} & set(answer.text.replace("/", " ").split())


async def test_the_application_minds_its_apis_itself(entra: Entra, tmp_path: Path) -> None:
    """Who catches httpx2's error answers as they like; the error of another client than ours stays a 500."""

    def build(app: FastAPI) -> None:
        @app.get("/minded")
        async def minded(client: Ledger) -> str:
            try:
                return (await client.get("/entries")).text
            except httpx2.TransportError:
                return "later"

        @app.get("/own")
        async def own() -> None:
            async with httpx2.AsyncClient(transport=door.internet, trust_env=False) as client:
                await client.get(f"{LEDGER}/entries")

    async with orders(entra, tmp_path, build=build) as door:
        token = user_token(door.entra)["access_token"]
        assert (await get(door, "/minded", token)).json() == "later"
        assert (await get(door, "/own", token)).status_code == 500


async def _breaks_off(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"aud": ', "more_body": True})
