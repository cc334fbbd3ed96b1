"""Admin consent: an administrator agrees for the organisation, and the application learns of it."""

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.person import Person
from emulator.tests.sign_in import (
    ADA,
    BIRCH_AUTHORIZE,
    LOGIN,
    MIA,
    REDIRECT_URI,
    arrival_of,
    asked,
    error_of,
    person_at,
)

V2 = f"{LOGIN}/{seeds.BIRCH.id}/v2.0/adminconsent"
V1 = f"{LOGIN}/{seeds.BIRCH.id}/adminconsent"
SCOPE = "https://graph.microsoft.com/Directory.Read.All"


def request(**changes: str) -> dict[str, str]:
    fields = {"client_id": seeds.WEB_APP, "redirect_uri": REDIRECT_URI, "state": "s", "scope": SCOPE} | changes
    return {name: value for name, value in fields.items() if value}


async def as_person(person: Person, name: str) -> Person:
    await person.press(name)
    return await person.press("No")


async def test_an_administrator_grants_for_the_organisation(entra: Entra) -> None:
    """The page says what and for whom; afterwards `admin_consent`, tenant, scope and state come back."""
    person = await as_person(await person_at(entra).open(V2, request()), "Ada Admin")
    assert person.sees("Grant permissions for Birch Works?")
    assert person.sees("Read directory data")
    await person.press("Accept")
    expected = {"admin_consent": "True", "tenant": seeds.BIRCH.id, "scope": SCOPE, "state": "s"}
    assert arrival_of(person).fields == expected


async def test_afterwards_nobody_is_asked(entra: Entra) -> None:
    """The permission works for a member who could not have granted it."""
    await (await as_person(await person_at(entra).open(V2, request()), "Ada Admin")).press("Accept")
    mia = await person_at(entra).open(BIRCH_AUTHORIZE, asked(scope=SCOPE))
    await as_person(mia, "Mia Member")
    assert "code" in arrival_of(mia).fields


async def test_a_member_cannot(entra: Entra) -> None:
    """Somebody without the role sees that approval is needed, and nothing is granted."""
    person = await as_person(await person_at(entra).open(V2, request()), "Mia Member")
    assert person.page.title.startswith("Need admin approval")
    await person.press("Return to the application")
    assert error_of(person) == ("consent_required", "AADSTS90094")
    assert arrival_of(person).fields["admin_consent"] == "True"
    assert not entra.state.consents.granted(seeds.WEB_APP, user=entra.user(MIA))


async def test_a_denial_comes_back(entra: Entra) -> None:
    """Cancel answers consent_required with 65004, `admin_consent` and the state."""
    person = await as_person(await person_at(entra).open(V2, request()), "Ada Admin")
    await person.press("Cancel")
    assert error_of(person) == ("consent_required", "AADSTS65004")
    assert arrival_of(person).fields["admin_consent"] == "True"
    assert arrival_of(person).fields["state"] == "s"


async def test_version_1_asks_for_the_registration(entra: Entra) -> None:
    """Version 1 takes no scope, answers without one, and calls a denial permission_denied."""
    person = await as_person(await person_at(entra).open(V1, request(scope="")), "Ada Admin")
    await person.press("Accept")
    assert arrival_of(person).fields == {"admin_consent": "True", "tenant": seeds.BIRCH.id, "state": "s"}
    await person.open(V1, request(scope=""))
    await person.press("Cancel")
    assert error_of(person) == ("permission_denied", "AADSTS65004")


async def test_it_is_asked_although_it_was_granted(entra: Entra) -> None:
    """An administrator who comes again sees the question again: the endpoint never answers unseen."""
    person = await as_person(await person_at(entra).open(V2, request()), "Ada Admin")
    await person.press("Accept")
    await person.open(V2, request())
    assert person.sees("Grant permissions for Birch Works?")


async def test_on_organizations_the_administrators_own_tenant_is_meant(entra: Entra) -> None:
    """The tenant that comes back is that of the administrator who signed in."""
    url = f"{LOGIN}/organizations/v2.0/adminconsent"
    person = await person_at(entra).open(url, request(client_id=seeds.MULTI_TENANT_APP))
    await person.press("Next", username=ADA)
    await person.press("Sign in", password=seeds.PASSWORD)
    await person.press("No")
    await person.press("Accept")
    assert arrival_of(person).fields["tenant"] == seeds.BIRCH.id


async def test_an_unregistered_redirect_uri_stays_here(entra: Entra) -> None:
    """Where to answer is checked before anything is asked."""
    person = await person_at(entra).open(V2, request(redirect_uri="https://evil.example/"))
    assert person.sees("AADSTS50011")
