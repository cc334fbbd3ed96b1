"""Who may sign in where: tenant paths, guests, foreigners, assigned applications."""

import base64
import json

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.codes import CodeGrant
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.asking import claims_of, header_of, redeem
from emulator.tests.person import Person
from emulator.tests.sign_in import (
    BIRCH_AUTHORIZE,
    LOGIN,
    REDIRECT_URI,
    arrival_of,
    asked,
    authorize,
    error_of,
    person_at,
    signed_in,
)

EVERYONE = {"client_id": seeds.MULTI_TENANT_APP}


async def through(person: Person, name: str) -> Person:
    await person.press("Next", username=name)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    return await person.press("Accept") if person.arrival is None else person


def grant_of(entra: Entra, person: Person) -> CodeGrant:
    return entra.state.codes.read(arrival_of(person).fields["code"])


@pytest.mark.parametrize("path", ["common", "organizations"])
async def test_a_shared_path_leads_to_the_persons_own_tenant(entra: Entra, path: str) -> None:
    """On `common` and `organizations` people of every organisation sign in, each with their own tenant."""
    person = await person_at(entra).open(authorize(path), asked(**EVERYONE))
    assert person.sees("cleo@cedar.example")
    await through(person, "cleo@cedar.example")
    grant = grant_of(entra, person)
    assert grant.tenant_id == seeds.CEDAR.id
    assert grant.path_tenant == path


async def test_a_verified_domain_names_the_tenant(entra: Entra) -> None:
    """A domain in the path is the tenant's GUID everywhere after."""
    person = await person_at(entra).open(authorize("BIRCH.example"), asked())
    await through(person, "mia@birch.example")
    assert grant_of(entra, person).path_tenant == seeds.BIRCH.id


async def test_personal_accounts_have_a_path_of_their_own(entra: Entra) -> None:
    """On `consumers` personal accounts alone sign in; their tenant is the one that every client knows."""
    person = await person_at(entra).open(authorize("consumers"), asked(**EVERYONE))
    assert person.sees("petra@outlook.example")
    assert not person.sees("mia@birch.example")
    await through(person, "petra@outlook.example")
    grant = grant_of(entra, person)
    assert (grant.tenant_id, grant.path_tenant) == (seeds.PERSONAL.id, "consumers")


async def test_common_takes_personal_accounts_where_the_application_does(entra: Entra) -> None:
    """`common` takes both kinds, `organizations` only the one; an application of organisations is 9002332."""
    person = await person_at(entra).open(authorize("common"), asked(**EVERYONE))
    await through(person, "petra@outlook.example")
    assert grant_of(entra, person).tenant_id == seeds.PERSONAL.id
    await person.open(authorize("organizations"), asked(**EVERYONE))
    assert not person.sees("petra@outlook.example")
    await person.press("Next", username="petra@outlook.example")
    assert person.sees("AADSTS50020")
    only_work = asked(client_id=seeds.UNCONSENTED_APP)
    await person.open(authorize("common"), only_work)
    assert not person.sees("petra@outlook.example")
    await person.open(authorize("consumers"), only_work)
    assert person.sees("AADSTS9002332")


async def test_the_personal_key_signs_for_personal_accounts(entra: Entra) -> None:
    """An ID token of a personal account is signed by the key that carries that issuer, on every path."""
    person = await person_at(entra).open(authorize("consumers"), asked(**EVERYONE))
    await through(person, "petra@outlook.example")
    with entra.http_client() as http:
        code = arrival_of(person).fields["code"]
        body = redeem(
            http, entra, code, client_id=seeds.MULTI_TENANT_APP, tenant="consumers", redirect_uri=REDIRECT_URI
        ).json()
        issuer = http.get("/consumers/v2.0/.well-known/openid-configuration").json()["issuer"]
        keys = {key["kid"]: key["issuer"] for key in http.get("/common/discovery/v2.0/keys").json()["keys"]}
    assert claims_of(body["id_token"])["iss"] == issuer == f"{LOGIN}/{seeds.PERSONAL.id}/v2.0"
    assert keys[header_of(body["id_token"])["kid"]] == issuer


async def test_a_domain_hint_tells_kinds_apart(entra: Entra) -> None:
    """`domain_hint=consumers` passes over the work account that is signed in."""
    person = await person_at(entra).open(authorize("common"), asked(**EVERYONE))
    await through(person, "cleo@cedar.example")
    await person.open(authorize("common"), asked(**EVERYONE, prompt="none", domain_hint="organizations"))
    assert "code" in arrival_of(person).fields
    await person.open(authorize("common"), asked(**EVERYONE, prompt="none", domain_hint="consumers"))
    assert error_of(person) == ("login_required", "AADSTS50058")


async def test_a_guest_signs_in_with_their_home_name(entra: Entra) -> None:
    """At the tenant they visit, a guest gets the object id they have there; `client_info` names their home."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked(client_info="1"))
    await through(person, "gil@cedar.example")
    grant = grant_of(entra, person)
    guest = next(user for user in entra.world.users_of(seeds.BIRCH.id) if user.is_guest)
    assert (grant.tenant_id, grant.user_id) == (seeds.BIRCH.id, guest.id)
    encoded = arrival_of(person).fields["client_info"]
    home = json.loads(base64.urlsafe_b64decode(encoded + "=="))
    assert home == {"uid": entra.user("gil@cedar.example").id, "utid": seeds.CEDAR.id}


async def test_a_guests_external_name_is_no_user_name(entra: Entra) -> None:
    """The #EXT# name that a guest has in the directory signs nobody in."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    await person.press("Next", username="gil_cedar.example#EXT#@birch.example")
    assert person.sees("AADSTS50034")


async def test_a_foreigner_is_refused_where_they_typed_their_name(entra: Entra) -> None:
    """Somebody of another tenant who is no guest is told so, 50020, before any password is asked."""
    person = await person_at(entra).open(BIRCH_AUTHORIZE, asked())
    await person.press("Next", username="cleo@cedar.example")
    assert person.page.title.startswith("Error: Sign in")
    assert person.sees("AADSTS50020")
    assert person.sees("does not exist in tenant")


async def test_a_foreign_session_does_not_get_in(entra: Entra) -> None:
    """A session of another tenant is no answer here: not silently, and not by picking it."""
    person = await person_at(entra).open(authorize(seeds.CEDAR.id), asked(**EVERYONE))
    await through(person, "cleo@cedar.example")
    await person.open(BIRCH_AUTHORIZE, asked(prompt="none"))
    assert error_of(person) == ("login_required", "AADSTS50058")
    await person.open(BIRCH_AUTHORIZE, asked(prompt="select_account"))
    await person.press("Cleo Cedar")
    assert person.sees("AADSTS50020")


async def test_an_application_for_the_assigned_refuses_others(entra: Entra) -> None:
    """Who is not assigned to an application that asks for it is refused, 50105, interactively and silently."""
    person = await signed_in(entra)
    for prompt in ("", "none"):
        await person.open(BIRCH_AUTHORIZE, asked(client_id=seeds.ASSIGNED_ONLY_APP, prompt=prompt))
        assert error_of(person) == ("interaction_required", "AADSTS50105")
