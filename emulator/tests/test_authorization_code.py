"""Redeeming an authorization code."""

import base64
from datetime import timedelta
from urllib.parse import quote_plus

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Secret
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, CHALLENGE, SECRETS, VERIFIER, ask, claims_of, codes_of, header_of, redeem

PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}


def test_a_code_brings_all_tokens_that_were_asked_for(entra: Entra, http: TestClient) -> None:
    """A code with openid and offline_access brings access, ID and refresh token, and client_info when asked."""
    code = entra.code(nonce="n-1", **PKCE)
    answer = redeem(http, entra, code, code_verifier=VERIFIER, client_info="1")
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {
        *("token_type", "scope", "expires_in", "ext_expires_in"),
        *("access_token", "refresh_token", "id_token", "client_info"),
    }
    assert body["token_type"] == "Bearer"
    assert 3600 <= body["expires_in"] < 5400
    assert body["scope"] == "User.Read openid profile email"
    assert answer.headers["cache-control"] == "no-store, no-cache"


def test_the_id_token_says_who_signed_in(entra: Entra, http: TestClient) -> None:
    """The ID token has the claims of the version 2 endpoint, for this client, with its nonce."""
    mia = entra.user()
    body = redeem(http, entra, entra.code(mia, nonce="n-1")).json()
    claims = claims_of(body["id_token"])
    assert claims["iss"] == f"https://login.microsoftonline.com/{BIRCH}/v2.0"
    assert claims["aud"] == seeds.WEB_APP
    assert (claims["tid"], claims["oid"]) == (BIRCH, mia.id)
    assert claims["nonce"] == "n-1"
    assert claims["ver"] == "2.0"
    assert claims["exp"] - claims["iat"] == 3600
    assert claims["preferred_username"] == "mia@birch.example"
    assert claims["groups"] == [seeds.ENGINEERING]
    assert len(claims["sub"]) == 43
    assert {"aio", "rh", "uti", "sid", "name", "email", "login_hint"} <= set(claims)
    assert "auth_time" not in claims
    assert set(header_of(body["id_token"])) == {"typ", "alg", "kid"}


def test_a_graph_token_is_version_one_with_a_nonce_header(entra: Entra, http: TestClient) -> None:
    """Graph gets version 1 tokens, whatever the endpoint, with x5t and nonce in the header."""
    token = redeem(http, entra, entra.code()).json()["access_token"]
    assert set(header_of(token)) == {"typ", "nonce", "alg", "kid", "x5t"}
    claims = claims_of(token)
    assert claims["ver"] == "1.0"
    assert claims["iss"] == f"https://sts.windows.net/{BIRCH}/"
    assert claims["appid"] == seeds.WEB_APP
    assert claims["scp"] == "User.Read openid profile email"


def test_an_api_token_has_the_shape_its_api_chose(entra: Entra, http: TestClient) -> None:
    """A version 2 API gets its own client id as audience and azp for the client."""
    scope = f"api://{seeds.API}/access_as_user"
    body = redeem(http, entra, entra.code(entra.user("ada@birch.example"), scopes=("openid", "profile", scope))).json()
    claims = claims_of(body["access_token"])
    assert claims["aud"] == seeds.API
    assert (claims["azp"], claims["azpacr"], claims["ver"]) == (seeds.WEB_APP, "1", "2.0")
    assert claims["scp"] == "access_as_user"
    assert claims["roles"] == ["Admin"]
    assert body["scope"] == scope
    assert "refresh_token" not in body


def test_auth_time_comes_with_max_age(entra: Entra, http: TestClient) -> None:
    """MSAL demands auth_time after it sent max_age."""
    body = redeem(http, entra, entra.code(max_age=60)).json()
    assert claims_of(body["id_token"])["auth_time"] == int(entra.state.clock.now().timestamp())


def test_the_same_person_has_another_sub_for_each_application(entra: Entra, http: TestClient) -> None:
    """The sub is pairwise."""
    one = claims_of(redeem(http, entra, entra.code()).json()["id_token"])["sub"]
    code = entra.code(client_id=seeds.MULTI_TENANT_APP)
    other = claims_of(redeem(http, entra, code, client_id=seeds.MULTI_TENANT_APP).json()["id_token"])["sub"]
    assert one != other


def test_an_api_knows_a_person_by_another_sub_than_its_client(entra: Entra, http: TestClient) -> None:
    """The sub of an access token is the API's own; in Graph's it is the client's, as userinfo will say it."""
    scopes = ("openid", "profile", f"api://{seeds.API}/access_as_user")
    for_api, for_graph = (redeem(http, entra, entra.code(scopes=s)).json() for s in (scopes, ("openid", "User.Read")))
    client = claims_of(for_api["id_token"])["sub"]
    assert claims_of(for_api["access_token"])["sub"] != client
    assert claims_of(for_graph["access_token"])["sub"] == client


