"""SEC-182: whatever is sent, the endpoints for clients answer in their own words, never with a fault of ours."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from entrada_emulator.clients.client_auth import ASSERTION_TYPE
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import FederatedCredential
from entrada_emulator.directory.seeds_customers import SHOP_APP, SHOP_DOMAIN
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, codes_of, redeem
from emulator.tests.foreign import AUDIENCE, ISSUER, SUBJECT, signer

FIELDS = [
    *("grant_type", "client_id", "client_secret", "code", "redirect_uri", "code_verifier", "scope"),
    *("refresh_token", "claims", "client_info", "client_assertion", "client_assertion_type", "resource"),
    *("assertion", "requested_token_use", "device_code", "username", "password"),
]
VALUES = [
    *("authorization_code", "refresh_token", "client_credentials", seeds.WEB_APP, seeds.SPA, SECRETS[seeds.WEB_APP]),
    *("password", "device_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "on_behalf_of", seeds.PUBLIC_CLIENT),
    *(
        ASSERTION_TYPE,
        "a.b.c",
        "e30.e30.AA",
        "mia@birch.example",
        seeds.PASSWORD,
        SHOP_APP,
        "emulator-secret-birch-shop",
    ),
    *("api://x/.default", "User.Read", ".default", "/", "//", "https://graph.microsoft.com//.default", "{", "[]", "{}"),
    *(
        '{"access_token":{"acrs":{"essential":true,"values":[1]}}}',
        '{"id_token":[]}',
        "[" * 20000,
        "\x00",
        "\ud7ff",
        "é",
    ),
]
FEW = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def one(entra_keys: tuple[SigningKey, ...]) -> Entra:
    """One emulator for all examples."""
    return new_entra(keys=entra_keys)


@FEW
@given(
    form=st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.text(max_size=40)), max_size=8),
    tenant=st.sampled_from([BIRCH, "common", "organizations", "birch.example", "consumers", "%00", "..", "é"]),
    authorization=st.sampled_from([None, "Basic", "Basic !", "Basic Og==", "Basic /w==", "Bearer x", ""]),
)
def test_the_token_endpoint_never_breaks(
    one: Entra, form: list[tuple[str, str]], tenant: str, authorization: str | None
) -> None:
    """Every form is answered with tokens or with an AADSTS code."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    headers |= {"Authorization": authorization} if authorization is not None else {}
    with one.http_client() as http:
        answer = http.post(f"/{tenant}/oauth2/v2.0/token", content=urlencode(form), headers=headers)
    if answer.status_code != 404:
        assert answer.status_code in {200, 400, 401}
        assert "access_token" in answer.json() or answer.json()["error_codes"]


@FEW
@given(
    form=st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.text(max_size=40)), max_size=8),
    path=st.sampled_from(["oauth2/token", "oauth2/v2.0/devicecode", "oauth2/devicecode"]),
)
def test_its_neighbours_never_break(one: Entra, form: list[tuple[str, str]], path: str) -> None:
    """Version 1 and the device code endpoint answer every form in Entra's words."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with one.http_client() as http:
        answer = http.post(f"/{BIRCH}/{path}", content=urlencode(form), headers=headers)
    assert answer.status_code in {200, 400, 401}
    assert answer.status_code == 200 or answer.json()["error_codes"]


@FEW
@given(
    form=st.lists(st.tuples(st.sampled_from(FIELDS), st.sampled_from(VALUES) | st.text(max_size=40)), max_size=8),
    policy=st.sampled_from(["B2C_1_susi", "b2c_1_ropc", "B2C_1_edit"]),
)
def test_a_policys_token_endpoint_never_breaks(one: Entra, form: list[tuple[str, str]], policy: str) -> None:
    """Every form is answered with tokens or with an AADB2C code."""
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    with one.http_client("https://birchshop.b2clogin.com") as http:
        answer = http.post(f"/{SHOP_DOMAIN}/{policy}/oauth2/v2.0/token", content=urlencode(form), headers=headers)
    assert answer.status_code in {200, 400}
    assert answer.status_code == 200 or answer.json()["error_description"].startswith("AADB2C")


@FEW
@given(
    asked=st.dictionaries(
        st.sampled_from(
            ["client_id", "redirect_uri", "response_type", "response_mode", "scope", "prompt", "state", "login_hint"]
        ),
        st.sampled_from(["code", "form_post", "openid", SHOP_APP, "http://localhost/callback", "none", "[", "\x00"])
        | st.text(max_size=30),
    )
)
def test_a_policys_authorize_endpoint_never_breaks(one: Entra, asked: dict[str, str]) -> None:
    """Every request is answered with a page or at the redirect URI."""
    with one.http_client("https://birchshop.b2clogin.com") as http:
        answer = http.get(f"/{SHOP_DOMAIN}/B2C_1_susi/oauth2/v2.0/authorize?{urlencode(asked)}")
    assert answer.status_code in {200, 302}


ODD_CLAIMS: list[Any] = [
    *({}, {"iss": []}, {"iss": {}, "sub": {}}, {"iss": seeds.DAEMON, "sub": [seeds.DAEMON]}, {"iss": None, "sub": 1}),
    *({"iss": seeds.DAEMON, "sub": seeds.DAEMON, "aud": value} for value in (None, [], [None], {}, 5)),
    *({"iss": seeds.DAEMON, "sub": seeds.DAEMON, "exp": value} for value in (None, [], "x", 10**400, True, -(10**400))),
    *({"iss": ISSUER, "sub": value} for value in (None, [], {}, SUBJECT)),
    *({"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": 10**400, "nbf": value} for value in ([], 10**400)),
]


def test_odd_assertions_are_refused(entra: Entra, http: TestClient) -> None:
    """Whatever an assertion claims, and whatever its header says, it is 401 in Entra's words."""
    entra.state.credentials.add_certificate(seeds.DAEMON, signer().public_pem)
    entra.state.credentials.add_federated(seeds.DAEMON, FederatedCredential(ISSUER, SUBJECT, signer("foreign").jwks))
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_assertion_type": ASSERTION_TYPE}
    made = [signer().sign(claims) for claims in ODD_CLAIMS]
    made += [signer("foreign").sign(claims, alg="RS256", kid="f1") for claims in ODD_CLAIMS]
    for assertion in (*made, *(token for token in odd_tokens("f1") if token)):
        sent = form | {"client_assertion": assertion, "scope": f"api://{seeds.API}/.default"}
        answer = http.post(f"/{BIRCH}/oauth2/v2.0/token", data=sent)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), assertion


