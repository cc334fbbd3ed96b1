"""B2C for clients: spellings of a policy, metadata, keys, tokens, refusals, and MSAL."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import jwt
import msal
import pytest
import requests
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.directory.seeds import PASSWORD, WEB_APP
from entrada_emulator.directory.world import World
from entrada_emulator.pytest_plugin import Entra, ServedEntra, new_entra

from emulator.tests.asking import VERIFIER, claims_of, header_of
from emulator.tests.customers import API, CARLA, HOST, REDIRECT, SECRET, at, opened, redeemed, signed_in, token
from emulator.tests.person import Person
from emulator.tests.sign_in import arrival_of

ISSUER = f"{HOST}/{shop.SHOP.id}/v2.0/"
WELL_KNOWN = "/v2.0/.well-known/openid-configuration"
SPA = {"client_id": shop.SHOP_SPA, "redirect_uri": "http://localhost:3000/redirect.html"}
ORIGIN = {"Origin": "http://localhost:3000"}


@pytest.mark.parametrize(
    "address",
    [
        f"/{shop.SHOP_DOMAIN}/B2C_1_susi{WELL_KNOWN}",
        f"/{shop.SHOP_DOMAIN}/b2c_1_SUSI{WELL_KNOWN}",
        f"/{shop.SHOP.id}/B2C_1_susi{WELL_KNOWN}",
        f"/tfp/{shop.SHOP_DOMAIN}/B2C_1_susi{WELL_KNOWN}",
        f"/{shop.SHOP_DOMAIN}{WELL_KNOWN}?p=B2C_1_susi",
    ],
)
def test_a_policy_has_many_spellings(entra: Entra, address: str) -> None:
    """Domain or id, any case, `tfp`, `?p=`: the same document, with the policy's own endpoints."""
    with entra.http_client(HOST) as http:
        document = http.get(address).json()
    assert document["issuer"] == ISSUER
    assert document["token_endpoint"] == at("b2c_1_susi", "/oauth2/v2.0/token")
    assert document["authorization_endpoint"] == at("b2c_1_susi", "/oauth2/v2.0/authorize")
    assert document["end_session_endpoint"] == at("b2c_1_susi", "/oauth2/v2.0/logout")


def test_an_unknown_policy_or_tenant_is_not_there(entra: Entra) -> None:
    """404 for a policy of another name and for a tenant of employees."""
    with entra.http_client(HOST) as http:
        assert http.get(f"/{shop.SHOP_DOMAIN}/B2C_1_other{WELL_KNOWN}").status_code == 404
        assert http.get(f"/birch.example/B2C_1_susi{WELL_KNOWN}").status_code == 404
    with entra.http_client("https://birchworks.b2clogin.com") as http:
        assert http.get(f"/{shop.SHOP_DOMAIN}/B2C_1_susi{WELL_KNOWN}").status_code == 421


async def test_the_issuer_may_name_the_policy(entra: Entra) -> None:
    """With the tenant's option on, issuer and metadata address belong together."""
    world = entra.world
    tenants = tuple(replace(t, policy_in_issuer=True) if t == shop.SHOP else t for t in world.tenants)
    optioned = new_entra(World(tenants, world.users, world.groups, world.applications))
    with optioned.http_client(HOST) as http:
        issuer = http.get(f"/{shop.SHOP_DOMAIN}/B2C_1_susi{WELL_KNOWN}").json()["issuer"]
        assert issuer == f"{HOST}/tfp/{shop.SHOP.id}/b2c_1_susi/v2.0/"
        assert http.get(issuer.removeprefix(HOST).rstrip("/") + WELL_KNOWN.removeprefix("/v2.0")).status_code == 200


async def test_tokens_verify_with_the_policys_keys(entra: Entra) -> None:
    """A bare key (no x5c, alg or issuer) verifies ID and access token; the access token is for the API."""
    body = redeemed(entra, await signed_in(entra), client_info="1").json()
    with entra.http_client(HOST) as http:
        (key,) = http.get(at("B2C_1_susi", "/discovery/v2.0/keys")).json()["keys"]
    assert set(key) == {"kid", "nbf", "use", "kty", "e", "n"}
    public = jwt.PyJWK(key, algorithm="RS256").key
    identity = jwt.decode(body["id_token"], public, algorithms=["RS256"], audience=shop.SHOP_APP, issuer=ISSUER)
    access = jwt.decode(body["access_token"], public, algorithms=["RS256"], audience=shop.SHOP_API, issuer=ISSUER)
    assert set(header_of(body["id_token"])) == {"typ", "alg", "kid"}
    assert (access["scp"], access["azp"], access["sub"]) == ("basket.read", shop.SHOP_APP, identity["sub"])
    assert {"not_before", "expires_on", "id_token_expires_in", "profile_info", "client_info"} <= set(body)
    assert body["refresh_token_expires_in"] == 14 * 86400


