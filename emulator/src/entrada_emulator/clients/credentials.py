"""How applications prove themselves: what the directory registers, and what is added while the emulator runs."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from entrada_emulator.directory.model import Application, Certificate, FederatedCredential, Secret

LEAST_BITS = 2048


class BadCredential(ValueError):
    """The text is no certificate or no key set; says what it must be."""


@dataclass(frozen=True, slots=True)
class KnownCertificate:
    """A certificate with which an application may sign its assertions."""

    public_key: rsa.RSAPublicKey = field(repr=False)
    sha1: bytes
    sha256: bytes
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Registered:
    """Everything that proves one application."""

    secrets: tuple[Secret, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    federated: tuple[FederatedCredential, ...] = ()


class Credentials:
    """Adds to what the registrations say, as Graph's `addKey`, `addPassword` and `federatedIdentityCredentials` do."""

    def __init__(self) -> None:
        self._added: dict[str, Registered] = {}

    def of(self, application: Application) -> Registered:
        """All of an application's, the registered ones first."""
        more = self._added.get(application.client_id, Registered())
        return Registered(
            (*application.secrets, *more.secrets),
            (*application.certificates, *more.certificates),
            (*application.federated_credentials, *more.federated),
        )

    def add_secret(self, client_id: str, secret: Secret) -> None:
        """One more client secret."""
        self._add(client_id, Registered(secrets=(secret,)))

    def add_certificate(self, client_id: str, pem: str) -> None:
        """One more certificate, PEM; raises `BadCredential` for anything but an RSA certificate."""
        read_certificate(pem)
        self._add(client_id, Registered(certificates=(Certificate(pem),)))

    def add_federated(self, client_id: str, credential: FederatedCredential) -> None:
        """One more foreign issuer that proves the application; raises `BadCredential` for a broken key set."""
        read_key_set(credential.jwks)
        self._add(client_id, Registered(federated=(credential,)))

    def _add(self, client_id: str, more: Registered) -> None:
        had = self._added.get(client_id, Registered())
        self._added[client_id] = Registered(
            (*had.secrets, *more.secrets),
            (*had.certificates, *more.certificates),
            (*had.federated, *more.federated),
        )


def read_certificate(pem: str) -> KnownCertificate:
    """What a PEM certificate says. Raises `BadCredential`."""
    try:
        certificate = x509.load_pem_x509_certificate(pem.encode())
        public_key = certificate.public_key()
    except ValueError:
        raise BadCredential("must be a certificate in PEM") from None
    if not isinstance(public_key, rsa.RSAPublicKey) or public_key.key_size < LEAST_BITS:
        raise BadCredential("must be the certificate of an RSA key of at least 2048 bits")
    der = certificate.public_bytes(Encoding.DER)
    return KnownCertificate(
        public_key,
        hashlib.sha1(der, usedforsecurity=False).digest(),
        hashlib.sha256(der).digest(),
        certificate.not_valid_before_utc,
        certificate.not_valid_after_utc,
    )


def read_key_set(jwks: str) -> dict[str, rsa.RSAPublicKey]:
    """The RSA keys of a JWK set by `kid`; an empty text is an empty set. Raises `BadCredential`."""
    if not jwks:
        return {}
    try:
        keys = json.loads(jwks)["keys"]
        return {key["kid"]: _rsa(key) for key in keys if key.get("kty") == "RSA"}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise BadCredential('must be a JWK set: {"keys": [{"kty": "RSA", "kid": …, "n": …, "e": …}]}') from None


def _rsa(key: dict[str, Any]) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(_number(key["e"]), _number(key["n"])).public_key()


def _number(text: str) -> int:
    try:
        return int.from_bytes(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), "big")
    except binascii.Error:
        raise ValueError(text) from None