def test_odd_tokens_are_not_acted_for(http: TestClient) -> None:
    """On-behalf-of refuses whatever is no token of this emulator."""
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "requested_token_use": "on_behalf_of",
        "client_id": seeds.API,
        "client_secret": SECRETS[seeds.API],
        "scope": "User.Read",
    }
    for token in odd_tokens("x"):
        answer = http.post(f"/{BIRCH}/oauth2/v2.0/token", data=form | {"assertion": token})
        assert codes_of(answer) == ([50013] if token else [900144])


@pytest.mark.parametrize(
    "body",
    [b"", b"\xff\xfe=\xff", b"=&=&=", b"a" * 1_100_000, b"%zz=%", b"&".join([b"a=1"] * 3000)],
    ids=lambda b: b[:8],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json", "multipart/form-data", "x"])
def test_odd_bodies_are_refused(http: TestClient, body: bytes, kind: str) -> None:
    """Bodies that are no form, or too large, are 400 or 413."""
    answer = http.post(f"/{BIRCH}/oauth2/v2.0/token", content=body, headers={"Content-Type": kind})
    assert answer.status_code in {400, 413}


def odd_tokens(kid: str) -> list[str]:
    """Bearer tokens that are wrong in their form."""
    headers = [
        *({}, [], "x", 1, None, {"alg": "RS256"}, {"alg": "none", "kid": kid}, {"alg": ["RS256"], "kid": kid}),
        *({"alg": "RS256", "kid": kid, "nonce": 5}, {"alg": "RS256", "kid": [kid]}, {"alg": "RS256", "kid": kid}),
    ]
    parts = [base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=") for header in headers]
    deep = base64.urlsafe_b64encode(b"[" * 20000).decode().rstrip("=")
    return ["", ".", "..", "...", "a.b", "a.b.c.d", f"{deep}.x.y", *(f"{part}.e30.AA" for part in parts)]


def test_odd_tokens_are_refused_by_graph(entra: Entra) -> None:
    """Whatever a bearer token looks like, Graph says 401."""
    with entra.http_client("https://graph.microsoft.com") as graph:
        for token in odd_tokens(entra.state.keys.active.kid):
            answer = graph.get("/v1.0/me", headers={"Authorization": f"Bearer {token}"})
            assert (answer.status_code, token[:40]) == (401, token[:40])


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "http://localhost/api/auth/callback#x",
        "http://localhost/api/auth/callback/",
        "http://localhost/api/auth/Callback",
        "http://localhost/api/auth/callback?x=1",
        "http://localhost@attacker.example/api/auth/callback",
        "http://localhost.attacker.example/api/auth/callback",
        "http://localhost:80:80/api/auth/callback",
        "http://localhost:80@attacker.example/api/auth/callback",
        "http://LOCALHOST/api/auth/callback",
        "https://localhost/api/auth/callback",
        "http://127.0.0.1/api/auth/callback",
        "http://localhost\\@attacker.example/api/auth/callback",
        "http://localhost/api/auth/../auth/callback",
        "https://portal.birch.example:8443/api/auth/callback",
        "javascript:alert(1)",
        "",
    ],
)
def test_redirect_uris_match_exactly(entra: Entra, redirect_uri: str) -> None:
    """SEC-193: only the port of a loopback address may differ; these are refused with 50011."""
    from entrada_emulator.clients.checks import registered_redirect
    from entrada_emulator.errors import EntraError

    with pytest.raises(EntraError) as refused:
        registered_redirect(entra.application(), redirect_uri)
    assert refused.value.code == 50011


@pytest.mark.parametrize("port", ["", ":8000", ":65535"])
def test_any_port_of_localhost_will_do(entra: Entra, http: TestClient, port: str) -> None:
    """A native loopback redirect may listen anywhere; the token request must still repeat it exactly."""
    from entrada_emulator.clients.checks import registered_redirect

    uri = f"http://localhost{port}/callback"
    assert registered_redirect(entra.application(), uri).kind == "web"
    code = entra.code(redirect_uri=uri)
    assert codes_of(redeem(http, entra, code, redirect_uri="http://localhost:9/callback")) == [500112]
    assert redeem(http, entra, code, redirect_uri=uri).status_code == 200