@pytest.mark.parametrize(
    ("name", "scopes", "told"),
    [
        ("mia@birch.example", ("openid", "profile"), False),
        ("mia@birch.example", ("openid", "email"), True),
        ("gil_cedar.example#EXT#@birch.example", ("openid", "profile"), True),
    ],
    ids=["a member", "a member with the scope", "a guest"],
)
def test_who_is_told_with_a_mail_address(
    entra: Entra, http: TestClient, name: str, scopes: tuple[str, ...], *, told: bool
) -> None:
    """Guests always, members where the scope or the registration asks for it."""
    code = entra.code(entra.user(name), client_id=seeds.MULTI_TENANT_APP, scopes=scopes)
    claims = claims_of(redeem(http, entra, code, client_id=seeds.MULTI_TENANT_APP).json()["id_token"])
    assert ("email" in claims) is told


def test_more_than_200_groups_become_a_pointer(entra: Entra, http: TestClient) -> None:
    """Beyond 200 groups the claim is replaced by the overage pointer."""
    greta = entra.user("greta@birch.example")
    claims = claims_of(redeem(http, entra, entra.code(greta)).json()["id_token"])
    assert "groups" not in claims
    assert claims["_claim_names"] == {"groups": "src1"}
    assert claims["_claim_sources"]["src1"]["endpoint"].endswith(f"/{BIRCH}/users/{greta.id}/getMemberObjects")


def test_a_guest_has_two_identities(entra: Entra, http: TestClient) -> None:
    """A guest's token names the guest entry, client_info the home identity."""
    gil = entra.user("gil_cedar.example#EXT#@birch.example")
    body = redeem(http, entra, entra.code(gil), client_info="1").json()
    claims = claims_of(body["id_token"])
    assert (claims["tid"], claims["oid"]) == (BIRCH, gil.id)
    assert claims["idp"] == f"https://sts.windows.net/{seeds.CEDAR.id}/"
    info = claims_of(f".{body['client_info']}.")
    assert info == {"uid": "c0000000-0000-4000-8000-000000000011", "utid": seeds.CEDAR.id}


def test_a_code_is_good_once(entra: Entra, http: TestClient) -> None:
    """SEC-193: a code redeemed a second time is refused with 54005."""
    code = entra.code()
    assert redeem(http, entra, code).status_code == 200
    again = redeem(http, entra, code)
    assert (again.status_code, again.json()["error"], codes_of(again)) == (400, "invalid_grant", [54005])


def test_a_code_is_good_for_ten_minutes(entra: Entra, http: TestClient) -> None:
    """SEC-193: a code past its ten minutes is refused with 70008."""
    code = entra.code()
    entra.state.clock.move(timedelta(minutes=10))
    assert codes_of(redeem(http, entra, code)) == [70008]


def test_a_wrong_verifier_does_not_spend_the_code(entra: Entra, http: TestClient) -> None:
    """A wrong verifier gives 501481 and the right one succeeds afterwards."""
    code = entra.code(**PKCE)
    assert codes_of(redeem(http, entra, code, code_verifier="x" * 43)) == [501481]
    assert redeem(http, entra, code, code_verifier=VERIFIER).status_code == 200


def test_a_plain_challenge_is_the_verifier_itself(entra: Entra, http: TestClient) -> None:
    """The plain method compares the verifier itself."""
    code = entra.code(code_challenge=VERIFIER, code_challenge_method="plain")
    assert redeem(http, entra, code, code_verifier=VERIFIER).status_code == 200


@pytest.mark.parametrize(
    ("grant", "verifier"),
    [(PKCE, None), ({}, VERIFIER), (PKCE, CHALLENGE), (PKCE, "short"), (PKCE, "")],
    ids=["verifier left out", "challenge left out", "challenge as verifier", "short", "empty"],
)
def test_pkce_cannot_be_talked_down(
    entra: Entra, http: TestClient, grant: dict[str, str], verifier: str | None
) -> None:
    """SEC-193: neither half of PKCE may be missing, and S256 never falls back to plain."""
    assert codes_of(redeem(http, entra, entra.code(**grant), code_verifier=verifier)) == [501481]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"redirect_uri": "http://localhost/other"}, 500112),
        ({"tenant": "common"}, 50194),
        ({"client_id": seeds.API, "client_secret": SECRETS[seeds.API]}, 70000),
        ({"code": "made-up"}, 70000),
        ({"code": None}, 900144),
        ({"redirect_uri": None}, 900144),
        ({"grant_type": None}, 900144),
        ({"grant_type": "urn:made:up"}, 70003),
        ({"client_secret": "wrong"}, 7000215),
        ({"client_secret": None}, 7000218),
        ({"client_id": "00000000-0000-4000-8000-00000000dead"}, 700038),
        ({"client_id": None}, 900144),
        ({"tenant": "e7712ada-dead-4000-8000-00000000dead"}, 90002),
        ({"tenant": seeds.CEDAR.id}, 700016),
        ({"resource": "https://graph.microsoft.com"}, 901002),
        ({"scope": f"User.Read api://{seeds.API}/access_as_user"}, 65001),
        ({"scope": "Made.Up"}, 70011),
        ({"scope": "api://nobody/x"}, 500011),
    ],
    ids=lambda value: str(value)[:60],
)
def test_each_wrong_parameter_has_its_code(
    entra: Entra, http: TestClient, change: dict[str, str | None], code: int
) -> None:
    """What is wrong with a token request is told by its AADSTS code, and never spends the code."""
    issued = entra.code()
    sent = dict(change)
    if "code" not in sent:
        sent["code"] = issued
    form = {
        "grant_type": "authorization_code",
        "client_id": seeds.WEB_APP,
        "client_secret": SECRETS[seeds.WEB_APP],
        "redirect_uri": entra.application().redirect_uris[0].uri,
    }
    answer = ask(http, **(form | sent))
    assert codes_of(answer) == [code], answer.text
    assert redeem(http, entra, issued).status_code == 200


