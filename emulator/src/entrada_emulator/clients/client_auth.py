"""Client authentication at the token endpoint: which proof a client must bring, and which it must not."""

import base64
import binascii
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from entrada_emulator.clients.assertions import check_assertion
from entrada_emulator.clients.checks import TenantPath
from entrada_emulator.directory.model import Application, ClientAcr, RedirectKind, Secret
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking, passed
from entrada_emulator.instance import Emulator

BY_SECRET = "By a client secret that is registered and in its time."  # noqa: S105 - what a page says
PUBLIC = {
    "spa": "A single-page application has no secret: the browser's Origin and the proof key stand for it.",
    "public": "A public client has no secret: anybody could read one in it.",
}
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Presented:
    """Who the client says it is and what it brought as proof."""

    client_id: str
    secret: str | None = field(default=None, repr=False)
    assertion: str | None = field(default=None, repr=False)


def presented(form: Mapping[str, str], authorization: str | None) -> Presented:
    """Reads the body or HTTP Basic.

    Raises 900144 without a client id or for an assertion without its type, 9002313 for a broken header or proofs of
    two kinds.
    """
    assertion = _assertion(form)
    basic = _basic(authorization)
    if basic is not None:
        client_id, secret = basic
        if assertion or "client_secret" in form or form.get("client_id", client_id) != client_id:
            raise EntraError(9002313)
        return Presented(client_id, secret)
    client_id = form.get("client_id", "")
    if not client_id:
        raise EntraError(900144, parameter="client_id")
    return Presented(client_id, form.get("client_secret"), assertion)


def authenticate(
    emulator: Emulator, application: Application, proof: Presented, *, path: TenantPath, kind: RedirectKind
) -> ClientAcr:
    """Judges the proof by the kind of redirect URI the grant began with.

    Raises 700025 when a public client or single-page application brings a proof, 7000218 when a confidential one
    brings none, 7000215 for a wrong and 7000222 for an expired secret, and what `check_assertion` raises.
    """
    if kind == "web":
        return _confidential(emulator, application, proof, path)
    return _public(application, proof, kind)


def check_presented_proof(emulator: Emulator, application: Application, proof: Presented, *, path: TenantPath) -> None:
    """Judges a proof before the grant is looked at, so that a stranger learns nothing about codes."""
    registered = emulator.state.credentials.of(application)
    is_confidential = bool(registered.secrets or registered.certificates or registered.federated)
    if is_confidential and (proof.secret is not None or proof.assertion is not None):
        _confidential(emulator, application, proof, path)


def is_public(application: Application, proof: Presented) -> bool:
    """Whether the client asks as a public one: it brought no proof, and public flows are allowed."""
    return application.allow_public_client and proof.secret is None and proof.assertion is None


@checking("client_authentication")
def _public(application: Application, proof: Presented, kind: RedirectKind) -> ClientAcr:
    if proof.secret is not None or proof.assertion is not None:
        raise EntraError(700025)
    if kind == "public" and not application.allow_public_client:
        raise EntraError(7000218)
    passed("client_authentication", PUBLIC[kind])
    return "0"


@checking("client_authentication")
def _confidential(emulator: Emulator, application: Application, proof: Presented, path: TenantPath) -> ClientAcr:
    if proof.assertion is not None:
        check_assertion(emulator, application, proof.assertion, path=path)
        passed("client_authentication", "By a signed assertion: its key is registered for the application.")
        return "2"
    if proof.secret is None:
        raise EntraError(7000218, client_id=application.client_id)
    state, given = emulator.state, proof.secret
    known = next((one for one in state.credentials.of(application).secrets if _same(one, given)), None)
    if known is None:
        raise EntraError(7000215, client_id=application.client_id)
    if known.lifetime is not None and state.clock.now() >= state.started_at + known.lifetime:
        raise EntraError(7000222, client_id=application.client_id)
    passed("client_authentication", BY_SECRET)
    return "1"


def _assertion(form: Mapping[str, str]) -> str | None:
    if "client_assertion" not in form:
        return None
    if "client_secret" in form:
        raise EntraError(9002313)
    if form.get("client_assertion_type") != ASSERTION_TYPE:
        raise EntraError(900144, parameter="client_assertion_type")
    return form["client_assertion"]


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
