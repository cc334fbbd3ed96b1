"""Which client may redeem how: web, single-page, public; secrets; client credentials."""

from datetime import timedelta

import pytest
from entrada_emulator.clients.client_auth import ASSERTION_TYPE
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application, RedirectUri, Secret, User
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, CHALLENGE, SECRETS, VERIFIER, ask, claims_of, codes_of, header_of, redeem

ORIGIN = {"Origin": "http://localhost:3000"}
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
API_DEFAULT = f"api://{seeds.API}/.default"


def test_a_stranger_learns_nothing_about_codes(entra: Entra, http: TestClient) -> None:
    """Whoever does not know the secret is told that, whether the code is good, spent or made up."""
    good, spent = entra.code(), entra.code()
    assert redeem(http, entra, spent).status_code == 200
    for code in (good, spent, "made-up"):
        assert codes_of(redeem(http, entra, code, client_secret="guessed")) == [7000215]
    assert redeem(http, entra, good).status_code == 200


def test_a_web_applications_code_cannot_be_redeemed_by_a_script(entra: Entra, http: TestClient) -> None:
    """With an Origin header it is 9002326, and no script may read the answer."""
    refused = redeem(http, entra, entra.code(), headers=ORIGIN)
    assert (refused.status_code, codes_of(refused)) == (400, [9002326])
    assert "access-control-allow-origin" not in refused.headers


def test_a_single_page_application_redeems_by_script_alone(entra: Entra, http: TestClient) -> None:
    """With an Origin header, PKCE and no secret it succeeds, and the script may read the answer."""
    code = entra.code(client_id=seeds.SPA, **PKCE)
    sent = {"client_id": seeds.SPA, "code_verifier": VERIFIER}
    assert codes_of(redeem(http, entra, code, **sent)) == [9002327]
    with_secret = redeem(http, entra, code, headers=ORIGIN, client_secret="x", **sent)
    assert (with_secret.status_code, codes_of(with_secret)) == (401, [700025])
    answer = redeem(http, entra, code, headers=ORIGIN, **sent)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"


def test_a_single_page_application_cannot_do_without_pkce(entra: Entra, http: TestClient) -> None:
    """A code without a challenge is 9002325 for a single-page application."""
    code = entra.code(client_id=seeds.SPA)
    assert codes_of(redeem(http, entra, code, client_id=seeds.SPA, headers=ORIGIN)) == [9002325]


def test_a_script_may_read_a_single_page_applications_refusal(entra: Entra, http: TestClient) -> None:
    """MSAL.js must be able to read the error."""
    refused = redeem(http, entra, "made-up", client_id=seeds.SPA, headers=ORIGIN)
    assert refused.headers["access-control-allow-origin"] == "*"


def test_a_public_client_brings_no_secret(entra: Entra, http: TestClient) -> None:
    """Without a secret it succeeds, with one it is 401 invalid_client 700025."""
    code = entra.code(client_id=seeds.PUBLIC_CLIENT, **PKCE)
    sent = {"client_id": seeds.PUBLIC_CLIENT, "code_verifier": VERIFIER}
    refused = redeem(http, entra, code, client_secret="x", **sent)
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (401, "invalid_client", [700025])
    assert redeem(http, entra, code, **sent).status_code == 200


def test_public_flows_must_be_switched_on(entra_keys: tuple[SigningKey, ...]) -> None:
    """An application with a public redirect URI but public flows off is 7000218."""
    redirect = RedirectUri("http://localhost", "public")
    app = Application("a0000000-0000-4000-8000-0000000000aa", BIRCH, "Off", (redirect,))
    mia = User("c0000000-0000-4000-8000-000000000001", BIRCH, "mia@birch.example", "Mia", "not-a-real-password")
    entra = new_entra(checked_world(tenants=(seeds.BIRCH,), users=(mia,), applications=(app,)), keys=entra_keys)
    with entra.http_client() as http:
        refused = redeem(http, entra, entra.code(client_id=app.client_id), client_id=app.client_id)
    assert codes_of(refused) == [7000218]


def test_a_secret_expires(entra: Entra, entra_keys: tuple[SigningKey, ...]) -> None:
    """A secret past its life is 7000222; a second one that lives is taken."""
    secrets = (Secret("emulator-secret-old", lifetime=timedelta(days=1)), Secret("emulator-secret-new"))
    app = Application("a0000000-0000-4000-8000-0000000000ab", BIRCH, "Two secrets", secrets=secrets)
    world = checked_world(tenants=(seeds.BIRCH,), applications=(app,))
    fresh = new_entra(world, keys=entra_keys)
    asked = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "scope": "00000003-0000-0000-c000-000000000000/.default",
    }
    with fresh.http_client() as http:
        assert ask(http, client_secret="emulator-secret-old", **asked).status_code == 200
        fresh.state.clock.move(timedelta(days=1))
        refused = ask(http, client_secret="emulator-secret-old", **asked)
        assert (refused.status_code, codes_of(refused)) == (401, [7000222])
        assert ask(http, client_secret="emulator-secret-new", **asked).status_code == 200


