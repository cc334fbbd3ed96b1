"""On-behalf-of: an API calls the next one for the person whose token it received."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, new_entra
from starlette.testclient import TestClient

from emulator.tests.asking import SECRETS, ask, claims_of, codes_of, redeem
from emulator.tests.sign_in import with_application, with_person

ORDERS = ("openid", "profile", f"api://{seeds.API}/access_as_user")
LEDGER = f"{seeds.LEDGER_URI}/Ledger.Read"
OBO = "urn:ietf:params:oauth:grant-type:jwt-bearer"


def received(entra: Entra, http: TestClient, name: str = "mia@birch.example", **grant: Any) -> str:
    """The token with which the web application calls the orders API."""
    answer = redeem(http, entra, entra.code(entra.user(name), scopes=ORDERS, **grant), scope=" ".join(ORDERS))
    token: str = answer.json()["access_token"]
    return token


def exchange(http: TestClient, assertion: str, **change: str | None) -> Any:
    """The orders API asks for a token for the next one."""
    form = {
        "grant_type": OBO,
        "requested_token_use": "on_behalf_of",
        "client_id": seeds.API,
        "client_secret": SECRETS[seeds.API],
        "assertion": assertion,
        "scope": LEDGER,
    }
    return ask(http, **(form | change))


def test_the_next_api_hears_of_person_and_middle(entra: Entra, http: TestClient) -> None:
    """The new token names the same person and tenant, the middle API as the client, and the next API's scope."""
    first = received(entra, http)
    body = exchange(http, first).json()
    claims = claims_of(body["access_token"])
    assert claims["oid"] == claims_of(first)["oid"] == entra.user().id
    assert (claims["appid"], claims["aud"], claims["scp"]) == (seeds.API, seeds.LEDGER_URI, "Ledger.Read")
    assert claims["idtyp"] == "user"
    assert claims["sid"] == claims_of(first)["sid"]
    assert "refresh_token" not in body
    assert "id_token" not in body


def test_offline_access_brings_a_refresh_token_for_the_middle(entra: Entra, http: TestClient) -> None:
    """Only asked for it comes, and it renews for the middle API."""
    body = exchange(http, received(entra, http), scope=f"openid offline_access {LEDGER}").json()
    assert claims_of(body["id_token"])["aud"] == seeds.API
    renewed = ask(
        http,
        grant_type="refresh_token",
        client_id=seeds.API,
        client_secret=SECRETS[seeds.API],
        refresh_token=body["refresh_token"],
        scope=LEDGER,
    )
    assert claims_of(renewed.json()["access_token"])["appid"] == seeds.API


def test_default_stands_for_all_that_was_granted(entra: Entra, http: TestClient) -> None:
    """`.default` of Graph brings what the middle API's registration names there."""
    body = exchange(http, received(entra, http), scope="https://graph.microsoft.com/.default").json()
    assert "User.Read" in body["scope"].split()


def tampered(entra: Entra, http: TestClient) -> str:
    head, payload, signature = received(entra, http).split(".")
    return f"{head}.{payload}.{signature[::-1]}"


def for_somebody_else(entra: Entra, http: TestClient) -> str:
    return str(redeem(http, entra, entra.code()).json()["access_token"])


def of_an_application(entra: Entra, http: TestClient) -> str:
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    return str(ask(http, **form, scope=f"api://{seeds.API}/.default").json()["access_token"])


@pytest.mark.parametrize(
    ("assertion", "error", "code"),
    [
        (lambda *_: "not.a.token", "invalid_grant", 50013),
        (lambda *_: "", "invalid_request", 900144),
        (tampered, "invalid_grant", 50013),
        (for_somebody_else, "invalid_grant", 500131),
        (of_an_application, "unauthorized_client", 7000114),
    ],
    ids=["garbage", "none", "tampered", "another audience", "an application's"],
)
def test_what_is_no_assertion(entra: Entra, http: TestClient, assertion: Any, error: str, code: int) -> None:
    """Each thing that is no person's token for this API has its word and code."""
    refused = exchange(http, assertion(entra, http))
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (400, error, [code])


def test_an_assertion_ends_with_its_token(entra: Entra, http: TestClient) -> None:
    """Past its life it is 500133."""
    assertion = received(entra, http)
    entra.state.clock.move(timedelta(hours=2))
    assert codes_of(exchange(http, assertion)) == [500133]


def test_a_revoked_person_is_not_acted_for(entra: Entra, http: TestClient) -> None:
    """After their sessions were revoked it is 50173."""
    assertion = received(entra, http)
    entra.state.revoke_sessions(entra.user())
    assert codes_of(exchange(http, assertion)) == [50173]


def test_without_consent_it_is_65001(entra: Entra, http: TestClient) -> None:
    """The middle API needs the person's or an administrator's consent of its own."""
    refused = exchange(http, received(entra, http), scope="Mail.Read")
    assert (codes_of(refused), refused.json()["suberror"]) == ([65001], "consent_required")


def test_on_a_shared_path_a_guest_is_somebody_at_home() -> None:
    """As at Entra: `organizations` gives a token of the home tenant, the assertion's own tenant one of that."""
    guest, at_home = "gil_cedar.example#EXT#@birch.example", "gil@cedar.example"
    entra = with_application(replace(new_entra().application(seeds.API), multi_tenant=True))
    entra.consent(entra.user(at_home), seeds.API, scopes=("User.Read",))
    with entra.http_client() as http:
        assertion = received(entra, http, guest)
        for tenant, upn in (("organizations", at_home), (seeds.BIRCH.id, guest)):
            claims = claims_of(exchange(http, assertion, scope="User.Read", tenant=tenant).json()["access_token"])
            person = entra.user(upn)
            assert (claims["tid"], claims["oid"]) == (person.tenant_id, person.id)


def test_the_middle_must_prove_itself(entra: Entra, http: TestClient) -> None:
    """No secret is 7000218, a wrong one 7000215, and no use named 900144."""
    assertion = received(entra, http)
    assert codes_of(exchange(http, assertion, client_secret=None)) == [7000218]
    assert codes_of(exchange(http, assertion, client_secret="wrong")) == [7000215]
    assert codes_of(exchange(http, assertion, requested_token_use=None)) == [900144]


def test_a_second_factor_is_asked_for_with_the_claims_to_show(entra: Entra) -> None:
    """Where the person must use MFA and did not, `interaction_required` carries the claims for the client."""
    needs = with_person(replace(entra.user(), mfa_required=True, totp_secret=seeds.TOTP_SECRET))
    with needs.http_client() as http:
        form = {"scope": LEDGER}
        assertion = claims_without_second_factor(entra, needs, http)
        refused = exchange(http, assertion, **form).json()
    assert (refused["error"], refused["error_codes"], refused["suberror"]) == (
        *("interaction_required", [50076]),
        "basic_action",
    )
    assert '"access_token"' in refused["claims"]


def claims_without_second_factor(entra: Entra, needs: Entra, http: TestClient) -> str:
    """A token of somebody who signed in with a password alone, before the rule was made."""
    return received(needs, http, amr=("pwd",))


def test_an_authentication_context_travels_along(entra: Entra) -> None:
    """`acrs` of the incoming token are those of the new one."""
    api = with_application(entra.application(seeds.API))
    with api.http_client() as http:
        claims = claims_of(exchange(http, received(api, http, amr=("pwd", "mfa"), acrs=("c1",))).json()["access_token"])
    assert claims["acrs"] == ["c1"]
