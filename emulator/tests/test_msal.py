"""MSAL Python, unmodified, against the emulator: in process and over TLS."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msal
import pytest
import requests
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, ServedEntra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, claims_of

pytestmark = pytest.mark.peer

REDIRECT = "http://localhost:8000/callback"
AUTHORITY = f"https://login.microsoftonline.com/{BIRCH}"
API_SCOPE = f"api://{seeds.API}/access_as_user"


def confidential(authority: str, http_client: Any, *, client_id: str = seeds.WEB_APP, **more: Any) -> Any:
    """A confidential client with its own empty cache."""
    return msal.ConfidentialClientApplication(
        client_id,
        client_credential=SECRETS[client_id],
        authority=authority,
        http_client=http_client,
        instance_discovery=False,
        **more,
    )


def signed_in(app: Any, entra: Entra, *, client_id: str = seeds.WEB_APP, **asked: Any) -> dict[str, Any]:
    """Walks MSAL's code flow; the person's part is done by `entra.code` with what MSAL asked for."""
    flow = app.initiate_auth_code_flow(["User.Read"], redirect_uri=REDIRECT, response_mode="form_post", **asked)
    code = issued_for(entra, flow, client_id=client_id)
    result: dict[str, Any] = app.acquire_token_by_auth_code_flow(flow, {"code": code, "state": flow["state"]})
    return result


def issued_for(entra: Entra, flow: dict[str, Any], *, client_id: str) -> str:
    """A code for the authorize request that MSAL composed."""
    query = dict(parse_qsl(urlsplit(flow["auth_uri"]).query))
    return entra.code(
        client_id=client_id,
        redirect_uri=REDIRECT,
        redirect_kind=entra.application(client_id).redirect_uris[0].kind,
        scopes=tuple(query["scope"].split()),
        nonce=query["nonce"],
        code_challenge=query["code_challenge"],
        code_challenge_method=query["code_challenge_method"],
        max_age=int(query["max_age"]) if "max_age" in query else None,
    )


@pytest.fixture(params=["in process", "over TLS"])
def peer(request: pytest.FixtureRequest) -> Iterator[tuple[Entra, str, Any]]:
    """The emulator, its authority and the HTTP client that MSAL shall use, both ways."""
    if request.param == "in process":
        entra: Entra = request.getfixturevalue("entra")
        with entra.http_client() as http:
            yield entra, AUTHORITY, http
        return
    served: ServedEntra = request.getfixturevalue("served_entra")
    with requests.Session() as session:
        session.trust_env = False
        session.verify = served.ca_file
        yield served.entra, served.authority, session


def test_msal_signs_a_person_in(peer: tuple[Entra, str, Any]) -> None:
    """MSAL's confidential code flow succeeds, with nonce, max_age and account."""
    entra, authority, http = peer
    app = confidential(authority, http)
    result = signed_in(app, entra, max_age=3600)
    assert "error" not in result, result
    assert result["id_token_claims"]["oid"] == entra.user().id
    assert result["token_source"] == "identity_provider"
    (account,) = app.get_accounts()
    assert account["username"] == "mia@birch.example"
    assert account["home_account_id"] == f"{entra.user().id}.{BIRCH}"


def test_msal_renews_silently(peer: tuple[Entra, str, Any]) -> None:
    """From the cache while the token lives; from the emulator when forced, when challenged and for another API."""
    entra, authority, http = peer
    app = confidential(authority, http)
    signed_in(app, entra)
    entra.consent(entra.user(), scopes=(API_SCOPE,))
    (account,) = app.get_accounts()
    assert app.acquire_token_silent(["User.Read"], account)["token_source"] == "cache"
    forced = app.acquire_token_silent(["User.Read"], account, force_refresh=True)
    assert forced["token_source"] == "identity_provider"
    challenged = app.acquire_token_silent(
        ["User.Read"], account, claims_challenge='{"access_token":{"nbf":{"essential":true,"value":"1"}}}'
    )
    assert challenged["token_source"] == "identity_provider"
    other = app.acquire_token_silent([API_SCOPE], account)
    assert claims_of(other["access_token"])["aud"] == seeds.API


