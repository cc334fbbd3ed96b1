"""Client authentication at the token endpoint: which proof a client must bring, and which it must not."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import unquote_plus

from entrada_emulator.errors import EntraError
from entrada_emulator.model import Application, RedirectKind, Secret

ClientAcr = Literal["0", "1"]
"""`azpacr` and `appidacr`: 0 for a public client, 1 for a secret."""


@dataclass(frozen=True, slots=True)
class Presented:
    """Who the client says it is and what it brought as proof."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: bool = False


def presented(form: Mapping[str, str], authorization: str | None) -> Presented:
    """Reads the body or HTTP Basic. Raises 900144 without a client id, 9002313 for a broken header."""
    basic = _basic(authorization)
    if basic is not None:
        client_id, secret = basic
        if "client_secret" in form or form.get("client_id", client_id) != client_id:
            raise EntraError(9002313)
        return Presented(client_id, secret, "client_assertion" in form)
    client_id = form.get("client_id", "")
    if not client_id:
        raise EntraError(900144, parameter="client_id")
    return Presented(client_id, form.get("client_secret"), "client_assertion" in form)


def authenticate(
    application: Application,
    proof: Presented,
    *,
    kind: RedirectKind,
    now: datetime,
    started_at: datetime,
) -> ClientAcr:
    """Judges the proof by the kind of redirect URI the grant began with.

    Raises 700025 when a public client or single-page application brings a secret, 7000218 when a confidential one
    brings none, 7000215 for a wrong and 7000222 for an expired one, 700027 for an assertion (no certificate is
    registered).
    """
    if kind == "web":
        _confidential(application, proof, now=now, started_at=started_at)
        return "1"
    if proof.secret is not None or proof.assertion:
        raise EntraError(700025)
    if kind == "public" and not application.allow_public_client:
        raise EntraError(7000218)
    return "0"


def check_presented_secret(application: Application, proof: Presented, *, now: datetime, started_at: datetime) -> None:
    """Judges a secret before the grant is looked at, so that a stranger learns nothing about codes."""
    if application.secrets and proof.secret is not None:
        _confidential(application, proof, now=now, started_at=started_at)


def _confidential(application: Application, proof: Presented, *, now: datetime, started_at: datetime) -> None:
    if proof.secret is None:
        raise EntraError(700027 if proof.assertion else 7000218, client_id=application.client_id)
    known = next((secret for secret in application.secrets if _same(secret, proof.secret)), None)
    if known is None:
        raise EntraError(7000215, client_id=application.client_id)
    if known.lifetime is not None and now >= started_at + known.lifetime:
        raise EntraError(7000222, client_id=application.client_id)


def _same(secret: Secret, value: str) -> bool:
    return hmac.compare_digest(secret.value.encode(), value.encode())


def _basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client_id, colon, secret = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise EntraError(9002313) from None
    if not colon:
        raise EntraError(9002313)
    return unquote_plus(client_id), unquote_plus(secret)
