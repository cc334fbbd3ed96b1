"""Journeys with clients nobody here wrote: MSAL through the real pages; Authlib, PyJWT, azure-identity over TLS."""

import ssl
from typing import Any

import jwt
import msal
import pytest
from authlib.integrations.requests_client import OAuth2Session
from azure.identity import AuthorizationCodeCredential, ClientSecretCredential
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, ServedEntra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, claims_of
from emulator.tests.person import Person
from emulator.tests.sign_in import OLGA, arrival_of, code_of, person_at

pytestmark = pytest.mark.peer

REDIRECT = "http://localhost:8000/callback"
SCOPES = ["openid", "profile", "offline_access", "User.Read"]


def trusting(served: ServedEntra) -> dict[str, Any]:
    """What azure-identity must be told: where the authority is, whom to trust, not to ask Microsoft, not to retry."""
    return {
        "authority": served.service.public_origin,
        "disable_instance_discovery": True,
        "connection_verify": served.ca_file,
        "use_env_settings": False,
        "retry_total": 0,
    }


async def agreed(person: Person, entra: Entra, url: str, name: str = "mia@birch.example") -> dict[str, str]:
    """Somebody signs in with one click and agrees; what the application gets."""
    await person.open(url)
    await person.press(f"Sign in as {entra.user(name).display_name}")
    await person.press("No")
    await person.press("Accept")
    return arrival_of(person).fields


async def test_msal_through_password_code_and_consent(entra: Entra, http: TestClient) -> None:
    """MSAL's flow with form_post: password, authenticator code, stay signed in, consent, tokens, Graph, sign-out."""
    authority = f"https://login.microsoftonline.com/{BIRCH}"
    app = msal.ConfidentialClientApplication(
        seeds.WEB_APP, client_credential=SECRETS[seeds.WEB_APP], authority=authority, http_client=http
    )
    flow = app.initiate_auth_code_flow(["User.Read"], redirect_uri=REDIRECT, response_mode="form_post", max_age=600)
    person = await person_at(entra).open(flow["auth_uri"])
    await person.press("Next", username=OLGA)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("Verify", code=code_of(entra, seeds.TOTP_SECRET))
    await person.press("No")
    await person.press("Accept")
    arrival = arrival_of(person) if person.arrival else await _posted(person)
    result = app.acquire_token_by_auth_code_flow(flow, arrival.fields)
    assert "error" not in result, result
    assert result["id_token_claims"]["name"] == "Olga Onetime"
    assert claims_of(result["access_token"])["amr"] == ["pwd", "otp", "mfa"]
    with entra.http_client("https://graph.microsoft.com") as graph:
        me = graph.get("/v1.0/me", headers={"Authorization": f"Bearer {result['access_token']}"}).json()
    assert me["userPrincipalName"] == OLGA


async def _posted(person: Person) -> Any:
    """Without scripts the form_post page is sent by its button."""
    await person.press("Continue")
    return arrival_of(person)


async def test_authlib_signs_in_renews_and_asks_userinfo(served_entra: ServedEntra) -> None:
    """Authlib over TLS, the person on the http pages; PyJWT verifies the ID token with the published keys."""
    entra, service = served_entra.entra, served_entra.service
    base = f"{service.public_origin}/{BIRCH}"
    client = OAuth2Session(
        seeds.WEB_APP, SECRETS[seeds.WEB_APP], scope=SCOPES, redirect_uri=REDIRECT, code_challenge_method="S256"
    )
    client.trust_env, client.verify = False, served_entra.ca_file
    metadata = client.get(f"{base}/v2.0/.well-known/openid-configuration", withhold_token=True).json()
    verifier = "v" * 50
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1"
    )
    answer = await agreed(Person({service.pages_origin: service.app}), entra, url)
    assert answer["state"] == state
    token = client.fetch_token(metadata["token_endpoint"], code=answer["code"], code_verifier=verifier)
    trust = ssl.create_default_context(cafile=served_entra.ca_file)
    key = jwt.PyJWKClient(metadata["jwks_uri"], ssl_context=trust).get_signing_key_from_jwt(token["id_token"])
    claims = jwt.decode(
        token["id_token"], key.key, algorithms=["RS256"], audience=seeds.WEB_APP, issuer=metadata["issuer"]
    )
    assert (claims["nonce"], claims["oid"]) == ("n-1", entra.user().id)
    assert client.get(metadata["userinfo_endpoint"]).json()["sub"] == claims["sub"]
    renewed = client.refresh_token(metadata["token_endpoint"])
    assert renewed["access_token"] != token["access_token"]
    client.close()


def test_azure_identity_as_a_daemon(served_entra: ServedEntra) -> None:
    """azure-identity gets an application's own token over TLS."""
    credential = ClientSecretCredential(
        BIRCH,
        seeds.DAEMON,
        SECRETS[seeds.DAEMON],
        **trusting(served_entra),
    )
    with credential:
        token = credential.get_token(f"api://{seeds.API}/.default")
    assert claims_of(token.token)["roles"] == ["Task.Write"]


def test_azure_identity_redeems_a_code(served_entra: ServedEntra) -> None:
    """azure-identity redeems an authorization code over TLS."""
    entra = served_entra.entra
    credential = AuthorizationCodeCredential(
        BIRCH,
        seeds.WEB_APP,
        entra.code(redirect_uri=REDIRECT),
        REDIRECT,
        client_secret=SECRETS[seeds.WEB_APP],
        **trusting(served_entra),
    )
    with credential:
        assert claims_of(credential.get_token("User.Read").token)["oid"] == entra.user().id
