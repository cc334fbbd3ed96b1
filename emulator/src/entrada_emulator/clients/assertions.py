"""Client assertions: a JWT signed with a registered certificate, or one of a foreign issuer that was federated.

Judged as leniently as the real service does, because real clients need it: MSAL Python sends dates as fractions, no
`nbf`, thumbprints with padding, and the same `jti` for ten minutes.
"""

import base64
import binascii
import hmac
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from entrada_emulator.clients.checks import TenantPath
from entrada_emulator.clients.credentials import KnownCertificate, read_certificate, read_key_set
from entrada_emulator.directory.model import Application, FederatedCredential
from entrada_emulator.errors import EntraError
from entrada_emulator.inspector.notes import checking
from entrada_emulator.instance import Emulator
from entrada_emulator.issuing.jwt import Compact, NotOurToken, opened, read
from entrada_emulator.wire.origins import Origins

CERTIFICATE_ALGORITHMS = frozenset({"RS256", "PS256"})
SKEW = 300  # seconds that clocks may differ, as everywhere in Entra


def check_assertion(emulator: Emulator, application: Application, assertion: str, *, path: TenantPath) -> None:
    """Raises unless the assertion proves the application.

    50013 for what is no assertion; by certificate 700027, 50048, 700021, 50012, 700024; federated 700211, 700213,
    700212, 700229, 50013, 700024.
    """
    try:
        token = opened(assertion)
    except NotOurToken:
        raise EntraError(50013, error="invalid_client", reason="The assertion is malformed") from None
    if application.client_id in (token.claims.get("iss"), token.claims.get("sub")):
        _by_certificate(emulator, application, token, path)
    else:
        _federated(emulator, application, token, assertion)


def _by_certificate(emulator: Emulator, application: Application, token: Compact, path: TenantPath) -> None:
    now = emulator.state.clock.now()
    with checking("assertion_signature"):
        certificate = _certificate(emulator, application, token)
        _check_signature(application, token, certificate)
    if not certificate.not_before <= now <= certificate.not_after:
        raise EntraError(700027, client_id=application.client_id, reason="The key used is expired")
    if token.claims.get("iss") != token.claims.get("sub"):
        raise EntraError(50048)
    if token.claims.get("iss") != application.client_id:
        raise EntraError(700021)
    with checking("assertion_audience"):
        if not set(_audiences(token.claims)) & set(_accepted_audiences(emulator.origins, path)):
            raise EntraError(50012, reason="The audience of the client assertion is not this token endpoint")
    check_times(token.claims, now=now, code=700024)


def _check_signature(application: Application, token: Compact, certificate: KnownCertificate) -> None:
    if str(token.header.get("alg")) not in CERTIFICATE_ALGORITHMS or not token.is_signed_by(certificate.public_key):
        raise EntraError(700027, client_id=application.client_id, reason="The key was found, but the signature is not")


def _certificate(emulator: Emulator, application: Application, token: Compact) -> KnownCertificate:
    """The registered certificate that the header names by SHA-256 or SHA-1. Raises 700027."""
    sha1, sha256 = _thumbprint(token.header.get("x5t")), _thumbprint(token.header.get("x5t#S256"))
    for registered in emulator.state.credentials.of(application).certificates:
        known = read_certificate(registered.pem)
        if hmac.compare_digest(known.sha256, sha256) or hmac.compare_digest(known.sha1, sha1):
            return known
    raise EntraError(700027, client_id=application.client_id, reason="The key was not found")


def _thumbprint(text: Any) -> bytes:
    """The bytes of a base64url thumbprint, padded or not; none for anything else."""
    if not isinstance(text, str):
        return b""
    try:
        bare = text.rstrip("=")
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""


def _federated(emulator: Emulator, application: Application, token: Compact, assertion: str) -> None:
    credential = _matching(emulator.state.credentials.of(application).federated, token.claims)
    if _is_own(emulator.origins, credential.issuer):
        _check_own(emulator, assertion)
    else:
        key = read_key_set(credential.jwks).get(str(token.header.get("kid")))
        if token.header.get("alg") != "RS256" or key is None or not token.is_signed_by(key):
            raise EntraError(50013, error="invalid_client", reason="Assertion failed signature validation")
    check_times(token.claims, now=emulator.state.clock.now(), code=700024)


def _matching(credentials: tuple[FederatedCredential, ...], claims: dict[str, Any]) -> FederatedCredential:
    """The one credential whose issuer, subject and audience the assertion has, letter by letter."""
    by_issuer = [one for one in credentials if one.issuer == claims.get("iss")]
    if not by_issuer:
        raise EntraError(700211, issuer=_told(claims.get("iss")))
    by_subject = [one for one in by_issuer if one.subject == claims.get("sub")]
    if not by_subject:
        raise EntraError(700213, subject=_told(claims.get("sub")))
    by_audience = [one for one in by_subject if set(one.audiences) & set(_audiences(claims))]
    if not by_audience:
        raise EntraError(700212, audience=_told(claims.get("aud")))
    return by_audience[0]


def _is_own(origins: Origins, issuer: str) -> bool:
    return issuer.startswith((f"{origins.login}/", origins.issuer_v1("")[:-1]))


def _check_own(emulator: Emulator, assertion: str) -> None:
    """A token of this emulator federates only where it is an application's own. Raises 700229."""
    try:
        claims = read(assertion, keys=emulator.state.keys)
    except NotOurToken:
        raise EntraError(50013, error="invalid_client", reason="Assertion failed signature validation") from None
    if claims.get("sub") != claims.get("oid") or "scp" in claims:
        raise EntraError(700229)


@checking("assertion_times")
def check_times(claims: dict[str, Any], *, now: datetime, code: int) -> None:
    """Raises the code unless `exp` lies ahead, and `nbf` and `iat`, where they are, behind; fractions are taken."""
    moment = now.timestamp()
    expires = _date(claims.get("exp"), broken=-math.inf)
    begins = max(_date(claims.get(name), broken=math.inf) for name in ("nbf", "iat"))
    if moment >= expires + SKEW or begins > moment + SKEW:
        raise EntraError(code, now=now.isoformat(), expires=_shown(expires))


def _date(value: Any, *, broken: float) -> float:
    """The moment a claim names; a missing one lies before all others, what is no date where it is refused."""
    if value is None:
        return -math.inf
    if isinstance(value, bool) or not isinstance(value, int | float):
        return broken
    try:
        moment = float(value)
    except OverflowError:
        return broken
    return moment if math.isfinite(moment) else broken


def _shown(moment: float) -> str:
    try:
        return datetime.fromtimestamp(moment, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return "unknown"


def _audiences(claims: dict[str, Any]) -> list[str]:
    given = claims.get("aud")
    listed = given if isinstance(given, list) else [given]
    return [one for one in listed if isinstance(one, str)]


def _accepted_audiences(origins: Origins, path: TenantPath) -> Iterator[str]:
    names = (path.tenant.id, *path.tenant.domains) if path.tenant else (path.name,)
    for name in names:
        yield f"{origins.login}/{name}/oauth2/v2.0/token"
        yield f"{origins.login}/{name}/oauth2/token"
        yield origins.issuer(name)
        yield origins.issuer_v1(name)


def _told(value: Any) -> str:
    return value[:256] if isinstance(value, str) else ""