async def test_keys_rotate_and_leave(entra: Entra) -> None:
    """After a rotation the old key is on show beside the new signer, until it is withdrawn; employees' keys stay."""
    person = await signed_in(entra)
    before = header_of(redeemed(entra, person).json()["id_token"])["kid"]
    active = entra.state.keys.active.kid
    control(entra, action="rotate", of="customers")
    after = header_of(redeemed(entra, await signed_in(entra)).json()["id_token"])["kid"]
    assert before != after
    assert kids(entra) == {before, after}
    control(entra, action="withdraw", of="customers", kid=before)
    assert kids(entra) == {after}
    assert entra.state.keys.active.kid == active
    assert control(entra, action="withdraw", of="customers", kid=after).status_code == 400
    assert control(entra, action="replace", of="customers").status_code == 400


def kids(entra: Entra) -> set[str]:
    with entra.http_client(HOST) as http:
        return {key["kid"] for key in http.get(at("B2C_1_susi", "/discovery/v2.0/keys")).json()["keys"]}


def control(entra: Entra, **body: str) -> Any:
    key = {"Authorization": f"Bearer {entra.state.control_key}"}
    with entra.http_client() as http:
        return http.post("/_emulator/keys", json=body, headers=key)


async def test_without_an_api_there_is_no_access_token(entra: Entra) -> None:
    """`openid` alone brings an ID token; the client's own id is an API too."""
    alone = redeemed(entra, await (await opened(entra, scope="openid")).press("Carla Customer")).json()
    assert "access_token" not in alone
    assert "refresh_token" not in alone
    own = await (await opened(entra, scope=f"openid {shop.SHOP_APP}")).press("Carla Customer")
    assert claims_of(redeemed(entra, own).json()["access_token"])["aud"] == shop.SHOP_APP


async def test_a_grant_is_good_at_its_policy_alone(entra: Entra) -> None:
    """A code and a refresh token of one policy are 90088 at another."""
    person = await signed_in(entra)
    elsewhere = redeemed(entra, person, "B2C_1_edit").json()
    assert elsewhere["error"] == "invalid_grant"
    assert elsewhere["error_description"].startswith("AADB2C90088: ")
    assert "error_codes" not in elsewhere
    renewing = {"grant_type": "refresh_token", "refresh_token": redeemed(entra, person).json()["refresh_token"]}
    assert token(entra, "B2C_1_edit", **renewing).json()["error_description"].startswith("AADB2C90088: ")
    assert token(entra, **renewing).status_code == 200


async def test_refresh_tokens_rest_fourteen_days(entra: Entra) -> None:
    """Used before, they go on; after fourteen days of rest, or ninety in all, it is 90080."""
    body = redeemed(entra, await signed_in(entra)).json()
    for _ in range(6):
        entra.state.clock.move(timedelta(days=13))
        renewed = token(entra, grant_type="refresh_token", refresh_token=body["refresh_token"])
        assert renewed.status_code == 200
    entra.state.clock.move(timedelta(days=13))
    late = token(entra, grant_type="refresh_token", refresh_token=renewed.json()["refresh_token"])
    assert late.json()["error_description"].startswith("AADB2C90080: ")


async def test_an_account_that_changed_ends_its_grants(entra: Entra) -> None:
    """Sessions that were revoked are 90129."""
    body = redeemed(entra, await signed_in(entra)).json()
    entra.state.revoke_sessions(entra.user(CARLA))
    refused = token(entra, grant_type="refresh_token", refresh_token=body["refresh_token"])
    assert refused.json()["error_description"].startswith("AADB2C90129: ")


@pytest.mark.parametrize(
    ("change", "error", "code"),
    [
        ({"client_secret": None}, "invalid_request", 90079),
        ({"client_secret": "wrong"}, "invalid_client", 90081),
        ({"client_id": WEB_APP}, "unauthorized_client", 90018),
        ({"client_id": None}, "invalid_request", 90008),
        ({"code": "made-up"}, "invalid_grant", 90129),
        ({"code": None}, "invalid_request", 90083),
        ({"code_verifier": "x" * 43}, "invalid_grant", 90183),
        ({"code_verifier": None}, "invalid_grant", 90183),
        ({"redirect_uri": "http://localhost:8000/signed-out"}, "invalid_grant", 90129),
        ({"scope": "https://elsewhere.example/x"}, "invalid_scope", 90012),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type", 90086),
        ({"grant_type": None}, "invalid_request", 90083),
    ],
    ids=str,
)
async def test_what_the_token_endpoint_refuses(entra: Entra, change: dict[str, Any], error: str, code: int) -> None:
    """Each wrong redemption has its word and code, and leaves the code unspent."""
    person = await signed_in(entra)
    refused = redeemed(entra, person, **change)
    assert (refused.status_code, refused.json()["error"]) == (400, error)
    assert refused.json()["error_description"].startswith(f"AADB2C{code}: ")
    assert redeemed(entra, person).status_code == 200
    assert redeemed(entra, person).json()["error_description"].startswith("AADB2C90080: ")


