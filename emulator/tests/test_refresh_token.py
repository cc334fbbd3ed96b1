"""Renewal, in Entra's semantics and in strict ones."""

from dataclasses import replace
from datetime import timedelta

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import SCOPES, Entra, new_entra
from starlette.testclient import TestClient

from emulator.tests.asking import CHALLENGE, VERIFIER, claims_of, codes_of, redeem, renew

SPA_ORIGIN = {"Origin": "http://localhost:3000"}
API_SCOPE = f"api://{seeds.API}/Orders.Read"


def first_token(entra: Entra, http: TestClient, **grant: object) -> str:
    """A refresh token from a fresh sign-in of the web application."""
    token: str = redeem(http, entra, entra.code(**grant)).json()["refresh_token"]
    return token


def spa_token(entra: Entra, http: TestClient) -> str:
    """A refresh token of the single-page application."""
    code = entra.code(client_id=seeds.SPA, code_challenge=CHALLENGE, code_challenge_method="S256")
    answer = redeem(http, entra, code, client_id=seeds.SPA, code_verifier=VERIFIER, headers=SPA_ORIGIN)
    assert 86390 < answer.json()["refresh_token_expires_in"] <= 86400
    token: str = answer.json()["refresh_token"]
    return token


def test_a_renewal_brings_new_tokens_for_the_same_sign_in(entra: Entra, http: TestClient) -> None:
    """Tokens, sid and person stay, the nonce goes, the refresh token is another one."""
    first = redeem(http, entra, entra.code(nonce="n-1")).json()
    second = renew(http, first["refresh_token"]).json()
    before, after = claims_of(first["id_token"]), claims_of(second["id_token"])
    assert second["refresh_token"] != first["refresh_token"]
    assert (before["sub"], before["sid"]) == (after["sub"], after["sid"])
    assert "nonce" not in after
    assert before["uti"] != after["uti"]
    assert second["scope"] == first["scope"]


def test_entra_lets_an_old_refresh_token_live(entra: Entra, http: TestClient) -> None:
    """In Entra's semantics the used token stays good: no reuse detection."""
    token = first_token(entra, http)
    assert renew(http, token).status_code == 200
    assert renew(http, token).status_code == 200


def test_strict_rotation_ends_the_family_on_reuse(entra: Entra, http: TestClient) -> None:
    """SEC-193: in strict semantics a second use revokes the winner's token too."""
    entra.state.refresh_tokens.semantics = "strict"
    token = first_token(entra, http)
    winner = renew(http, token).json()["refresh_token"]
    assert codes_of(renew(http, token)) == [70000]
    assert codes_of(renew(http, winner)) == [70000]


def test_strict_rotation_follows_the_chain(entra: Entra, http: TestClient) -> None:
    """In strict semantics each token in turn is good once, and other families do not suffer."""
    entra.state.refresh_tokens.semantics = "strict"
    token, other = first_token(entra, http), first_token(entra, http)
    for _ in range(3):
        token = renew(http, token).json()["refresh_token"]
    assert renew(http, other).status_code == 200


def test_a_refused_renewal_does_not_use_the_token_up(entra: Entra, http: TestClient) -> None:
    """In strict semantics a refusal for another reason leaves the token as it was."""
    entra.state.refresh_tokens.semantics = "strict"
    token = first_token(entra, http)
    assert codes_of(renew(http, token, scope="Made.Up")) == [70011]
    assert codes_of(renew(http, token, client_secret="wrong")) == [7000215]
    assert renew(http, token).status_code == 200


def test_a_refresh_token_serves_every_consented_resource(entra: Entra, http: TestClient) -> None:
    """It is bound to person and client, not to a resource; without consent it says consent_required."""
    token = first_token(entra, http)
    refused = renew(http, token, scope=API_SCOPE)
    assert (codes_of(refused), refused.json()["suberror"]) == ([65001], "consent_required")
    entra.consent(entra.user(), scopes=(API_SCOPE,))
    body = renew(http, token, scope=API_SCOPE).json()
    assert claims_of(body["access_token"])["aud"] == seeds.API
    assert "id_token" not in body


def test_several_resources_bring_a_token_for_the_first(entra: Entra, http: TestClient) -> None:
    """A renewal that names two resources gets a token for the first."""
    entra.consent(entra.user(), scopes=(API_SCOPE,))
    body = renew(http, first_token(entra, http), scope=f"{API_SCOPE} User.Read").json()
    assert claims_of(body["access_token"])["aud"] == seeds.API


def test_consent_taken_back_ends_renewal(entra: Entra, http: TestClient) -> None:
    """After consent is withdrawn a renewal is refused with 65001."""
    token = first_token(entra, http)
    entra.state.consents.withdraw_all(seeds.WEB_APP)
    assert codes_of(renew(http, token)) == [65001]


def test_it_belongs_to_its_client(entra: Entra, http: TestClient) -> None:
    """SEC-193: another client's refresh token is refused."""
    assert codes_of(renew(http, first_token(entra, http), client_id=seeds.API)) == [70000]


