"""What the tests of B2C begin with: the shop's policies, an application's request, the token endpoint."""

from typing import Any

from entrada_emulator.directory import seeds_customers as shop
from entrada_emulator.pytest_plugin import Entra

from emulator.tests.asking import CHALLENGE, VERIFIER
from emulator.tests.person import Person
from emulator.tests.sign_in import arrival_of

HOST = "https://birchshop.b2clogin.com"
REDIRECT = "http://localhost:8000/callback"
SECRET = "emulator-secret-birch-shop"
CARLA = "carla@customer.example"
API = f"{shop.SHOP_API_URI}/basket.read"


def at(policy: str, rest: str = "") -> str:
    """An address of a policy."""
    return f"{HOST}/{shop.SHOP_DOMAIN}/{policy}{rest}"


def customer(entra: Entra) -> Person:
    """Somebody with a fresh browser."""
    return Person({HOST: entra.app})


def wanted(**changes: str) -> dict[str, str]:
    """An authorization request of the shop; an empty value leaves a parameter out."""
    parameters = {
        "client_id": shop.SHOP_APP,
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": f"openid offline_access {API}",
        "nonce": "n-1",
        "state": "s-1",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in (parameters | changes).items() if value}


async def opened(entra: Entra, policy: str = "B2C_1_susi", person: Person | None = None, **changes: str) -> Person:
    """Somebody at the first page of a policy."""
    person = person or customer(entra)
    return await person.open(at(policy, "/oauth2/v2.0/authorize"), wanted(**changes))


async def signed_in(entra: Entra) -> Person:
    """Carla, signed in by one click."""
    return await (await opened(entra)).press("Carla Customer")


async def verified(person: Person, email: str) -> Person:
    """The address typed, and the code out of the emulated mailbox."""
    await person.press("Send verification code", email=email)
    code = person.page.text.rpartition("Code: ")[2][:6]
    return await person.press("Verify code", code=code)


def token(entra: Entra, policy: str = "B2C_1_susi", **form: str | None) -> Any:
    """Posts a form to a policy's token endpoint; a field of None is left out."""
    defaults = {"client_id": shop.SHOP_APP, "client_secret": SECRET, "redirect_uri": REDIRECT}
    sent = {name: value for name, value in (defaults | form).items() if value is not None}
    with entra.http_client(HOST) as http:
        return http.post(at(policy, "/oauth2/v2.0/token"), data=sent)


def redeemed(entra: Entra, person: Person, policy: str = "B2C_1_susi", **change: str | None) -> Any:
    """The tokens for the code that a person brought back."""
    form = {"grant_type": "authorization_code", "code_verifier": VERIFIER, "code": arrival_of(person).fields["code"]}
    return token(entra, policy, **(form | change))


def refused(person: Person) -> tuple[str, str]:
    """The OAuth word and the AADB2C code that the application was given."""
    fields = arrival_of(person).fields
    return fields["error"], fields["error_description"].partition(":")[0]