async def test_a_single_page_application_reads_its_answer(entra: Entra) -> None:
    """With PKCE and no secret, its script may read the tokens; a web application's may not."""
    person = await (await opened(entra, **SPA, scope="openid")).press("Carla Customer")
    form = {"grant_type": "authorization_code", "code": arrival_of(person).fields["code"], "code_verifier": VERIFIER}
    with entra.http_client(HOST) as http:
        endpoint = at("B2C_1_susi", "/oauth2/v2.0/token")
        with_secret = http.post(endpoint, data=SPA | form | {"client_secret": "x"}, headers=ORIGIN)
        assert with_secret.json()["error_description"].startswith("AADB2C90084: ")
        answer = http.post(endpoint, data=SPA | form, headers=ORIGIN)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "id_token" in answer.json()
        web = http.post(endpoint, data={"client_id": shop.SHOP_APP}, headers=ORIGIN)
        assert "access-control-allow-origin" not in web.headers


def test_a_password_goes_to_the_policy_made_for_it(entra: Entra) -> None:
    """90224 at any other policy, 90225 for a wrong password, tokens for the right one."""
    form = {"grant_type": "password", "username": CARLA, "password": PASSWORD, "scope": f"openid {API}"}
    assert token(entra, "B2C_1_susi", **form).json()["error_description"].startswith("AADB2C90224: ")
    wrong = token(entra, "B2C_1_ropc", **(form | {"password": "wrong"}))
    assert wrong.json()["error_description"].startswith("AADB2C90225: ")
    assert claims_of(token(entra, "B2C_1_ropc", **form).json()["access_token"])["scp"] == "basket.read"


def shop_app(authority: str, http: Any, **more: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        shop.SHOP_APP, client_credential=SECRET, authority=authority, http_client=http, **more
    )


@pytest.mark.peer
async def test_msal_signs_a_customer_in(entra: Entra) -> None:
    """MSAL with a B2C authority, no flags: sign-in, silent renewal, one account per policy."""
    with entra.http_client(HOST) as http:
        app = shop_app(at("B2C_1_susi"), http)
        flow = app.initiate_auth_code_flow([API], redirect_uri=REDIRECT, response_mode="form_post")
        person = await Person({HOST: entra.app}).open(flow["auth_uri"])
        await person.press("Carla Customer")
        if person.arrival is None:
            await person.press("Continue")
        result = app.acquire_token_by_auth_code_flow(flow, arrival_of(person).fields)
        assert "error" not in result, result
        (account,) = app.get_accounts()
        assert account["home_account_id"] == f"{entra.user(CARLA).id}-b2c_1_susi.{shop.SHOP.id}"
        assert app.acquire_token_silent([API], account, force_refresh=True)["token_source"] == "identity_provider"


@pytest.mark.peer
async def test_msal_over_tls_on_loopback(served_entra: ServedEntra) -> None:
    """Served, the policy's authority is on localhost; pages on http; `?p=` is found too."""
    service, entra = served_entra.service, served_entra.entra
    with requests.Session() as session:
        session.trust_env, session.verify = False, served_entra.ca_file
        app = shop_app(f"{service.public_origin}/{shop.SHOP_DOMAIN}/B2C_1_susi", session)
        flow = app.initiate_auth_code_flow([API], redirect_uri=REDIRECT, response_mode="form_post")
        assert flow["auth_uri"].startswith(service.pages_origin)
        person = await Person({service.pages_origin: service.app}).open(flow["auth_uri"])
        await person.press("Carla Customer")
        if person.arrival is None:
            await person.press("Continue")
        result = app.acquire_token_by_auth_code_flow(flow, arrival_of(person).fields)
        assert "error" not in result, result
        address = f"{service.public_origin}/{shop.SHOP_DOMAIN}{WELL_KNOWN}?p=B2C_1_susi"
        issuer = session.get(address).json()["issuer"]
    assert result["id_token_claims"]["iss"] == issuer == f"{service.public_origin}/{shop.SHOP.id}/v2.0/"
    assert result["id_token_claims"]["oid"] == entra.user(CARLA).id
