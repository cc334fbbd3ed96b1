"""Conditional Access: policies that ask for more, refuse, or want it again; contexts; continuous evaluation."""

import base64
import json
from datetime import timedelta
from typing import Any

import msal
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Policy
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, claims_of, codes_of, redeem, renew
from emulator.tests.sign_in import BIRCH_AUTHORIZE, LOGIN, arrival_of, asked, code_of, error_of, person_at, signed_in

ID = "e7712ada-00ca-4000-8000-000000000001"
CONTEXT = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
CAPABLE = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'


def switch_on(entra: Entra, **more: Any) -> Policy:
    policy = Policy(ID, BIRCH, "Test", **more)
    entra.state.policies.switch_on(policy)
    return policy


def control(http: TestClient, entra: Entra, method: str, **body: Any) -> Any:
    key = {"Authorization": f"Bearer {entra.state.control_key}"}
    return http.request(method, "/_emulator/policies", json=body or None, headers=key)


async def test_a_policy_asks_for_a_second_factor(entra: Entra) -> None:
    """Somebody who needs none by themselves sets up an authenticator because the policy says so."""
    switch_on(entra, applications=(seeds.WEB_APP,))
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    await person.press("Sign in as Mia Member")
    assert person.page.title.startswith("Set up your authenticator")


async def test_a_policy_counts_where_it_says(entra: Entra) -> None:
    """Not for other people, applications or tenants; for the API that the request names."""
    switch_on(entra, users=("ada@birch.example",), applications=(seeds.API,))
    await signed_in(entra)
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(scope=f"openid api://{seeds.API}/access_as_user"))
    await person.press("Sign in as Ada Admin")
    assert person.page.title.startswith("Set up your authenticator")


async def test_a_session_without_it_is_asked_for_it(entra: Entra) -> None:
    """Signed in before the policy: silently it is 50079, interactively the set-up of a second factor alone."""
    person = await signed_in(entra)
    switch_on(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert error_of(person) == ("interaction_required", "AADSTS50079")
    await person.open(BIRCH_AUTHORIZE, asked())
    assert person.page.title.startswith("Set up your authenticator")


async def test_a_policy_blocks(entra: Entra) -> None:
    """After the password a page says so; the application gets access_denied 53003, silently at once."""
    person = await signed_in(entra)
    switch_on(entra, requires="block")
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert error_of(person) == ("access_denied", "AADSTS53003")
    await person.open(BIRCH_AUTHORIZE, asked())
    assert person.page.title.startswith("You cannot access this right now")
    assert person.sees("AADSTS53003")
    await person.press("Return to the application")
    assert error_of(person) == ("access_denied", "AADSTS53003")


async def test_sign_in_frequency_wants_the_password_again(entra: Entra, http: TestClient) -> None:
    """After its time the page asks for the password, and the refresh token is 70043 with bad_token."""
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    person = await signed_in(entra)
    switch_on(entra, requires="nothing", sign_in_frequency=timedelta(hours=1))
    assert renew(http, token).status_code == 200
    entra.state.clock.move(timedelta(minutes=61))
    refused = renew(http, token).json()
    assert (refused["error"], refused["suberror"], refused["error_codes"]) == ("invalid_grant", "bad_token", [70043])
    await person.open(BIRCH_AUTHORIZE, asked())
    assert person.page.title.startswith("Enter password")
    await person.press("Sign in", password=seeds.PASSWORD)
    if person.arrival is None:
        await person.press("No")
    assert "code" in arrival_of(person).fields


@pytest.mark.parametrize(
    ("requires", "code", "member", "suberror"),
    [("mfa", 50079, "polids", "basic_action"), ("block", 53003, "capolids", "message_only")],
)
def test_a_refresh_hears_of_policies(
    entra: Entra, http: TestClient, requires: Any, code: int, member: str, suberror: str
) -> None:
    """The refusal carries the claims that name the policy."""
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    switch_on(entra, requires=requires)
    refused = renew(http, token).json()
    assert (refused["error"], refused["error_codes"], refused["suberror"]) == ("invalid_grant", [code], suberror)
    assert json.loads(refused["claims"]) == {"access_token": {member: {"essential": True, "values": [ID]}}}


async def test_on_behalf_of_passes_the_challenge_on(entra: Entra, http: TestClient) -> None:
    """The middle API gets interaction_required with claims; a sign-in with them asks for MFA; then it goes through."""
    scopes = f"openid profile offline_access api://{seeds.API}/access_as_user"
    switch_on(entra, applications=(seeds.LEDGER_API,))
    first = redeem(http, entra, entra.code(scopes=tuple(scopes.split())), scope=scopes).json()["access_token"]
    refused = exchange(http, first)
    assert (refused.json()["error"], codes_of(refused)) == ("interaction_required", [50079])
    olga = await person_at(entra).open(BIRCH_AUTHORIZE, asked(scope=scopes, claims=refused.json()["claims"]))
    await olga.press("Sign in as Olga Onetime")
    await olga.press("Verify", code=code_of(entra, seeds.TOTP_SECRET))
    await olga.press("No")
    await olga.press("Accept")
    code = arrival_of(olga).fields["code"]
    second = redeem(http, entra, code, redirect_uri="http://localhost:8000/callback", scope=scopes).json()
    assert exchange(http, second["access_token"]).status_code == 200


def exchange(http: TestClient, assertion: str) -> Any:
    return ask(
        http,
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
        requested_token_use="on_behalf_of",
        client_id=seeds.API,
        client_secret=SECRETS[seeds.API],
        assertion=assertion,
        scope=f"{seeds.LEDGER_URI}/Ledger.Read",
    )


async def test_claims_alone_ask_for_a_second_factor(entra: Entra) -> None:
    """The challenge of a refusal, handed to the authorize endpoint, asks for it even of somebody without a policy."""
    claims = f'{{"access_token":{{"polids":{{"essential":true,"values":["{ID}"]}}}}}}'
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(claims=claims))
    await person.press("Sign in as Mia Member")
    assert person.page.title.startswith("Set up your authenticator")