def test_a_code_belongs_to_the_path_it_was_issued_on(entra: Entra, http: TestClient) -> None:
    """A code from /organizations is refused at the tenant's own endpoint with 700005."""
    code = entra.code(client_id=seeds.MULTI_TENANT_APP, path_tenant="organizations")
    assert codes_of(redeem(http, entra, code, client_id=seeds.MULTI_TENANT_APP)) == [700005]
    answer = redeem(http, entra, code, client_id=seeds.MULTI_TENANT_APP, tenant="organizations")
    assert answer.status_code == 200


def test_a_domain_names_its_tenant(entra: Entra, http: TestClient) -> None:
    """The token endpoint answers on a verified domain, in any case, as on the tenant's GUID."""
    assert redeem(http, entra, entra.code(), tenant="Birch.Example").status_code == 200


def test_two_resources_cannot_be_redeemed_at_once(entra: Entra, http: TestClient) -> None:
    """A scope parameter with two resources gives 700022."""
    both = ("openid", "User.Read", f"api://{seeds.API}/access_as_user")
    answer = redeem(http, entra, entra.code(scopes=both), scope=" ".join(both))
    assert (answer.json()["error"], codes_of(answer)) == ("invalid_scope", [700022])


def test_basic_authentication_counts_as_the_body_does(entra: Entra, http: TestClient) -> None:
    """The secret may travel in HTTP Basic, and then not in the body as well."""
    basic = base64.b64encode(f"{seeds.WEB_APP}:{SECRETS[seeds.WEB_APP]}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}"}
    code = entra.code()
    both = redeem(http, entra, code, headers=headers)
    assert codes_of(both) == [9002313]
    assert redeem(http, entra, code, headers=headers, client_secret=None).status_code == 200


def test_a_secret_in_basic_authentication_is_written_as_in_a_form(entra: Entra, http: TestClient) -> None:
    """Its signs are escaped before they are encoded (RFC 6749, section 2.3.1)."""
    entra.state.credentials.add_secret(seeds.WEB_APP, Secret("a+b/c%d:e"))
    basic = base64.b64encode(f"{seeds.WEB_APP}:{quote_plus('a+b/c%d:e')}".encode()).decode()
    answer = redeem(http, entra, entra.code(), headers={"Authorization": f"Basic {basic}"}, client_secret=None)
    assert answer.status_code == 200


def test_a_disabled_person_gets_no_tokens(entra: Entra, http: TestClient) -> None:
    """An account that is disabled is refused with 50057."""
    assert codes_of(redeem(http, entra, entra.code(entra.user("dan@birch.example")))) == [50057]


def test_a_code_of_a_revoked_sign_in_is_refused(entra: Entra, http: TestClient) -> None:
    """Sessions revoked between sign-in and redemption: 50173."""
    code = entra.code()
    entra.state.revoke_sessions(entra.user())
    assert codes_of(redeem(http, entra, code)) == [50173]


def test_only_assigned_people_get_tokens_where_assignment_is_required(entra: Entra, http: TestClient) -> None:
    """Somebody without a role in an application that requires assignment gets 50105."""
    code = entra.code(client_id=seeds.ASSIGNED_ONLY_APP)
    secret = "emulator-secret-birch-payroll"
    answer = redeem(http, entra, code, client_id=seeds.ASSIGNED_ONLY_APP, client_secret=secret)
    assert codes_of(answer) == [50105]


def test_unknown_fields_are_ignored_and_repeated_ones_refused(entra: Entra, http: TestClient) -> None:
    """Telemetry in the body changes nothing; a parameter sent twice is malformed."""
    code = entra.code()
    twice = http.post(
        f"/{BIRCH}/oauth2/v2.0/token",
        content="grant_type=authorization_code&grant_type=authorization_code",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert codes_of(twice) == [9002313]
    more = {"x-client-SKU": "x", "X-AnchorMailbox": "Oid:1", "x-ms-lib-capability": "retry-after, h429"}
    assert redeem(http, entra, code, **more).status_code == 200
