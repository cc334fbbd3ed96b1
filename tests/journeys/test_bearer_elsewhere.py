"""Access tokens of another provider than Entra: JWTs by RFC 9068, and opaque ones that it is asked about (RFC 7662)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada import SettingsRefused
from tests.access_tokens import bearer
from tests.authority_app import ABSENT, CLIENT, answer
from tests.front_door import BASE, FrontDoor, settings
from tests.journeys.test_bearer import orders
from tests.standard_provider import HOST, ISSUER, StandardProvider

ELSEWHERE = {"tenant_id": None, "issuer": ISSUER, "client_id": CLIENT, "client_secret": "not-a-real-secret"}


@dataclass
class Api:
    door: FrontDoor
    provider: StandardProvider

    async def get(self, path: str, token: str) -> httpx2.Response:
        return await self.door.raw("GET", BASE + path, headers=bearer(token))

    async def status(self, path: str, token: str) -> tuple[int, str]:
        got = await self.get(path, token)
        return got.status_code, got.headers.get("www-authenticate", "")


@asynccontextmanager
async def elsewhere(entra: Entra, tmp_path: Path, **values: Any) -> AsyncIterator[Api]:
    provider = StandardProvider(entra.state.clock.now)
    provider.metadata["introspection_endpoint"] = f"https://{HOST}/introspect"
    async with orders(entra, tmp_path, hosts={HOST: provider}, **(ELSEWHERE | values)) as door:
        yield Api(door, provider)


@pytest.fixture
async def api(entra: Entra, tmp_path: Path) -> AsyncIterator[Api]:
    async with elsewhere(entra, tmp_path, introspection=True) as running:
        yield running


async def test_rfc_9068(api: Api) -> None:
    """API-1: a JWT access token of another provider names the person, the client and its scopes."""
    answer = (await api.get("/bearer", api.provider.access_token())).json()
    assert answer == {"key": f"{ISSUER}|ada", "client": "spa", "scopes": ["orders.read"]}
    app = (await api.get("/app", api.provider.access_token(sub="job", client_id="job", roles=["Task.Write"]))).json()
    assert app == {"client": "job", "roles": ["Task.Write"], "key": f"{ISSUER}|app|job"}
    for typ in ("application/at+jwt", "AT+JWT"):
        assert (await api.status("/bearer", api.provider.access_token(header={"typ": typ})))[0] == 200
    assert (await api.status("/bearer", api.provider.access_token(aud=[CLIENT, "other"])))[0] == 200


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"header": {"typ": "JWT"}}, "type_is_access"),
        ({"header": {"typ": ABSENT}}, "type_is_access"),
        ({"header": {"typ": "logout+jwt"}}, "type_is_access"),
        ({"iss": "https://evil.example"}, "issuer_is_expected"),
        ({"aud": "another"}, "audience_is_this_api"),
        ({"aud": []}, "audience_is_this_api"),
        ({"client_id": ABSENT}, "client_is_admitted"),
        ({"client_id": ABSENT, "azp": "spa"}, "client_is_admitted"),
        ({"scope": ABSENT}, "one_kind_of_caller"),
        ({"nonce": "n"}, "no_other_kind"),
        ({"cnf": {"jkt": "x"}}, "not_bound_to_a_proof"),
        ({"sub": ABSENT}, "subject_is_named"),
        ({"exp": ABSENT}, "times_are_numbers"),
    ],
)
async def test_sec_052_rfc_9068_refused(api: Api, changes: dict[str, Any], check: str) -> None:
    """SEC-050, SEC-052, SEC-057: what is no access token by RFC 9068 for this API is refused, saying why."""
    status, said = await api.status("/bearer", api.provider.access_token(**changes))
    assert (status, check in said) == (401, True), said


async def test_identifiers(entra: Entra, tmp_path: Path) -> None:
    """SEC-050: with `api_audiences` the API answers to those names too."""
    async with elsewhere(entra, tmp_path, api_audiences=("https://api.example",)) as api:
        assert (await api.status("/bearer", api.provider.access_token(aud="https://api.example")))[0] == 200
        assert (await api.status("/bearer", api.provider.access_token(aud="https://api.example/")))[0] == 401


async def test_tok_8_an_opaque_token(api: Api) -> None:
    """TOK-8: an opaque token is asked about once by all who come with it, and then remembered for a minute."""
    api.provider.opaque["opaque-1"] = {"active": True, **api.provider.granted()}
    answers = await asyncio.gather(*(api.get("/bearer", "opaque-1") for _ in range(20)))
    assert {each.status_code for each in answers} == {200}
    assert answers[0].json() == {"key": f"{ISSUER}|ada", "client": "spa", "scopes": ["orders.read"]}
    assert api.provider.calls("/introspect") == [{"token": "opaque-1", "token_type_hint": "access_token"}]
    del api.provider.opaque["opaque-1"]
    assert (await api.status("/bearer", "opaque-1"))[0] == 200
    api.door.entra.state.clock.move(timedelta(seconds=60))
    assert (await api.status("/bearer", "opaque-1"))[0] == 401


async def test_sec_058_no_longer_than_it_lasts(api: Api) -> None:
    """SEC-058: what is remembered of an opaque token ends with its `exp`."""
    soon = int(api.door.entra.state.clock.now().timestamp()) + 5
    api.provider.opaque["short"] = {"active": True, **api.provider.granted(exp=soon)}
    assert (await api.status("/bearer", "short"))[0] == 200
    api.door.entra.state.clock.move(timedelta(seconds=66))
    status, said = await api.status("/bearer", "short")
    assert (status, "not_expired" in said) == (401, True)


SEC_058: dict[str, dict[str, Any]] = {
    "inactive": {"active": False},
    "active as a text": {"active": "true"},
    "active as a number": {"active": 1},
    "active missing": {"active": ABSENT},
    "no exp": {"exp": ABSENT},
    "over": {"exp": 1},
    "no aud": {"aud": ABSENT},
    "for another API": {"aud": "another"},
    "of another issuer": {"iss": "https://evil.example"},
    "not yet": {"nbf": 4_000_000_000},
    "no client": {"client_id": ABSENT},
    "no scope": {"scope": ABSENT},
    "a refresh token": {"token_type": "refresh_token"},
    "bound to a key": {"cnf": {"jkt": "x"}, "token_type": "Bearer"},
    "a person without subject": {"sub": ABSENT, "username": "ada"},
}


@pytest.mark.parametrize("changes", SEC_058.values(), ids=SEC_058)
async def test_sec_058_refused(api: Api, changes: dict[str, Any]) -> None:
    """SEC-058: active, exp, aud and iss are checked, and everything else as for a JWT."""
    said = {"active": True, **api.provider.granted()} | changes
    api.provider.opaque["bad"] = {name: value for name, value in said.items() if value is not ABSENT}
    for _ in range(3):
        assert (await api.status("/bearer", "bad"))[0] == 401
    assert len(api.provider.calls("/introspect")) == 1  # a refusal is remembered too


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503])
async def test_sec_058_a_failure_is_a_refusal(api: Api, status: int) -> None:
    """SEC-058: when the provider does not tell, nobody comes in: 503, not 200, and not 401 either."""
    api.provider.opaque["good"] = {"active": True, **api.provider.granted()}
    api.provider.answers["/introspect"] = answer(b'{"active": true}', status=status)
    assert (await api.status("/bearer", "good"))[0] == 503
    api.provider.answers["/introspect"] = answer(b"<html>", content_type="text/html")
    assert (await api.status("/bearer", "good"))[0] == 503
    api.provider.answers.clear()
    assert (await api.status("/bearer", "good"))[0] == 200


async def test_off_by_default(entra: Entra, tmp_path: Path) -> None:
    """SEC-159: without the setting an opaque token is refused, and nobody is asked."""
    async with elsewhere(entra, tmp_path) as api:
        api.provider.opaque["good"] = {"active": True, **api.provider.granted()}
        assert (await api.status("/bearer", "good"))[0] == 401
        assert api.provider.calls("/introspect") == []


async def test_sec_159_invented_tokens(api: Api) -> None:
    """SEC-159: a crowd of invented tokens waits in a queue with an end; whoever finds it full is told to come again."""
    gate = asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await gate.wait()
        await answer(b'{"active": false}')(scope, receive, send)

    api.provider.answers["/introspect"] = slow
    asked = [asyncio.ensure_future(api.status("/bearer", f"invented-{number}")) for number in range(300)]
    await asyncio.sleep(0.5)
    gate.set()
    found = [status for status, _ in await asyncio.gather(*asked)]
    assert (found.count(401), found.count(429)) == (200, 100)


def test_settings(tmp_path: Path) -> None:
    """Introspection is refused where it cannot work, with what to do."""
    with pytest.raises(SettingsRefused, match="introspection: Entra has no introspection endpoint"):
        settings(tmp_path, introspection=True)
    with pytest.raises(SettingsRefused, match="introspection: needs client_secret"):
        settings(tmp_path, **(ELSEWHERE | {"client_secret": None}), introspection=True)