async def test_a_context_is_what_its_policy_says(entra: Entra, http: TestClient) -> None:
    """A context whose policy wants a fresh sign-in alone is fulfilled without MFA, and told in `acrs`."""
    switch_on(entra, authentication_contexts=("c1",), requires="nothing", sign_in_frequency=timedelta(minutes=5))
    person = await signed_in(entra)
    await person.open(BIRCH_AUTHORIZE, asked(claims=CONTEXT))
    body = redeem(http, entra, arrival_of(person).fields["code"], redirect_uri="http://localhost:8000/callback").json()
    assert claims_of(body["access_token"])["acrs"] == ["c1"]
    entra.state.clock.move(timedelta(minutes=6))
    await person.open(BIRCH_AUTHORIZE, asked(claims=CONTEXT))
    assert person.page.title.startswith("Enter password")
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert "code" in arrival_of(person).fields


def test_a_proved_second_factor_fulfils_a_context_silently(entra: Entra, http: TestClient) -> None:
    """A refresh with the claims brings `acrs` where the policy wants MFA and the sign-in had it; a block never does."""
    token = redeem(http, entra, entra.code(amr=("pwd", "mfa"))).json()["refresh_token"]
    switch_on(entra, authentication_contexts=("c1",))
    renewed = renew(http, token, claims=CONTEXT).json()
    assert claims_of(renewed["access_token"])["acrs"] == ["c1"]
    switch_on(entra, authentication_contexts=("c1",), requires="block")
    assert codes_of(renew(http, token, claims=CONTEXT)) == [53003]
    assert renew(http, token).status_code == 200


def test_a_context_of_no_policy_wants_the_person(entra: Entra, http: TestClient) -> None:
    """Without a policy no earlier second factor fulfils it: 50076 with the claims, and nothing else is refused."""
    token = redeem(http, entra, entra.code(amr=("pwd", "mfa"))).json()["refresh_token"]
    refused = renew(http, token, claims=CONTEXT).json()
    assert (refused["error_codes"], refused["claims"]) == ([50076], CONTEXT)
    assert renew(http, token).status_code == 200


