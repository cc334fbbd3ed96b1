"""Credentials of clients nobody here wrote, over TLS: certificate, federated assertion, on-behalf-of."""

from pathlib import Path
from typing import Any

import msal
import pytest
from azure.identity import CertificateCredential, ClientAssertionCredential, OnBehalfOfCredential
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import FederatedCredential
from entrada_emulator.pytest_plugin import Entra, ServedEntra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, claims_of, redeem
from emulator.tests.foreign import ISSUER, SUBJECT, foreign_token, signer
from emulator.tests.test_peers import trusting

pytestmark = pytest.mark.peer

ORDERS = ("openid", "profile", f"api://{seeds.API}/access_as_user")
LEDGER = f"{seeds.LEDGER_URI}/Ledger.Read"


def received(entra: Entra, http: Any) -> str:
    """The token with which the web application calls the orders API."""
    token: str = redeem(http, entra, entra.code(scopes=ORDERS), scope=" ".join(ORDERS)).json()["access_token"]
    return token


@pytest.mark.parametrize("chain", [False, True], ids=["thumbprint", "with x5c"])
def test_azure_identity_by_certificate(served_entra: ServedEntra, tmp_path: Path, chain: bool) -> None:
    """The certificate credential proves itself from its PEM file, with and without its chain in the header."""
    served_entra.entra.state.credentials.add_certificate(seeds.DAEMON, signer().public_pem)
    pem = tmp_path / "daemon.pem"
    pem.write_text(signer().private_pem + signer().public_pem)
    credential = CertificateCredential(
        BIRCH, seeds.DAEMON, str(pem), send_certificate_chain=chain, **trusting(served_entra)
    )
    with credential:
        claims = claims_of(credential.get_token(f"api://{seeds.API}/.default").token)
    assert (claims["azpacr"], claims["roles"]) == ("2", ["Task.Write"])


def test_azure_identity_by_a_federated_assertion(served_entra: ServedEntra) -> None:
    """The client assertion credential hands on what a foreign issuer says."""
    registered = FederatedCredential(ISSUER, SUBJECT, signer("foreign").jwks)
    served_entra.entra.state.credentials.add_federated(seeds.DAEMON, registered)
    credential = ClientAssertionCredential(BIRCH, seeds.DAEMON, foreign_token, **trusting(served_entra))
    with credential:
        assert claims_of(credential.get_token(f"api://{seeds.API}/.default").token)["azpacr"] == "2"


def test_azure_identity_on_behalf_of(served_entra: ServedEntra) -> None:
    """The on-behalf-of credential turns the received token into one for the next API."""
    entra = served_entra.entra
    with entra.http_client(served_entra.service.public_origin) as http:
        assertion = received(entra, http)
    credential = OnBehalfOfCredential(
        BIRCH,
        seeds.API,
        client_secret=SECRETS[seeds.API],
        user_assertion=assertion,
        **trusting(served_entra),
    )
    with credential:
        claims = claims_of(credential.get_token(LEDGER).token)
    assert (claims["oid"], claims["appid"]) == (entra.user().id, seeds.API)


def test_msal_on_behalf_of(entra: Entra, http: TestClient) -> None:
    """MSAL asks the first time, then has the token in its cache under the person's account."""
    app = msal.ConfidentialClientApplication(
        seeds.API,
        client_credential=SECRETS[seeds.API],
        authority=f"https://login.microsoftonline.com/{BIRCH}",
        http_client=http,
        instance_discovery=False,
    )
    result = app.acquire_token_on_behalf_of(received(entra, http), [LEDGER])
    assert "error" not in result, result
    assert claims_of(result["access_token"])["scp"] == "Ledger.Read"
    (account,) = app.get_accounts()
    assert app.acquire_token_silent([LEDGER], account)["token_source"] == "cache"
