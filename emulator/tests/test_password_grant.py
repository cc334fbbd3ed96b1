"""ROPC: where Entra lets an application ask for the password itself, and where it does not."""

from dataclasses import replace
from typing import Any

import msal
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, claims_of, codes_of
from emulator.tests.sign_in import LOGIN, NORA, OLGA, PIA, with_application

SCOPE = "openid profile offline_access User.Read"


def password(http: TestClient, **change: Any) -> Any:
    form = {
        "grant_type": "password",
        "client_id": seeds.PUBLIC_CLIENT,
        "username": "mia@birch.example",
        "password": seeds.PASSWORD,
        "scope": SCOPE,
    }
    return ask(http, **(form | change))


def test_a_name_and_a_password_bring_tokens(entra: Entra, http: TestClient) -> None:
    """A member's password at the tenant's own path, for a public client and for one with its secret."""
    body = password(http, client_info="1").json()
    assert claims_of(body["id_token"])["oid"] == entra.user().id
    assert body["refresh_token"]
    assert body["client_info"]
    entra.consent(entra.user())
    web = {"client_id": seeds.WEB_APP, "client_secret": SECRETS[seeds.WEB_APP]}
    assert password(http, **web).status_code == 200
    assert codes_of(password(http, client_id=seeds.WEB_APP)) == [7000218]


@pytest.mark.parametrize(
    ("change", "error", "suberror", "code"),
    [
        ({"password": "wrong"}, "invalid_grant", None, 50126),
        ({"username": "nobody@birch.example"}, "invalid_grant", "bad_token", 50034),
        ({"username": "gil@cedar.example"}, "invalid_grant", "bad_token", 50034),
        ({"username": "gil_cedar.example#EXT#@birch.example"}, "invalid_grant", "bad_token", 50034),
        ({"username": OLGA}, "invalid_grant", "basic_action", 50076),
        ({"username": PIA}, "invalid_grant", "basic_action", 50076),
        ({"username": NORA}, "invalid_grant", "basic_action", 50079),
        ({"username": "dan@birch.example"}, "invalid_grant", None, 50057),
        ({"scope": "Mail.Read"}, "invalid_grant", "consent_required", 65001),
        ({"scope": None}, "invalid_request", None, 900144),
        ({"username": None}, "invalid_request", None, 900144),
        ({"tenant": "common"}, "invalid_request", None, 9001023),
        ({"tenant": "consumers"}, "invalid_request", None, 9001023),
    ],
    ids=lambda value: str(value)[:40],
)
def test_where_a_password_does_not_do(
    http: TestClient, change: dict[str, Any], error: str, suberror: str | None, code: int
) -> None:
    """Wrong password, strangers, guests, second factor, disabled, no consent, shared paths."""
    body = password(http, **change).json()
    assert (body["error"], body.get("suberror"), body["error_codes"]) == (error, suberror, [code])


def test_ten_wrong_passwords_lock_here_too(http: TestClient) -> None:
    """After ten the right one is refused for a minute, 50053."""
    for _ in range(10):
        password(http, password="wrong")
    assert codes_of(password(http)) == [50053]


def test_a_script_may_not_send_passwords(http: TestClient) -> None:
    """With an Origin header it is 9002326."""
    assert codes_of(password(http, headers={"Origin": "http://localhost:3000"})) == [9002326]


def test_organizations_finds_the_persons_tenant(entra: Entra) -> None:
    """On `organizations` the tenant is the person's own; a personal account has none there."""
    shared = replace(entra.application(seeds.MULTI_TENANT_APP), allow_public_client=True)
    asking = with_application(shared)
    asking.consent(asking.user("cleo@cedar.example"), seeds.MULTI_TENANT_APP)
    sent = {"client_id": seeds.MULTI_TENANT_APP, "tenant": "organizations"}
    with asking.http_client() as http:
        body = password(http, username="cleo@cedar.example", **sent).json()
        assert claims_of(body["id_token"])["tid"] == seeds.CEDAR.id
        assert codes_of(password(http, username="petra@outlook.example", **sent)) == [50034]


@pytest.mark.peer
def test_msal_asks_the_realm_and_then_the_token(entra: Entra, http: TestClient) -> None:
    """MSAL's username-password call works unmodified, user realm included."""
    app = msal.PublicClientApplication(
        seeds.PUBLIC_CLIENT, authority=f"{LOGIN}/{BIRCH}", http_client=http, instance_discovery=False
    )
    with pytest.deprecated_call(match="more secure flow"):
        result = app.acquire_token_by_username_password("mia@birch.example", seeds.PASSWORD, ["User.Read"])
    assert "error" not in result, result
    assert entra.state.recorder.counts["userrealm"] >= 1
