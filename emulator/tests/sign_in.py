"""What the tests of the sign-in pages begin with: an emulator of one's own, a person, a request."""

from entrada_emulator import seeds
from entrada_emulator.app import create_app
from entrada_emulator.state import State
from starlette.applications import Starlette

from emulator.tests.person import Person

LOGIN = "https://login.microsoftonline.com"
BIRCH_AUTHORIZE = f"{LOGIN}/{seeds.BIRCH.id}/oauth2/v2.0/authorize"
REDIRECT_URI = "http://localhost:8000/callback"


def emulator(state: State | None = None) -> Starlette:
    """The pages for people over the default directory."""
    return create_app(state=state)


def person_at(app: Starlette | None = None) -> Person:
    """Somebody with a fresh browser."""
    return Person({LOGIN: app or emulator()})


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
