"""Access tokens for the Birch Orders API, got from the emulated tenant as real clients get them."""

from typing import Any

from entrada_emulator import seeds
from entrada_emulator.pytest_plugin import Entra

API = seeds.API
SCOPE = f"api://{API}/access_as_user"
DAEMON_SECRET = "emulator-secret-birch-night-job"


def bearer(token: str) -> dict[str, str]:
    """Return the headers of a program that calls with this token."""
    return {"authorization": f"Bearer {token}", "accept": "application/json"}


def user_token(
    entra: Entra, upn: str = "mia@birch.example", *, scopes: tuple[str, ...] = (SCOPE,), **grant: Any
) -> dict[str, Any]:
    """Return the token endpoint's answer for a person who uses the command-line client."""
    user = entra.user(upn)
    code = entra.code(user, client_id=seeds.PUBLIC_CLIENT, scopes=("openid", "profile", *scopes), **grant)
    application = entra.application(seeds.PUBLIC_CLIENT)
    form = {
        "grant_type": "authorization_code",
        "client_id": application.client_id,
        "code": code,
        "redirect_uri": application.redirect_uris[0].uri,
        "scope": " ".join(("openid", "profile", *scopes)),
    }
    return _answer(entra, form, tenant=user.tenant_id)


def app_token(entra: Entra, *, scope: str = f"api://{API}/.default") -> str:
    """Return the token of the night job, which has the app role Task.Write."""
    form = {
        "grant_type": "client_credentials",
        "client_id": seeds.DAEMON,
        "client_secret": DAEMON_SECRET,
        "scope": scope,
    }
    return _answer(entra, form, tenant=seeds.BIRCH.id)["access_token"]


def _answer(entra: Entra, form: dict[str, str], *, tenant: str) -> dict[str, Any]:
    answer = entra.http_client().post(f"/{tenant}/oauth2/v2.0/token", data=form)
    assert answer.status_code == 200, answer.text
    return answer.json()
