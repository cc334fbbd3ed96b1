"""What the tests of the sign-in pages begin with: a person, a request, the usual way through."""

from datetime import timedelta

import pyotp
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application, User
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.pytest_plugin import Entra, new_entra

from emulator.tests.asking import assert_no_blank
from emulator.tests.person import Arrival, Person

LOGIN = "https://login.microsoftonline.com"
BIRCH_AUTHORIZE = f"{LOGIN}/{seeds.BIRCH.id}/oauth2/v2.0/authorize"
REDIRECT_URI = "http://localhost:8000/callback"
MIA, ADA, OLGA, PIA, NORA = (f"{name}@birch.example" for name in ("mia", "ada", "olga", "pia", "nora"))


def person_at(entra: Entra) -> Person:
    """Somebody with a fresh browser."""
    return Person({LOGIN: entra.app})


def authorize(tenant: str) -> str:
    """The authorize endpoint of a tenant path."""
    return f"{LOGIN}/{tenant}/oauth2/v2.0/authorize"


def asked(**changes: str) -> dict[str, str]:
    """An authorization request of the web application; an empty value leaves a parameter out."""
    parameters = {
        "client_id": seeds.WEB_APP,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile offline_access User.Read",
        "nonce": "n-0S6_WzA2Mj",
        "state": "af0ifjsldkj",
    }
    return {name: value for name, value in (parameters | changes).items() if value}


async def signed_in(entra: Entra, name: str = MIA, *, person: Person | None = None, keep: bool = False) -> Person:
    """Somebody who has signed in to the web application and agreed to its permissions."""
    person = person or person_at(entra)
    await person.open(BIRCH_AUTHORIZE, asked(prompt="select_account"))
    if person.page.title.startswith("Pick"):
        await person.press("Use another account")
    await person.press(entra.user(name).display_name)
    if person.page.title.startswith("Stay"):
        await person.press("Yes" if keep else "No")
    if person.arrival is None:
        await person.press("Accept")
    assert "code" in arrival_of(person).fields
    return person


def arrival_of(person: Person) -> Arrival:
    """Where the person left the emulator; fails where they are still there."""
    assert person.arrival is not None, f"still at {person.page.title!r}: {person.page.text}"
    return person.arrival


def error_of(person: Person) -> tuple[str, str]:
    """The OAuth word and the AADSTS code that the application was given."""
    fields = arrival_of(person).fields
    assert_no_blank(fields["error_description"])
    return fields["error"], fields["error_description"].partition(":")[0]


def code_of(entra: Entra, secret: str, *, later: timedelta = timedelta()) -> str:
    """What an authenticator with this secret shows at the emulator's clock."""
    return pyotp.TOTP(secret).at(entra.state.clock.now() + later)


def with_application(application: Application) -> Entra:
    """An emulator whose directory has this application in place of the one with its client id, or besides."""
    world = default_world()
    others = tuple(app for app in world.applications if app.client_id != application.client_id)
    return new_entra(World(world.tenants, world.users, world.groups, (*others, application)))


def with_person(person: User) -> Entra:
    """An emulator whose directory has this person in place of the one with their object id."""
    world = default_world()
    users = tuple(person if user.id == person.id else user for user in world.users)
    return new_entra(World(world.tenants, users, world.groups, world.applications))
