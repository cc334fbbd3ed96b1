"""How the tests ask the token endpoint, and what they expect of its answers."""

import base64
import hashlib
import json
import re
from typing import Any

from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from starlette.testclient import TestClient

BLANK = re.compile(r"named \.|''|  |\(\)| \.|: \.$")
BIRCH = seeds.BIRCH.id
SECRETS = {
    seeds.WEB_APP: "emulator-secret-birch-portal",
    seeds.DAEMON: "emulator-secret-birch-night-job",
    seeds.API: "emulator-secret-birch-orders",
    seeds.LEDGER_API: "emulator-secret-birch-ledger",
    seeds.MULTI_TENANT_APP: "emulator-secret-birch-everyone",
}
VERIFIER = "a-verifier-of-more-than-forty-three-characters-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def ask(http: TestClient, *, tenant: str = BIRCH, headers: dict[str, str] | None = None, **form: str | None) -> Any:
    """Posts a form to the token endpoint; a field of None is left out."""
    sent = {name: value for name, value in form.items() if value is not None}
    return http.post(f"/{tenant}/oauth2/v2.0/token", data=sent, headers=headers or {})


def redeem(http: TestClient, entra: Entra, code: str, *, client_id: str = seeds.WEB_APP, **more: Any) -> Any:
    """Redeems a code as the web application would."""
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": SECRETS.get(client_id),
        "code": code,
        "redirect_uri": entra.application(client_id).redirect_uris[0].uri,
    }
    return ask(http, **(form | more))


def renew(http: TestClient, refresh_token: str, *, client_id: str = seeds.WEB_APP, **more: Any) -> Any:
    """Uses a refresh token as the web application would."""
    form = {
        "grant_type": "refresh_token",
        "client_id": client_id,
        "client_secret": SECRETS.get(client_id),
        "refresh_token": refresh_token,
    }
    return ask(http, **(form | more))


def claims_of(token: str) -> dict[str, Any]:
    """The payload of a token, unverified."""
    return _part(token, 1)


def header_of(token: str) -> dict[str, Any]:
    """The header of a token."""
    return _part(token, 0)


def codes_of(response: Any) -> list[int]:
    """The AADSTS codes of an error answer, whose sentence has no blank where a name belongs."""
    assert_no_blank(response.json()["error_description"])
    return response.json()["error_codes"]


def assert_no_blank(description: str) -> None:
    """Look through the sentence of an error."""
    sentence = description.partition("\r\n")[0]
    assert not BLANK.search(sentence), sentence


def _part(token: str, at: int) -> dict[str, Any]:
    part = token.split(".")[at]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
