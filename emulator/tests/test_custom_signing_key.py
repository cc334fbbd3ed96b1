"""An application whose claims are mapped has a signing key of its own, which is published for it alone."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

from emulator.tests.asking import BIRCH, SECRETS, ask, codes_of, header_of
from emulator.tests.sign_in import with_application
from emulator.tests.test_access_tokens import ORDERS

LOGIN = "https://login.microsoftonline.com"


@pytest.fixture
def entra(entra: Entra) -> Entra:
    return with_application(replace(entra.application(seeds.API), custom_signing_key=True))


@pytest.fixture
def http(entra: Entra) -> Iterator[TestClient]:
    with entra.http_client() as client:
        yield client


def kids(http: TestClient, keys_address: Any) -> set[str]:
    return {key["kid"] for key in http.get(str(keys_address)).json()["keys"]}


@pytest.mark.parametrize("version", ["", "/v2.0"])
@pytest.mark.parametrize("tenant", [BIRCH, "organizations"])
def test_its_key_is_where_its_metadata_say(http: TestClient, entra: Entra, tenant: str, version: str) -> None:
    """With `?appid=` the metadata differ in `jwks_uri` alone, which has the key of its tokens and no other."""
    address = f"/{tenant}{version}/.well-known/openid-configuration"
    plain, its = http.get(address).json(), http.get(address, params={"appid": seeds.API}).json()
    assert its == plain | {"jwks_uri": f"{plain['jwks_uri']}?appid={seeds.API}"}
    signer = header_of(entra.tokens(scopes=ORDERS)["access_token"])["kid"]
    assert kids(http, its["jwks_uri"]) == {signer}
    assert signer not in kids(http, plain["jwks_uri"])


def test_who_has_none_gets_the_tenants_keys(http: TestClient) -> None:
    """`?appid=` of an application without such a key changes nothing of the keys, and that of none nothing at all."""
    address = f"/{BIRCH}/v2.0/.well-known/openid-configuration"
    plain, of_portal = http.get(address).json(), http.get(address, params={"appid": seeds.WEB_APP}).json()
    assert kids(http, of_portal["jwks_uri"]) == kids(http, plain["jwks_uri"])
    assert http.get(address, params={"appid": '"><script>'}).json() == plain


def test_its_tokens_are_no_assertions(http: TestClient, entra: Entra) -> None:
    """50013: Entra takes no token that was signed with such a key on behalf of its person."""
    refused = ask(
        http,
        grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer",
        requested_token_use="on_behalf_of",
        assertion=entra.tokens(scopes=ORDERS)["access_token"],
        client_id=seeds.API,
        client_secret=SECRETS[seeds.API],
        scope=f"{seeds.LEDGER_URI}/Ledger.Read",
    )
    assert (refused.status_code, refused.json()["error"], codes_of(refused)) == (400, "invalid_grant", [50013])
