"""Forged, foreign and misused logout tokens: 400, and nobody is signed out (SEC-102)."""

from typing import Any

import pytest

from tests.authority_app import ABSENT, NONCE, compact, jwk
from tests.front_door import AUTH, FrontDoor
from tests.journeys.test_back_channel import FORM, elsewhere, provider, session_of, told
from tests.standard_provider import EVENT, ISSUER, StandardProvider

__all__ = ["elsewhere", "provider"]

BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "no issuer": {"iss": ABSENT},
    "another client": {"aud": "somebody-else"},
    "two audiences": {"aud": ["somebody-else", "99999999-8888-4777-8666-555555555555"]},
    "no iat": {"iat": ABSENT},
    "iat in the future": {"iat": 4_000_000_000, "exp": 4_000_000_100},
    "no exp": {"exp": ABSENT},
    "expired": {"iat": 1_600_000_000, "exp": 1_600_000_100},
    "lives for ever": {"exp": 250_000_000_000},
    "no jti": {"jti": ABSENT},
    "empty jti": {"jti": ""},
    "jti no text": {"jti": 7},
    "no events": {"events": ABSENT},
    "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "events a list": {"events": [EVENT]},
    "event no object": {"events": {EVENT: True}},
    "a nonce": {"nonce": NONCE},
    "an empty nonce": {"nonce": None},
    "nobody named": {"sid": ABSENT, "sub": ABSENT},
    "sid no text": {"sid": ["one"]},
    "sid empty": {"sid": ""},
    "sub no text": {"sub": {"$ne": ""}, "sid": ABSENT},
}
BAD_HEADERS: dict[str, dict[str, Any]] = {
    "no algorithm": {"alg": "none"},
    "HMAC": {"alg": "HS256"},
    "an algorithm not allowed": {"alg": "PS256"},
    "an access token": {"typ": "at+jwt"},
    "another kind": {"typ": "secevent+jwt"},
    "unknown key": {"kid": "nobody's"},
    "critical": {"crit": ["exp"]},
}


@pytest.mark.parametrize("what", BAD_CLAIMS)
async def test_claims(elsewhere: FrontDoor, provider: StandardProvider, what: str) -> None:
    """SEC-102: each claim is checked; a token that fails ends nothing."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    assert await told(elsewhere, provider.logout_token(**BAD_CLAIMS[what])) == 400
    assert await elsewhere.reuse(session) == 200


@pytest.mark.parametrize("what", BAD_HEADERS)
async def test_headers(elsewhere: FrontDoor, provider: StandardProvider, what: str) -> None:
    """SEC-102: form, algorithm, type and key are those of a logout token of this provider."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    assert await told(elsewhere, provider.logout_token(header=BAD_HEADERS[what])) == 400
    assert await elsewhere.reuse(session) == 200


@pytest.mark.parametrize("kind", ["logout+jwt", "LOGOUT+JWT", "JWT", ABSENT])
async def test_types_that_are_taken(elsewhere: FrontDoor, provider: StandardProvider, kind: Any) -> None:
    """SEC-102: typed as a logout token, or not typed as anything in particular."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    assert await told(elsewhere, provider.logout_token(header={"typ": kind})) == 200
    assert await elsewhere.reuse(session) == 401


async def test_signed_by_another_key(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102: the provider's own key signs, whatever the header says."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    for brought in ({}, {"jwk": jwk("stranger")}, {"jku": "https://evil.example/keys"}):
        assert await told(elsewhere, provider.logout_token(header=brought, signer="stranger")) == 400
    assert await elsewhere.reuse(session) == 200


async def test_an_id_token(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102: somebody's ID token is no logout token, and the other way round."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    claims = {"iss": ISSUER, "aud": "99999999-8888-4777-8666-555555555555", "sub": "ada", "sid": "one"}
    now = int(elsewhere.entra.state.clock.now().timestamp())
    id_token = compact({"typ": "JWT", "alg": "RS256", "kid": "one"}, claims | {"iat": now, "exp": now + 60, "jti": "1"})
    assert await told(elsewhere, id_token) == 400
    assert await elsewhere.reuse(session) == 200


@pytest.mark.parametrize("body", ["", "logout_token=", "logout_token=a&logout_token=b", "token=x", "x=1&" * 60])
async def test_malformed_requests(elsewhere: FrontDoor, body: str) -> None:
    """SEC-102: exactly one token in a form."""
    answer = await elsewhere.raw("POST", f"{AUTH}/backchannel-logout", headers=FORM, content=body)
    assert answer.status_code == 400


async def test_no_form(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102, SEC-091: other media types and a token in the address are not taken."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    token = provider.logout_token()
    answer = await elsewhere.raw(
        "POST", f"{AUTH}/backchannel-logout", headers={"content-type": "text/plain"}, content=f"logout_token={token}"
    )
    assert answer.status_code == 415
    answer = await elsewhere.raw("POST", f"{AUTH}/backchannel-logout?logout_token={token}", headers=FORM)
    assert answer.status_code == 400
    assert await elsewhere.reuse(session) == 200


async def test_the_keys_cannot_be_had(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102: what cannot be verified ends nothing; the provider is told to try again."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    del elsewhere.internet.hosts["idp.example"]
    assert await told(elsewhere, provider.logout_token(header={"kid": "new"}, signer="two")) == 503
    assert await elsewhere.reuse(session) == 200
