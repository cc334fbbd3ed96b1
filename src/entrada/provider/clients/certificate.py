"""A certificate with its private key, as the credential of an application (RFC 7523, in Entra's form).

The file is PEM, key and certificate one after the other, or PKCS#12 (PFX). It is read again when it has changed, so
that whoever renews certificates need not restart the application.
"""

import base64
import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from entrada.clock import Clock
from entrada.errors import SettingsRefused
from entrada.logs import log
from entrada.provider.clients.credentials import Proof

LIFETIME = timedelta(minutes=5)  # Entra takes five to ten (SEC-026)
LARGEST_FILE = 256 * 1024  # bytes
LEAST_KEY_BITS = 2048
BEGIN_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"
PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """What is in the file."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def thumbprint(self) -> str:
        """SHA-256 of the certificate, as `x5t#S256` has it (RFC 7515 section 4.1.8)."""
        return _base64url(self.certificate.fingerprint(hashes.SHA256()))


class Certificate:
    """Signs an assertion for each request with PS256, as Entra wants it."""

    name = "client_certificate"

    def __init__(self, path: Path, *, password: str | None, clock: Clock) -> None:
        """Read the file; SettingsRefused says what is wrong with it."""
        self._path = path
        self._password = password.encode() if password else None
        self._clock = clock
        self._read_as, self._pair = self._read()

    @property
    def expires_at(self) -> datetime:
        """The end of the certificate's validity."""
        return self._pair.certificate.not_valid_after_utc

    async def proof(self, *, client_id: str, audience: str) -> Proof:
        """Return an assertion of its own for this request: iss and sub are `client_id`, fresh `jti`, five minutes."""
        self._look_again()
        now = int(self._clock().timestamp())
        header = {"alg": "PS256", "typ": "JWT", "x5t#S256": self._pair.thumbprint}
        claims = {
            "aud": audience,
            "iss": client_id,
            "sub": client_id,
            "jti": secrets.token_urlsafe(16),
            "nbf": now,
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
        }
        signed = f"{_encoded(header)}.{_encoded(claims)}"
        signature = self._pair.key.sign(signed.encode("ascii"), PSS, hashes.SHA256())
        return Proof(assertion=f"{signed}.{_base64url(signature)}")

    def _look_again(self) -> None:
        """Take a changed file; while it cannot be used, as in the middle of being written, the former one serves."""
        try:
            if _state(self._path) != self._read_as:
                self._read_as, self._pair = self._read()
        except (OSError, SettingsRefused) as error:
            log.warning("certificate_not_taken_up", reason=type(error).__name__)

    def _read(self) -> tuple[tuple[int, int], KeyPair]:
        try:
            state, content = _state(self._path), self._path.read_bytes()
        except OSError as error:
            raise _refused(f"cannot be read ({type(error).__name__})") from None
        if len(content) > LARGEST_FILE:
            raise _refused("is too large for one key and its certificates")
        return state, read_pair(content, password=self._password)


def read_pair(content: bytes, *, password: bytes | None) -> KeyPair:
    """Return the key and its own certificate from PEM or PKCS#12; SettingsRefused says what is wrong."""
    try:
        key, certificates = (_from_pem if BEGIN_CERTIFICATE in content else _from_pfx)(content, password)
    except (ValueError, TypeError):  # the library's words may quote the file
        raise _refused("cannot be opened: neither PEM with key and certificate nor PFX, or another password") from None
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < LEAST_KEY_BITS:
        raise _refused("needs an RSA key of at least 2048 bits: Entra takes no other")
    for certificate in certificates:
        if certificate.public_key() == key.public_key():
            return KeyPair(key, certificate)
    raise _refused("has no certificate of its private key")


def _from_pem(content: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    return serialization.load_pem_private_key(content, password), x509.load_pem_x509_certificates(content)


def _from_pfx(content: bytes, password: bytes | None) -> tuple[Any, list[x509.Certificate]]:
    bundle = pkcs12.load_pkcs12(content, password)
    held = (bundle.cert, *bundle.additional_certs)
    return bundle.key, [each.certificate for each in held if each is not None]


def _state(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_mtime_ns, facts.st_ino


def _refused(fault: str) -> SettingsRefused:
    return SettingsRefused([f"client_certificate: {fault}"])


def _encoded(values: dict[str, Any]) -> str:
    return _base64url(json.dumps(values, separators=(",", ":")).encode())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode("ascii")
