"""The version 1 endpoints: a resource instead of scopes, version 1 tokens, and answers in strings."""

from typing import Any

import jwt
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, claims_of, codes_of, header_of
from emulator.tests.sign_in import LOGIN, REDIRECT_URI, arrival_of, asked, error_of, person_at

STS = f"https://sts.windows.net/{BIRCH}/"
AUTHORIZE = f"{LOGIN}/{BIRCH}/oauth2/authorize"


def ask_v1(http: TestClient, **form: str) -> Any:
    return http.post(f"/{BIRCH}/oauth2/token", data=form)


def daemon(http: TestClient, resource: str) -> Any:
    secret = SECRETS[seeds.DAEMON]
    return ask_v1(
        http, grant_type="client_credentials", client_id=seeds.DAEMON, client_secret=secret, resource=resource
    )


def verified(http: TestClient, token: str, **expected: str) -> dict[str, Any]:
    """The claims, believed only after PyJWT verified them with the version 1 keys."""
    (key,) = [
        key for key in http.get(f"/{BIRCH}/discovery/keys").json()["keys"] if key["kid"] == header_of(token)["kid"]
    ]
    return jwt.decode(token, jwt.PyJWK(key, algorithm="RS256").key, algorithms=["RS256"], **expected)


def test_the_metadata_names_the_version_1_endpoints(http: TestClient) -> None:
    """Endpoints without `v2.0`, the issuer with its trailing slash, templated on `common`; keys without an issuer."""
    document = http.get(f"/{BIRCH}/.well-known/openid-configuration").json()
    assert document["issuer"] == STS
    assert document["token_endpoint"] == f"{LOGIN}/{BIRCH}/oauth2/token"
    assert document["authorization_endpoint"] == AUTHORIZE
    assert document["end_session_endpoint"] == f"{LOGIN}/{BIRCH}/oauth2/logout"
    assert document["microsoft_multi_refresh_token"] is True
    shared = http.get("/common/.well-known/openid-configuration").json()
    assert shared["issuer"] == "https://sts.windows.net/{tenantid}/"
    keys = http.get(f"/{BIRCH}/discovery/keys").json()["keys"]
    assert len(keys) >= 2
    assert all("issuer" not in key for key in keys)


def test_an_applications_token_for_a_version_1_api(http: TestClient) -> None:
    """The answer's numbers are text; the token has `appid`, the App ID URI as `aud`, and `x5t` in its header."""
    body = daemon(http, seeds.LEDGER_URI).json()
    assert set(body) == {
        *("token_type", "expires_in", "ext_expires_in", "expires_on", "not_before", "resource", "access_token")
    }
    assert all(isinstance(value, str) for value in body.values())
    assert body["resource"] == seeds.LEDGER_URI
    assert int(body["expires_on"]) - int(body["not_before"]) == int(body["expires_in"])
    claims = verified(http, body["access_token"], audience=seeds.LEDGER_URI, issuer=STS)
    assert (claims["ver"], claims["appid"], claims["appidacr"]) == ("1.0", seeds.DAEMON, "1")
    assert (claims["roles"], claims["idtyp"], claims["idp"]) == (["Ledger.Audit"], "app", STS)
    assert "azp" not in claims
    assert header_of(body["access_token"])["x5t"]


def test_the_resource_decides_the_version_of_the_token(http: TestClient) -> None:
    """The version 1 endpoint gives a version 2 API its version 2 token, and the other way round."""
    modern = claims_of(daemon(http, f"api://{seeds.API}").json()["access_token"])
    assert (modern["ver"], modern["aud"], modern["azp"]) == ("2.0", seeds.API, seeds.DAEMON)
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    old = claims_of(ask(http, **form, scope=f"{seeds.LEDGER_URI}/.default").json()["access_token"])
    assert (old["ver"], old["iss"]) == ("1.0", STS)


def test_the_audience_is_the_clients_own_word(http: TestClient) -> None:
    """With a trailing slash or as a GUID, `aud` repeats what the client wrote."""
    for resource in (f"{seeds.LEDGER_URI}/", seeds.LEDGER_API):
        assert claims_of(daemon(http, resource).json()["access_token"])["aud"] == resource


async def test_a_person_signs_in_at_version_1(entra: Entra, http: TestClient) -> None:
    """The conversation is the same; the ID token is version 1, and ID and refresh token come unasked."""
    wanted = asked(scope="", resource="https://graph.microsoft.com", code_challenge="")
    person = await person_at(entra).open(AUTHORIZE, wanted)
    await person.press("Sign in as Mia Member")
    await person.press("No")
    await person.press("Accept")
    secret = SECRETS[seeds.WEB_APP]
    redeemed = ask_v1(
        http,
        grant_type="authorization_code",
        client_id=seeds.WEB_APP,
        client_secret=secret,
        code=arrival_of(person).fields["code"],
        redirect_uri=REDIRECT_URI,
    ).json()
    identity = verified(http, redeemed["id_token"], audience=seeds.WEB_APP, issuer=STS)
    assert (identity["ver"], identity["upn"], identity["unique_name"]) == ("1.0", *["mia@birch.example"] * 2)
    assert (identity["amr"], identity["acr"], identity["family_name"]) == (["pwd"], "1", "Member")
    assert "preferred_username" not in identity
    assert redeemed["resource"] == "https://graph.microsoft.com"
    renewed = ask_v1(
        http,
        grant_type="refresh_token",
        client_id=seeds.WEB_APP,
        client_secret=secret,
        refresh_token=redeemed["refresh_token"],
        resource="https://graph.microsoft.com",
    ).json()
    assert claims_of(renewed["access_token"])["aud"] == "https://graph.microsoft.com"


async def test_version_1_errors_are_entras(entra: Entra, http: TestClient) -> None:
    """An unknown resource is 500011 in both places; version 2 does not know the parameter, 901002."""
    assert codes_of(daemon(http, "https://nobody.example")) == [500011]
    person = await person_at(entra).open(AUTHORIZE, asked(scope="", resource="https://nobody.example"))
    assert error_of(person) == ("invalid_resource", "AADSTS500011")
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "client_secret": SECRETS[seeds.DAEMON]}
    assert codes_of(ask(http, **form, resource=seeds.LEDGER_URI)) == [901002]


async def test_version_1_signs_out(entra: Entra) -> None:
    """The version 1 logout endpoint signs the only account out."""
    person = await person_at(entra).open(AUTHORIZE, asked(scope="", resource="https://graph.microsoft.com"))
    await person.press("Sign in as Mia Member")
    await person.press("No")
    await person.open(f"{LOGIN}/{BIRCH}/oauth2/logout")
    assert person.sees("You signed out of your account")
