"""Client assertions: by certificate as MSAL really sends them, and by a foreign issuer that was federated."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msal
import pytest
from entrada_emulator.clients.client_auth import ASSERTION_TYPE
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Certificate, FederatedCredential
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, claims_of, codes_of
from emulator.tests.foreign import AUDIENCE, ISSUER, SUBJECT, foreign_token, signer
from emulator.tests.sign_in import with_application

AUTHORITY = f"https://login.microsoftonline.com/{BIRCH}"
TOKEN_ENDPOINT = f"{AUTHORITY}/oauth2/v2.0/token"
SCOPE = f"api://{seeds.API}/.default"
FEDERATED = FederatedCredential(ISSUER, SUBJECT, signer("foreign").jwks)


def claims(entra: Entra, **changes: Any) -> dict[str, Any]:
    """An assertion's claims; a change of None leaves one out."""
    now = entra.state.clock.now().timestamp()
    made = {
        "aud": TOKEN_ENDPOINT,
        "iss": seeds.DAEMON,
        "sub": seeds.DAEMON,
        "jti": "one",
        "iat": now,
        "exp": now + 600.5,
    }
    return {name: value for name, value in (made | changes).items() if value is not None}


def present(http: TestClient, assertion: str) -> Any:
    return ask(
        http,
        grant_type="client_credentials",
        client_id=seeds.DAEMON,
        client_assertion_type=ASSERTION_TYPE,
        client_assertion=assertion,
        scope=SCOPE,
    )


@pytest.fixture
def certified(entra: Entra) -> Entra:
    entra.state.credentials.add_certificate(seeds.DAEMON, signer().public_pem)
    return entra


@pytest.fixture
def federated(entra: Entra) -> Entra:
    entra.state.credentials.add_federated(seeds.DAEMON, FEDERATED)
    return entra


def daemon(http: TestClient, credential: Any) -> msal.ConfidentialClientApplication:
    return msal.ConfidentialClientApplication(
        seeds.DAEMON, client_credential=credential, authority=AUTHORITY, http_client=http, instance_discovery=False
    )


@pytest.mark.peer
@pytest.mark.parametrize("newer", [True, False], ids=["PS256 and x5t#S256", "RS256 and x5t"])
def test_msal_proves_itself_by_certificate(certified: Entra, http: TestClient, newer: bool) -> None:
    """MSAL's assertion is taken in both of its forms, and the token says `azpacr` 2."""
    other = {"public_certificate": signer().public_pem} if newer else {"thumbprint": signer().thumbprint}
    result = daemon(http, {"private_key": signer().private_pem} | other).acquire_token_for_client([SCOPE])
    assert "error" not in result, result
    assert claims_of(result["access_token"])["azpacr"] == "2"


@pytest.mark.peer
def test_msal_proves_itself_by_a_foreign_token(federated: Entra, http: TestClient) -> None:
    """MSAL hands on whatever the callable gives it."""
    result = daemon(http, {"client_assertion": foreign_token}).acquire_token_for_client([SCOPE])
    assert claims_of(result["access_token"])["azpacr"] == "2"


def test_an_assertion_may_be_used_again(certified: Entra, http: TestClient) -> None:
    """MSAL reuses its assertion, `jti` and all, until it nears its end."""
    assertion = signer().sign(claims(certified))
    assert present(http, assertion).status_code == present(http, assertion).status_code == 200


def test_clocks_may_differ_by_five_minutes(certified: Entra, http: TestClient) -> None:
    """An assertion that expired four minutes ago, or is not valid for four more, is taken; six are too many."""
    now = certified.state.clock.now().timestamp()
    for change in ({"exp": now - 240}, {"nbf": now + 240}):
        assert present(http, signer().sign(claims(certified, **change))).status_code == 200
    for change in ({"exp": now - 360}, {"nbf": now + 360}):
        assert codes_of(present(http, signer().sign(claims(certified, **change)))) == [700024]


def test_certificates_and_issuers_of_the_directory_count(entra: Entra) -> None:
    """What the registration names needs no control interface."""
    app = replace(
        entra.application(seeds.DAEMON),
        certificates=(Certificate(signer().public_pem),),
        federated_credentials=(FEDERATED,),
    )
    registered = with_application(app)
    with registered.http_client() as http:
        assert present(http, signer().sign(claims(registered))).status_code == 200
        assert present(http, foreign_token()).status_code == 200


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"aud": "https://login.microsoftonline.com/common/oauth2/v2.0/token"}, 50012),
        ({"aud": None}, 50012),
        ({"sub": seeds.WEB_APP}, 50048),
        ({"iss": seeds.WEB_APP}, 50048),
        ({"exp": 1}, 700024),
        ({"exp": None}, 700024),
        ({"exp": "soon"}, 700024),
        ({"exp": float("nan")}, 700024),
        ({"nbf": 4_000_000_000}, 700024),
        ({"nbf": float("nan")}, 700024),
    ],
    ids=str,
)
def test_an_assertion_must_be_about_this_client_here_and_now(
    certified: Entra, http: TestClient, change: dict[str, Any], code: int
) -> None:
    """A wrong audience, subject, issuer or time is refused, as 401 invalid_client."""
    refused = present(http, signer().sign(claims(certified, **change)))
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (401, "invalid_client", [code])


