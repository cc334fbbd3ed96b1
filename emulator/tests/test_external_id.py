"""External ID: the Entra pipeline under a host of its own, with an issuer on yet another."""

import msal
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.pytest_plugin import Entra, ServedEntra
from starlette.testclient import TestClient

from emulator.tests.asking import ask, claims_of, codes_of
from emulator.tests.person import Person
from emulator.tests.sign_in import LOGIN, arrival_of, asked, authorize, person_at

HOST = "https://birchfamily.ciamlogin.com"
ISSUER = f"https://{shop.FAMILY.id}.ciamlogin.com/{shop.FAMILY.id}/v2.0"
WELL_KNOWN = "/v2.0/.well-known/openid-configuration"
REDIRECT = "http://localhost:8000/callback"
SECRET = "emulator-secret-birch-family"


def test_the_issuers_host_is_not_the_authoritys(entra: Entra) -> None:
    """Endpoints under the tenant's name, the issuer under its id; by id and by domain."""
    with entra.http_client(HOST) as http:
        for name in (shop.FAMILY.id, "birchfamily.onmicrosoft.com"):
            document = http.get(f"/{name}{WELL_KNOWN}").json()
            assert document["issuer"] == ISSUER
            assert document["token_endpoint"] == f"{HOST}/{shop.FAMILY.id}/oauth2/v2.0/token"
            assert document["jwks_uri"] == f"{HOST}/{shop.FAMILY.id}/discovery/v2.0/keys"
        assert {key["issuer"] for key in http.get(f"/{shop.FAMILY.id}/discovery/v2.0/keys").json()["keys"]} == {ISSUER}


@pytest.mark.peer
async def test_msal_signs_a_customer_of_external_id_in(entra: Entra) -> None:
    """MSAL with the bare ciamlogin authority; the tokens carry the issuer of the metadata."""
    with entra.http_client(HOST) as http:
        app = msal.ConfidentialClientApplication(
            shop.FAMILY_APP, client_credential=SECRET, authority=HOST, http_client=http
        )
        flow = app.initiate_auth_code_flow(["User.Read"], redirect_uri=REDIRECT, response_mode="form_post")
        person = await Person({HOST: entra.app}).open(flow["auth_uri"])
        assert not person.sees("mia@birch.example")
        await person.press("Sign in as Felix Family")
        await person.press("No")
        if person.arrival is None:
            await person.press("Continue")
        result = app.acquire_token_by_auth_code_flow(flow, arrival_of(person).fields)
    assert "error" not in result, result
    claims = result["id_token_claims"]
    assert (claims["iss"], claims["tid"]) == (ISSUER, shop.FAMILY.id)
    assert claims["preferred_username"] == "felix@birchfamily.onmicrosoft.com"


async def test_customers_stay_with_their_own_tenant(entra: Entra, http: TestClient) -> None:
    """A customer of External ID or B2C signs in at no application of employees, on `common` neither."""
    everyone = asked(client_id=seeds.MULTI_TENANT_APP)
    for name in ("felix@birchfamily.onmicrosoft.com", "carla@customer.example"):
        person = await person_at(entra).open(authorize("common"), everyone)
        assert not person.sees(name)
        await person.press("Next", username=name)
        assert person.sees("AADSTS50020")
    form = {"grant_type": "password", "client_id": seeds.PUBLIC_CLIENT, "scope": "openid"}
    refused = ask(http, tenant=shop.SHOP.id, username="carla@customer.example", password=seeds.PASSWORD, **form)
    assert codes_of(refused) == [700016]


def test_served_it_is_one_of_the_tenants_on_loopback(served_entra: ServedEntra) -> None:
    """On localhost there is one host: endpoints and issuer are under it."""
    origin = served_entra.service.public_origin
    with served_entra.entra.http_client(origin) as http:
        document = http.get(f"/{shop.FAMILY.id}{WELL_KNOWN}").json()
    assert document["issuer"] == f"{origin}/{shop.FAMILY.id}/v2.0"
    assert document["token_endpoint"] == f"{origin}/{shop.FAMILY.id}/oauth2/v2.0/token"


def test_its_host_is_no_other_tenants(entra: Entra) -> None:
    """A name that no tenant has is refused, 421."""
    with entra.http_client("https://stranger.ciamlogin.com") as http:
        assert http.get(f"/{shop.FAMILY.id}{WELL_KNOWN}").status_code == 421


def test_tokens_of_employees_keep_their_issuer(entra: Entra, http: TestClient) -> None:
    """The neighbour's option changes nothing for the others."""
    form = {"grant_type": "client_credentials", "client_id": seeds.DAEMON}
    body = ask(
        http, **form, client_secret="emulator-secret-birch-night-job", scope=f"api://{seeds.API}/.default"
    ).json()
    assert claims_of(body["access_token"])["iss"] == f"{LOGIN}/{seeds.BIRCH.id}/v2.0"