def test_msal_hears_that_a_second_factor_is_needed(peer: tuple[Entra, str, Any]) -> None:
    """A claims challenge for an authentication context that the sign-in lacks is refused as Entra refuses it."""
    entra, authority, http = peer
    app = confidential(authority, http)
    signed_in(app, entra)
    (account,) = app.get_accounts()
    challenge = '{"access_token":{"acrs":{"essential":true,"value":"c1"}}}'
    refused = app.acquire_token_silent_with_error(["User.Read"], account, claims_challenge=challenge)
    assert (refused["error"], refused["suberror"], refused["error_codes"]) == ("invalid_grant", "basic_action", [50076])
    assert '"c1"' in refused["claims"]


def test_msal_hears_of_a_revocation(peer: tuple[Entra, str, Any]) -> None:
    """After the person's sessions were revoked MSAL gets invalid_grant with bad_token."""
    entra, authority, http = peer
    app = confidential(authority, http)
    signed_in(app, entra)
    entra.state.revoke_sessions(entra.user())
    (account,) = app.get_accounts()
    refused = app.acquire_token_silent_with_error(["User.Read"], account, force_refresh=True)
    assert (refused["error_codes"], refused["suberror"]) == ([50173], "bad_token")


def test_msal_gets_an_applications_own_token(peer: tuple[Entra, str, Any]) -> None:
    """Client credentials bring a token with the granted role, then come from the cache."""
    _, authority, http = peer
    app = confidential(authority, http, client_id=seeds.DAEMON)
    scope = [f"api://{seeds.API}/.default"]
    result = app.acquire_token_for_client(scope)
    assert claims_of(result["access_token"])["roles"] == ["Task.Write"]
    assert app.acquire_token_for_client(scope)["token_source"] == "cache"


def test_msal_as_a_public_client(peer: tuple[Entra, str, Any]) -> None:
    """A public client signs in with PKCE and no secret, and renews."""
    entra, authority, http = peer
    app = msal.PublicClientApplication(
        seeds.PUBLIC_CLIENT, authority=authority, http_client=http, instance_discovery=False
    )
    result = signed_in(app, entra, client_id=seeds.PUBLIC_CLIENT)
    assert "error" not in result, result
    (account,) = app.get_accounts()
    renewed = app.acquire_token_silent(["User.Read"], account, force_refresh=True)
    assert renewed["token_source"] == "identity_provider"


def test_msal_learns_of_a_wrong_secret(peer: tuple[Entra, str, Any]) -> None:
    """A wrong secret comes back as invalid_client 7000215."""
    _, authority, http = peer
    app = msal.ConfidentialClientApplication(
        seeds.DAEMON, client_credential="wrong", authority=authority, http_client=http, instance_discovery=False
    )
    result = app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    assert (result["error"], result["error_codes"]) == ("invalid_client", [7000215])


def test_msal_takes_the_oidc_authority_and_a_trailing_slash(peer: tuple[Entra, str, Any]) -> None:
    """`oidc_authority`, and an authority that ends in a slash, find the metadata too."""
    entra, authority, http = peer
    scope = ["https://graph.microsoft.com/.default"]
    by_oidc = msal.ConfidentialClientApplication(
        seeds.DAEMON,
        client_credential=SECRETS[seeds.DAEMON],
        oidc_authority=f"{authority}/v2.0",
        http_client=http,
    )
    assert "access_token" in by_oidc.acquire_token_for_client(scope)
    slashed = confidential(f"{authority}/", http, client_id=seeds.DAEMON)
    assert "access_token" in slashed.acquire_token_for_client(scope)
    assert entra.state.recorder.counts["metadata"] == 2


def test_msal_trusts_the_true_host_names_in_process(entra: Entra, http: TestClient) -> None:
    """In process, instance discovery runs under Microsoft's names and succeeds."""
    app = msal.ConfidentialClientApplication(
        seeds.DAEMON, client_credential=SECRETS[seeds.DAEMON], authority=AUTHORITY, http_client=http
    )
    assert "access_token" in app.acquire_token_for_client(["https://graph.microsoft.com/.default"])
    assert app.get_accounts() == []
    assert entra.state.recorder.counts["instance"] >= 1


def test_msal_uses_a_token_after_the_clock_moved(entra: Entra, http: TestClient) -> None:
    """A refresh token of a web application lives 90 days from its last use."""
    app = confidential(AUTHORITY, http)
    signed_in(app, entra)
    (account,) = app.get_accounts()
    entra.state.clock.move(timedelta(days=89))
    assert "access_token" in app.acquire_token_silent(["User.Read"], account, force_refresh=True)
    entra.state.clock.move(timedelta(days=91))
    refused = app.acquire_token_silent_with_error(["User.Read"], account, force_refresh=True)
    assert refused["error_codes"] == [700082]