def test_another_key_proves_nothing(certified: Entra, http: TestClient) -> None:
    """A certificate that is not registered, a signature of another key, and a weakened algorithm are 700027."""
    stranger = signer("stranger")
    assert codes_of(present(http, stranger.sign(claims(certified)))) == [700027]
    borrowed = signer().sign(claims(certified)).split(".")[0]
    _, payload, signature = stranger.sign(claims(certified)).split(".")
    assert codes_of(present(http, f"{borrowed}.{payload}.{signature}")) == [700027]
    assert codes_of(present(http, signer().sign(claims(certified), alg="RS384"))) == [700027]


def test_an_old_certificate_proves_nothing(certified: Entra, http: TestClient) -> None:
    """Past its last day it is refused."""
    certified.state.clock.move(timedelta(days=31))
    assert codes_of(present(http, signer().sign(claims(certified)))) == [700027]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": f"{ISSUER}/"}, 700211),
        ({"sub": SUBJECT.upper()}, 700213),
        ({"aud": "api://elsewhere"}, 700212),
        ({"exp": 1}, 700024),
    ],
    ids=str,
)
def test_issuer_subject_and_audience_match_to_the_letter(
    federated: Entra, http: TestClient, change: dict[str, Any], code: int
) -> None:
    """Each that differs has a code of its own."""
    refused = present(http, foreign_token(**change))
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (401, "invalid_client", [code])


def test_a_foreign_token_needs_the_foreign_key(federated: Entra, http: TestClient) -> None:
    """A token that somebody else signed under the issuer's name is refused."""
    now = federated.state.clock.now().timestamp()
    forged = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "exp": now + 300}
    assert codes_of(present(http, signer().sign(forged, alg="RS256", kid="f1"))) == [50013]
    assert codes_of(present(http, signer("foreign").sign(forged, alg="PS256", kid="f1"))) == [50013]


def test_a_tenants_own_tokens_federate_only_as_an_applications(entra: Entra, http: TestClient) -> None:
    """A managed identity's token proves another application; a person's token does not, 700229."""
    identity = entra.application(seeds.API)
    form = {"grant_type": "client_credentials", "client_id": seeds.API, "client_secret": SECRETS[seeds.API]}
    token = ask(http, **form, scope=f"api://{seeds.API}/.default").json()["access_token"]
    issuer = f"{AUTHORITY}/v2.0"
    own = FederatedCredential(issuer, identity.object_id(BIRCH), audiences=(seeds.API,))
    entra.state.credentials.add_federated(seeds.DAEMON, own)
    assert present(http, token).status_code == 200
    scopes = ("openid", f"api://{seeds.API}/access_as_user")
    redeemed = http.post(
        f"/{BIRCH}/oauth2/v2.0/token",
        data={
            "grant_type": "authorization_code",
            "client_id": seeds.WEB_APP,
            "client_secret": SECRETS[seeds.WEB_APP],
            "code": entra.code(scopes=scopes),
            "redirect_uri": entra.application().redirect_uris[0].uri,
        },
    ).json()["access_token"]
    persons = replace(own, subject=claims_of(redeemed)["sub"])
    entra.state.credentials.add_federated(seeds.DAEMON, persons)
    assert codes_of(present(http, redeemed)) == [700229]


def test_an_assertion_and_a_secret_are_one_too_many(certified: Entra, http: TestClient) -> None:
    """Two proofs are a malformed request."""
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "scope": SCOPE}
    both = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signer().sign(claims(certified))}
    assert codes_of(ask(http, **form, **both, client_secret=SECRETS[seeds.DAEMON])) == [9002313]


def test_credentials_come_by_the_control_interface(entra: Entra, http: TestClient) -> None:
    """A certificate, a federated issuer and a secret are added while it runs; a broken one is told how to mend it."""
    key = {"Authorization": f"Bearer {entra.state.control_key}"}

    def add(**body: Any) -> Any:
        return http.post("/_emulator/credentials", json={"client_id": seeds.DAEMON} | body, headers=key)

    assert add(certificate=signer().public_pem).status_code == 200
    assert present(http, signer().sign(claims(entra))).status_code == 200
    issuer = {"issuer": ISSUER, "subject": SUBJECT, "jwks": json.loads(signer("foreign").jwks)}
    assert add(federated=issuer).status_code == 200
    assert present(http, foreign_token()).status_code == 200
    assert add(secret="emulator-secret-another").status_code == 200
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON, "scope": SCOPE}
    assert ask(http, **form, client_secret="emulator-secret-another").status_code == 200
    for broken in ({"certificate": "x"}, {"federated": {"issuer": "x"}}, {"secret": ""}, {}, {"client_id": "nobody"}):
        refused = add(**broken)
        assert refused.status_code == 400
        assert refused.json()["error"]
