"""msal-node, unmodified, over TLS: every grant it knows, in one process."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives import hashes
from entrada_emulator.directory import seeds
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.directory.model import FederatedCredential
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, ServedEntra, served
from entrada_emulator.state import issue_code

from emulator.tests.asking import BIRCH, SECRETS, redeem
from emulator.tests.foreign import ISSUER, SUBJECT, foreign_token, signer
from emulator.tests.node import JAVASCRIPT, node_path
from emulator.tests.person import Person

pytestmark = pytest.mark.peer

REDIRECT = "http://localhost:8000/callback"
DEFAULT = [f"api://{seeds.API}/.default"]
ORDERS = ("openid", "profile", f"api://{seeds.API}/access_as_user")
BASKET = f"{shop.SHOP_API_URI}/basket.read"
PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def outcomes(entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What msal-node told of each task."""
    node = node_path()
    with served(tmp_path_factory.mktemp("emulator"), keys=entra_keys) as running:
        asked = {"origin": running.service.public_origin, "tenant": BIRCH, "tasks": _tasks(running)}
        environment = os.environ | {"NODE_EXTRA_CA_CERTS": running.ca_file}
        process = subprocess.Popen(
            [node, "clients.mjs"],
            cwd=JAVASCRIPT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            return dict(_told(running, process, json.dumps(asked)))


def _told(running: ServedEntra, process: "subprocess.Popen[str]", asked: str) -> Iterator[tuple[str, Any]]:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(asked)
    process.stdin.close()
    for line in process.stdout:
        told = json.loads(line)
        if told["name"] == "shown":
            anyio.run(_approve, running, told["outcome"]["user_code"])
        yield told["name"], told["outcome"]
    assert process.wait(PATIENCE) == 0


async def _approve(running: ServedEntra, user_code: str) -> None:
    person = Person({running.service.pages_origin: running.service.app})
    await person.open(f"{running.service.pages_origin}/devicelogin")
    await person.press("Next", code=user_code)
    await person.press("Sign in as Mia Member")
    await person.press("No")
    await person.press("Continue")


def _tasks(running: ServedEntra) -> list[dict[str, Any]]:
    entra, daemon = running.entra, {"client": seeds.DAEMON, "scopes": DEFAULT, "verb": "application"}
    credentials = entra.state.credentials
    credentials.add_certificate(seeds.DAEMON, signer().public_pem)
    credentials.add_federated(seeds.DAEMON, FederatedCredential(ISSUER, SUBJECT, signer("foreign").jwks))
    newer = {
        "thumbprintSha256": signer().certificate.fingerprint(hashes.SHA256()).hex(),
        "privateKey": signer().private_pem,
        "x5c": signer().public_pem,
    }
    older = {"thumbprint": signer().thumbprint, "privateKey": signer().private_pem}
    api = {"client": seeds.API, "secret": SECRETS[seeds.API], "scopes": [f"{seeds.LEDGER_URI}/Ledger.Read"]}
    public = {"client": seeds.PUBLIC_CLIENT, "scopes": ["User.Read"]}
    return [
        daemon | {"name": "secret", "secret": SECRETS[seeds.DAEMON]},
        daemon | {"name": "wrong secret", "secret": "wrong"},
        daemon | {"name": "certificate", "certificate": newer},
        daemon | {"name": "older certificate", "certificate": older},
        daemon | {"name": "foreign assertion", "assertion": foreign_token()},
        _web_code(entra) | {"name": "code", "verb": "code"},
        _shop_code(entra) | {"name": "policy", "verb": "code"},
        api | {"name": "on behalf of", "verb": "obo", "received": _received(running)},
        public | {"name": "device", "verb": "device"},
        public | {"name": "password", "verb": "password", "username": "mia@birch.example", "password": seeds.PASSWORD},
        public | {"name": "mfa", "verb": "password", "username": "olga@birch.example", "password": seeds.PASSWORD},
    ]


def _web_code(entra: Entra) -> dict[str, Any]:
    code = entra.code(redirect_uri=REDIRECT)
    web = {"client": seeds.WEB_APP, "secret": SECRETS[seeds.WEB_APP], "scopes": ["User.Read"]}
    return web | {"redirect": REDIRECT, "code": code}


def _shop_code(entra: Entra) -> dict[str, Any]:
    grant = CodeGrant(
        client_id=shop.SHOP_APP,
        redirect_uri=REDIRECT,
        redirect_kind="web",
        path_tenant=f"{shop.SHOP.id}/b2c_1_susi",
        tenant_id=shop.SHOP.id,
        user_id=entra.user("carla@customer.example").id,
        scopes=("openid", "offline_access", BASKET),
        sid=str(uuid.uuid4()),
        auth_time=entra.state.clock.now(),
    )
    authority = {"authority": f"{shop.SHOP_DOMAIN}/B2C_1_susi", "client": shop.SHOP_APP}
    secret = {"secret": "emulator-secret-birch-shop", "scopes": [BASKET]}
    return authority | secret | {"redirect": REDIRECT, "code": issue_code(entra.state, grant)}


def _received(running: ServedEntra) -> str:
    entra = running.entra
    with entra.http_client(running.service.public_origin) as http:
        body = redeem(http, entra, entra.code(scopes=ORDERS), scope=" ".join(ORDERS)).json()
    return str(body["access_token"])


@pytest.mark.parametrize("proof", ["certificate", "older certificate", "foreign assertion"])
def test_it_proves_itself(outcomes: dict[str, Any], proof: str) -> None:
    """By certificate in both forms and by a foreign token; `azpacr` says that it was no secret."""
    assert (outcomes[proof]["azpacr"], outcomes[proof]["roles"]) == ("2", ["Task.Write"])


def test_it_proves_itself_by_secret(outcomes: dict[str, Any]) -> None:
    """The right one brings a token, the wrong one `invalid_client`."""
    assert (outcomes["secret"]["azpacr"], outcomes["secret"]["azp"]) == ("1", seeds.DAEMON)
    assert "7000215" in outcomes["wrong secret"]["message"]


def test_it_redeems_caches_and_renews(outcomes: dict[str, Any]) -> None:
    """A code, then its own cache, then the refresh token; the account is named by home object and tenant."""
    code = outcomes["code"]
    assert (code["preferred_username"], code["cached"], code["renewed"]) == ("mia@birch.example", True, True)
    assert code["home"] == f"{code['oid']}.{BIRCH}"


def test_it_signs_customers_in(outcomes: dict[str, Any]) -> None:
    """A B2C authority under a known host: the policy is part of the account."""
    policy = outcomes["policy"]
    assert (policy["tfp"], policy["cached"], policy["renewed"]) == ("B2C_1_susi", True, True)
    assert policy["home"] == f"{policy['oid']}-b2c_1_susi.{shop.SHOP.id}"


def test_it_calls_on_behalf_of_a_person(outcomes: dict[str, Any]) -> None:
    """The token that an API received becomes one for the next API."""
    assert (outcomes["on behalf of"]["scp"], outcomes["on behalf of"]["appid"]) == ("Ledger.Read", seeds.API)


def test_it_signs_a_device_in(outcomes: dict[str, Any]) -> None:
    """Shown, approved on the page, polled."""
    assert outcomes["device"]["preferred_username"] == "mia@birch.example"


def test_it_sends_a_password_where_that_does(outcomes: dict[str, Any]) -> None:
    """A member's brings tokens; where a second factor is due the refusal says so."""
    assert outcomes["password"]["preferred_username"] == "mia@birch.example"
    assert "50076" in outcomes["mfa"]["message"]
    assert outcomes["mfa"]["suberror"] == "basic_action"
