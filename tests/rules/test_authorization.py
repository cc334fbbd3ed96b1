"""The browser is sent with exactly what a sign-in needs."""

from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrada.provider.authorization import authorize_url, code_challenge, end_session_url
from entrada.provider.metadata import Metadata

METADATA = Metadata(
    issuer="https://idp.example",
    authorization_endpoint="https://idp.example/authorize",
    token_endpoint="https://idp.example/token",
    jwks_uri="https://idp.example/keys",
    end_session_endpoint="https://idp.example/logout?p=b2c_1_sign_in",
)


def url(metadata: Metadata = METADATA, **changes) -> str:
    return authorize_url(
        metadata,
        **(
            {
                "client_id": "client",
                "redirect_uri": "https://app.example/api/auth/callback",
                "scopes": ("openid", "profile", "User.Read"),
                "state": "s",
                "nonce": "n",
                "code_challenge": "c",
            }
            | changes
        ),
    )


def test_sec_001_a_code_with_pkce_by_s256_and_nothing_else():
    """SEC-001: always response_type=code with an S256 challenge; each parameter once."""
    assert dict(parse_qsl(urlsplit(url()).query, strict_parsing=True)) == {
        "client_id": "client",
        "response_type": "code",
        "redirect_uri": "https://app.example/api/auth/callback",
        "scope": "openid profile User.Read",
        "response_mode": "query",
        "state": "s",
        "nonce": "n",
        "code_challenge": "c",
        "code_challenge_method": "S256",
    }


@pytest.mark.parametrize(
    "name", ["scope", "redirect_uri", "response_mode", "response_type", "state", "nonce", "code_challenge_method", "x"]
)
def test_sec_006_nothing_else_can_be_added(name):
    """SEC-006: what may be added is a list; our own parameters are not on it."""
    with pytest.raises(ValueError, match="may be added"):
        url(extra={name: "x"})


@given(st.text(), st.text())
def test_sec_006_a_value_never_becomes_a_parameter(hint, state):
    """SEC-006: whatever is in a value, it stays one value."""
    found = parse_qs(urlsplit(url(extra={"login_hint": hint}, state=state)).query, keep_blank_values=True)
    assert (found["login_hint"], found["state"], len(found)) == ([hint], [state], 10)


def test_an_endpoint_with_a_query_keeps_it():
    """A query that the endpoint has already (a B2C policy) stays first."""
    found = end_session_url(METADATA, client_id="c", post_logout_redirect_uri="https://app.example/signed-out")
    assert found == (
        "https://idp.example/logout?p=b2c_1_sign_in&client_id=c"
        "&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fsigned-out"
    )


def test_an_authority_without_an_end_of_session():
    """Where the authority has no such endpoint there is no address."""
    metadata = Metadata(issuer="i", authorization_endpoint="a", token_endpoint="t", jwks_uri="j")
    assert end_session_url(metadata, client_id="c", post_logout_redirect_uri="p") is None


def test_the_challenge_of_rfc_7636():
    """The example of RFC 7636, appendix B."""
    assert (
        code_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.parametrize("verifier", ["", "short", "x" * 42, "x" * 129, "x" * 42 + "+", "x" * 43 + "\n"])
def test_sec_002_a_verifier_that_is_none(verifier):
    """SEC-002: a verifier has 43 to 128 unreserved characters."""
    with pytest.raises(ValueError, match="43 to 128"):
        code_challenge(verifier)