def credentials(http: TestClient, **change: str | None) -> object:
    """Asks for the daemon's own token."""
    form = {
        "grant_type": "client_credentials",
        "client_id": seeds.DAEMON,
        "client_secret": SECRETS[seeds.DAEMON],
        "scope": API_DEFAULT,
    }
    return ask(http, **(form | change))


def test_an_applications_token_has_exactly_the_recorded_claims(http: TestClient) -> None:
    """Body, header and claims of a version 2 application token are those recorded from the real service."""
    body = credentials(http).json()
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert set(header_of(body["access_token"])) == {"alg", "typ", "kid"}
    claims = claims_of(body["access_token"])
    recorded = [
        "aio",
        "aud",
        "azp",
        "azpacr",
        "exp",
        "iat",
        "iss",
        "nbf",
        "oid",
        "rh",
        "sub",
        "tid",
        "uti",
        "ver",
        "xms_ftd",
    ]
    assert set(claims) == {*recorded, "roles"}
    assert claims["sub"] == claims["oid"]
    assert claims["aud"] == seeds.API


def test_openid_scopes_beside_default_change_nothing(http: TestClient) -> None:
    """MSAL for Go sends them with every request: the token is the same, and no ID token or refresh token comes."""
    body = credentials(http, scope=f"{API_DEFAULT} openid offline_access profile").json()
    assert set(body) == {"token_type", "expires_in", "ext_expires_in", "access_token"}
    assert claims_of(body["access_token"])["aud"] == seeds.API


def test_no_role_means_no_roles_claim(http: TestClient) -> None:
    """Without a granted role a token is issued all the same, without roles."""
    api = {"client_id": seeds.API, "client_secret": SECRETS[seeds.API]}
    assert "roles" not in claims_of(credentials(http, **api).json()["access_token"])


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"scope": "openid offline_access profile"}, "invalid_scope", 70011),
        ({"scope": f"api://{seeds.API}/Orders.Read"}, "invalid_scope", 70011),
        ({"scope": f"{API_DEFAULT} https://graph.microsoft.com/.default"}, "invalid_scope", 70011),
        ({"scope": "api://nobody/.default"}, "invalid_resource", 500011),
        ({"scope": None}, "invalid_request", 900144),
        ({"tenant": "common", "client_id": seeds.MULTI_TENANT_APP}, "invalid_request", 9001023),
        ({"tenant": "consumers", "client_id": seeds.MULTI_TENANT_APP}, "invalid_request", 9001023),
        ({"client_id": seeds.SPA, "client_secret": None}, "invalid_client", 7000218),
        ({"client_secret": None, "client_assertion": "x.y.z"}, "invalid_request", 900144),
        (
            {"client_secret": None, "client_assertion": "x.y.z", "client_assertion_type": ASSERTION_TYPE},
            "invalid_client",
            50013,
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_what_an_application_may_not_ask(
    http: TestClient, change: dict[str, str | None], error: str, code: int
) -> None:
    """Each wrong request for an application's token has its word and code."""
    refused = credentials(http, **change)
    assert (refused.json()["error"], codes_of(refused)) == (error, [code])


def test_the_error_body_is_entras(http: TestClient) -> None:
    """Members in order, the three lines after the sentence, ids that match the headers, error_uri where recorded."""
    correlation = "11111111-2222-4333-8444-555555555555"
    refused = credentials(http, client_secret="wrong", headers={"client-request-id": correlation})
    body = refused.json()
    assert refused.status_code == 401
    assert list(body) == [
        *("error", "error_description", "error_codes", "timestamp", "trace_id", "correlation_id", "error_uri")
    ]
    sentence, trace, correlated, at = body["error_description"].split("\r\n")
    assert sentence.startswith("AADSTS7000215: Invalid client secret provided.")
    assert trace == f"Trace ID: {body['trace_id']}"
    assert correlated == f"Correlation ID: {correlation}"
    assert at == f"Timestamp: {body['timestamp']}"
    assert body["correlation_id"] == correlation
    assert refused.headers["x-ms-request-id"] == body["trace_id"]
    assert refused.headers["x-ms-clitelem"] == "1,7000215,0,,"
    assert {"p3p", "x-ms-ests-server"} <= set(refused.headers)
    assert body["error_uri"] == "https://login.microsoftonline.com/error?code=7000215"
    unknown = credentials(http, client_id="00000000-0000-4000-8000-00000000dead").json()
    assert "error_uri" not in unknown


def test_the_correlation_id_may_come_in_the_address(http: TestClient) -> None:
    """MSAL.js sends client-request-id as a query parameter; what is no GUID is not repeated."""
    correlation = "11111111-2222-4333-8444-555555555555"
    given = http.post(f"/{BIRCH}/oauth2/v2.0/token?client-request-id={correlation}").json()
    assert given["correlation_id"] == correlation
    odd = http.post(f"/{BIRCH}/oauth2/v2.0/token?client-request-id=<b>").json()
    assert "<b>" not in odd["error_description"]


def test_the_token_endpoint_takes_post_alone(http: TestClient) -> None:
    """GET is 900561; a preflight is answered."""
    assert codes_of(http.get(f"/{BIRCH}/oauth2/v2.0/token")) == [900561]
    assert http.options(f"/{BIRCH}/oauth2/v2.0/token", headers=ORIGIN).headers["access-control-allow-origin"] == "*"
