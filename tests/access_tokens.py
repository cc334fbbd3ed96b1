"""Access tokens for the Birch Orders API, got from the emulated tenant as real clients get them."""

from typing import Any

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

API = seeds.API
SCOPE = f"api://{API}/access_as_user"


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a program that calls with this token."""
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def user_token(
    entra: Entra, upn: str = "mia@birch.example", *, scopes: tuple[str, ...] = (SCOPE,), **grant: Any
) -> dict[str, Any]:
    """Return the token endpoint's answer for a person who uses the command-line client."""
    return entra.tokens(upn, scopes=("openid", "profile", *scopes), **grant)


def app_token(entra: Entra, *, scope: str = f"api://{API}/.default") -> str:
    """Return the token of the night job, which has the app role Task.Write."""
    return entra.application_token(scope=scope)