def graph(entra: Entra, token: str) -> Any:
    with entra.http_client("https://graph.microsoft.com") as http:
        return http.get("/v1.0/me", headers={"Authorization": f"Bearer {token}"})


def test_a_capable_client_gets_a_long_token_that_ends_at_once(entra: Entra, http: TestClient) -> None:
    """With cp1 Graph's token lives 20 to 28 hours and asks to be renewed half-way; a revocation ends it with 401."""
    body = redeem(http, entra, entra.code(), claims=CAPABLE).json()
    assert 20 * 3600 <= body["expires_in"] < 28 * 3600
    assert body["refresh_in"] == body["expires_in"] // 2
    assert claims_of(body["access_token"])["xms_cc"] == ["cp1"]
    assert graph(entra, body["access_token"]).status_code == 200
    plain = redeem(http, entra, entra.code()).json()
    assert plain["expires_in"] < 5400
    assert "refresh_in" not in plain
    entra.state.revoke_sessions(entra.user())
    refused = graph(entra, body["access_token"])
    challenge = refused.headers["www-authenticate"]
    assert refused.status_code == 401
    assert 'error="insufficient_claims"' in challenge
    claims = json.loads(base64.b64decode(challenge.rpartition('claims="')[2].partition('"')[0] + "=="))
    assert claims["access_token"]["nbf"]["essential"] is True
    assert graph(entra, plain["access_token"]).status_code == 200


@pytest.mark.peer
def test_msal_declares_its_capability_and_answers_the_challenge(entra: Entra, http: TestClient) -> None:
    """MSAL with cp1 has `xms_cc`; Graph's challenge makes it skip its cache, and the revocation ends the session."""
    app = msal.ConfidentialClientApplication(
        seeds.WEB_APP,
        client_credential=SECRETS[seeds.WEB_APP],
        authority=f"{LOGIN}/{BIRCH}",
        http_client=http,
        instance_discovery=False,
        client_capabilities=["cp1"],
    )
    redirect = entra.application().redirect_uris[0].uri
    flow = app.initiate_auth_code_flow(["User.Read"], redirect_uri=redirect, response_mode="form_post")
    code = entra.code(nonce=flow["auth_uri"].partition("nonce=")[2].partition("&")[0], **_pkce(flow))
    result = app.acquire_token_by_auth_code_flow(flow, {"code": code, "state": flow["state"]})
    assert "error" not in result, result
    assert claims_of(result["access_token"])["xms_cc"] == ["cp1"]
    entra.state.revoke_sessions(entra.user())
    assert graph(entra, result["access_token"]).status_code == 401
    (account,) = app.get_accounts()
    refused = app.acquire_token_silent_with_error(
        ["User.Read"], account, claims_challenge='{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    )
    assert refused["error_codes"] == [50173]


def _pkce(flow: dict[str, Any]) -> dict[str, str]:
    uri = flow["auth_uri"]
    return {
        "code_challenge": uri.partition("code_challenge=")[2].partition("&")[0],
        "code_challenge_method": "S256",
    }


def test_policies_come_by_the_control_interface(entra: Entra, http: TestClient) -> None:
    """On, shown, in force, off; what makes no sense is told."""
    token = redeem(http, entra, entra.code()).json()["refresh_token"]
    shown = control(http, entra, "POST", tenant="birch.example", requires="block", users=["mia@birch.example"])
    assert shown.json()["policies"][0]["users"] == ["mia@birch.example"]
    assert codes_of(renew(http, token)) == [53003]
    assert control(http, entra, "DELETE").json() == {"policies": []}
    assert renew(http, token).status_code == 200
    for broken in (
        {"tenant": "nowhere"},
        {"tenant": "birch.example", "requires": "wishes"},
        {"tenant": "birch.example", "users": "mia"},
        {"tenant": "birch.example", "users": ["nobody@birch.example"]},
        {"tenant": "birch.example", "applications": ["x"]},
        {"tenant": "birch.example", "user": ["x"]},
    ):
        refused = control(http, entra, "POST", **broken)
        assert refused.status_code == 400, broken
        assert refused.json()["error"]
