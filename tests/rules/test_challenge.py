"""Claims challenges are read from what APIs send, bounded, and handed on in the form that MSAL clients read."""

import base64
import json

import pytest

from entrada.flows.stepping_up.challenge import LONGEST, challenge, claims_in, usable

CLAIMS = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'


def spelt(claims: bytes) -> str:
    return base64.b64encode(claims).decode()


SPELT = spelt(CLAIMS.encode())
OTHER = base64.urlsafe_b64encode(b'{"a":"\xc3\xbf\xc3\xbe?>"}').decode().rstrip("=")


@pytest.mark.parametrize(
    "lines",
    [
        [f'Bearer realm="", error="insufficient_claims", claims="{SPELT}"'],
        [f'Bearer claims="{SPELT}", error="insufficient_claims"'],
        ['PoP realm="x"', f'Bearer error=insufficient_claims,claims="{SPELT}"'],
        [f'Basic realm="x", Bearer authorization_uri="https://a/", error="insufficient_claims", claims="{SPELT}"'],
    ],
)
def test_what_apis_send_is_understood(lines):
    """Microsoft's own spellings of a challenge, in any order and line."""
    assert claims_in(lines) == CLAIMS


def test_both_alphabets_of_base64_are_read():
    """Without padding and in the alphabet of addresses, as some gateways write it."""
    assert claims_in([f'Bearer error="insufficient_claims", claims="{OTHER}"']) == json.dumps(
        {"a": "ÿþ?>"}, separators=(",", ":")
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Bearer",
        f'Bearer error="invalid_token", claims="{SPELT}"',
        'Bearer error="insufficient_claims"',
        'Bearer error="insufficient_claims", claims=""',
        'Bearer error="insufficient_claims", claims="!!!"',
        'Bearer error="insufficient_claims", claims="AAAA"',
        f'Bearer error="insufficient_claims", claims="{spelt(b"[1]")}"',
        f'Bearer error="insufficient_claims", claims="{spelt(b"{}")}"',
        f'Bearer error="insufficient_claims", claims="{spelt(json.dumps({"a": "x" * LONGEST}).encode())}"',
        f'Bearer error="insufficient_claims", claims="{"A" * 1_000_000}"',
    ],
)
def test_what_is_no_challenge_is_none(line):
    """Other errors, no JSON object, or too much of it: the API's 401 stays the API's."""
    assert claims_in([line]) is None


@pytest.mark.parametrize("text", [None, "", "null", "[]", "{", '{"a":1,"a":2}', "x" * 10_000, '{"a":"\udc80"}'])
def test_only_one_small_object_is_passed_on(text):
    """Whatever else the authority sends as claims is dropped."""
    assert usable(text) is None


def test_it_is_handed_on_in_entras_form():
    """What we answer a script is what an API answers us."""
    line = challenge(CLAIMS, authorization_uri="https://login.example/authorize")
    assert claims_in([line]) == CLAIMS
    assert line.startswith('Bearer realm="", authorization_uri="https://login.example/authorize", error=')