def test_it_rests_at_most_90_days(entra: Entra, http: TestClient) -> None:
    """Ninety days without use end it with 700082 and bad_token; each use starts them anew."""
    token = first_token(entra, http)
    entra.state.clock.move(timedelta(days=89))
    assert renew(http, token).status_code == 200
    entra.state.clock.move(timedelta(days=89))
    assert renew(http, token).status_code == 200
    entra.state.clock.move(timedelta(days=90))
    refused = renew(http, token)
    assert (codes_of(refused), refused.json()["suberror"]) == ([700082], "bad_token")


def test_a_single_page_applications_chain_ends_after_a_day(entra: Entra, http: TestClient) -> None:
    """24 hours from the sign-in, carried over to every rotated token: 700084 with bad_token."""
    token = spa_token(entra, http)
    entra.state.clock.move(timedelta(hours=23))
    renewed = renew(http, token, client_id=seeds.SPA, headers=SPA_ORIGIN).json()
    assert 3590 < renewed["refresh_token_expires_in"] <= 3600
    entra.state.clock.move(timedelta(hours=1))
    refused = renew(http, renewed["refresh_token"], client_id=seeds.SPA, headers=SPA_ORIGIN)
    assert (codes_of(refused), refused.json()["suberror"]) == ([700084], "bad_token")


def test_a_single_page_applications_token_needs_an_origin(entra: Entra, http: TestClient) -> None:
    """Outside a browser it is refused with 9002327."""
    assert codes_of(renew(http, spa_token(entra, http), client_id=seeds.SPA)) == [9002327]


def test_revoking_sessions_ends_it(entra: Entra, http: TestClient) -> None:
    """After revokeSignInSessions it is refused with 50173 and bad_token; a new sign-in is good again."""
    token = first_token(entra, http)
    entra.state.revoke_sessions(entra.user())
    refused = renew(http, token)
    assert (codes_of(refused), refused.json()["suberror"]) == ([50173], "bad_token")
    assert "TokensValidFrom date" in refused.json()["error_description"]
    assert renew(http, first_token(entra, http)).status_code == 200


def test_it_follows_a_guest_to_another_tenant(entra: Entra, http: TestClient) -> None:
    """A token from home is good where the person is a guest, and names the guest there; nowhere else."""
    client = seeds.MULTI_TENANT_APP
    gil, guest = entra.user("gil@cedar.example"), entra.user("gil_cedar.example#EXT#@birch.example")
    entra.consent(guest, client)
    code = entra.code(gil, client_id=client, path_tenant=seeds.CEDAR.id)
    token = redeem(http, entra, code, client_id=client, tenant=seeds.CEDAR.id).json()["refresh_token"]
    there = renew(http, token, client_id=client, tenant=seeds.BIRCH.id).json()
    assert claims_of(there["id_token"])["oid"] == guest.id
    assert codes_of(renew(http, token, client_id=client, tenant=seeds.NETTLE.id)) == [50020]


def test_a_second_factor_that_has_become_required_ends_it(entra_keys: tuple[SigningKey, ...]) -> None:
    """A sign-in without MFA cannot be renewed for somebody who must use it: 50076 with basic_action."""
    entra = new_entra(keys=entra_keys)
    olga = entra.user("olga@birch.example")
    with entra.http_client() as http:
        weak = redeem(http, entra, entra.code(olga, amr=("pwd",))).json()["refresh_token"]
        strong = redeem(http, entra, entra.code(olga, amr=("pwd", "mfa"))).json()["refresh_token"]
        refused = renew(http, weak)
        assert (codes_of(refused), refused.json()["suberror"]) == ([50076], "basic_action")
        assert renew(http, strong).status_code == 200


def test_a_disabled_person_cannot_renew(entra: Entra, entra_keys: tuple[SigningKey, ...]) -> None:
    """Somebody disabled since the sign-in is refused with 50057."""
    world = entra.world
    off = tuple(replace(u, account_enabled=False) if u.id == entra.user().id else u for u in world.users)
    disabled = checked_world(tenants=world.tenants, users=off, groups=world.groups, applications=world.applications)
    later = new_entra(disabled, keys=entra_keys)
    grant_of = entra.state.refresh_tokens
    with entra.http_client() as http:
        token = redeem(http, entra, entra.code(scopes=SCOPES)).json()["refresh_token"]
    moved = later.state.refresh_tokens.issue(grant_of.read(token))
    with later.http_client() as http:
        assert codes_of(renew(http, moved)) == [50057]


@pytest.mark.parametrize("token", ["", "made-up", "1.emulator-rt-x"])
def test_a_made_up_token_is_refused(http: TestClient, token: str) -> None:
    """An unknown refresh token is 70000 with bad_token, an empty one 900144."""
    refused = renew(http, token)
    assert codes_of(refused) == ([70000] if token else [900144])
