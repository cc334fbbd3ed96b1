"""The signing keys of one emulator, made when it starts and never written down."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from entrada_emulator.directory.model import PERSONAL_TENANT, Application

KEY_NAME = "Entrada Emulator (not Microsoft)"
KID_MARK = "emulator-"
"""Every key id begins so, that a product in production can refuse it at sight (SEC-190)."""

KEY_SIZE = 2048
KEYS_AT_START = 3  # the signer, the next one, and that of personal accounts
CERTIFICATE_LIFE = timedelta(days=5 * 365)


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An RSA key with its self-signed certificate."""

    private: rsa.RSAPrivateKey = field(repr=False)
    certificate: bytes = field(repr=False)
    """DER."""

    @property
    def x5t(self) -> str:
        """SHA-1 of the certificate, base64url without padding."""
        return base64url(hashlib.sha1(self.certificate, usedforsecurity=False).digest())

    @property
    def kid(self) -> str:
        """The key id that token headers name."""
        return KID_MARK + self.x5t

    def sign(self, message: bytes) -> bytes:
        """An RS256 signature."""
        return self.private.sign(message, padding.PKCS1v15(), hashes.SHA256())

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises `cryptography.exceptions.InvalidSignature` unless this key signed the message with RS256."""
        self.private.public_key().verify(signature, message, padding.PKCS1v15(), hashes.SHA256())

    def jwk(self, issuer: str) -> dict[str, object]:
        """The public key as Entra publishes it: with certificate and issuer, without `alg`."""
        numbers = self.private.public_key().public_numbers()
        return {
            "kty": "RSA",
            "use": "sig",
            "kid": self.kid,
            "x5t": self.x5t,
            "n": base64url(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")),
            "e": base64url(numbers.e.to_bytes((numbers.e.bit_length() + 7) // 8, "big")),
            "x5c": [base64.b64encode(self.certificate).decode()],
            "issuer": issuer,
        }


def new_signing_key(now: datetime | None = None) -> SigningKey:
    """A fresh key; takes some 50 ms."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_SIZE)
    return SigningKey(private, _self_signed(private, now or datetime.now(UTC)))


class KeyRing:
    """The keys of one emulator: the one that signs, the one published ahead of its use, those that signed before."""

    def __init__(self, made_ahead: Iterable[SigningKey] = ()) -> None:
        """Takes keys made ahead, to save a test run their making; the others are made when they are first needed."""
        self._made_ahead = list(made_ahead)
        self.active = self._new()
        self.retired: list[SigningKey] = []
        self._next: SigningKey | None = None
        self._personal: SigningKey | None = None
        self._customers: list[SigningKey] = []
        self._of_applications: dict[str, SigningKey] = {}

    @property
    def next(self) -> SigningKey:
        """The key that will sign after the next rotation, already on show."""
        self._next = self._next or self._new()
        return self._next

    @property
    def personal(self) -> SigningKey:
        """Published with the issuer of personal accounts and signs for them alone: no tenant must be believed it."""
        self._personal = self._personal or self._new()
        return self._personal

    @property
    def customers(self) -> SigningKey:
        """Signs the tokens of B2C, which no other endpoint believes."""
        if not self._customers:
            self._customers.append(self._new())
        return self._customers[0]

    def published_to_customers(self) -> tuple[SigningKey, ...]:
        """The keys of B2C on show: the signer, then those that signed before."""
        return (self.customers, *self._customers[1:])

    def rotate_for_customers(self) -> SigningKey:
        """Signs the tokens of B2C with a new key, keeps the old one on show. Returns the signer."""
        if not self._customers:
            return self.customers
        self._customers.insert(0, self._new())
        return self.customers

    def withdraw_from_customers(self, kid: str) -> bool:
        """Takes a retired key of B2C off the list; False if none has this id."""
        kept = [key for key in self._customers if key.kid != kid or key is self.customers]
        found = len(kept) != len(self._customers)
        self._customers = kept
        return found

    def published(self) -> Iterator[SigningKey]:
        """The keys on show for organisations; order means nothing."""
        yield self.next
        yield self.active
        yield from self.retired

    def find(self, kid: str) -> SigningKey | None:
        """The key on show with this id."""
        shown = (*self.published(), self.personal, *self._of_applications.values())
        return next((key for key in shown if key.kid == kid), None)

    def signer(self, tenant_id: str, audience: Application) -> SigningKey:
        """The key that signs a tenant's tokens for an application."""
        if audience.custom_signing_key:
            return self.of_application(audience)
        return self.personal if tenant_id == PERSONAL_TENANT else self.active

    def of_application(self, application: Application) -> SigningKey:
        """The key of an application that has one of its own; no tenant's keys show it."""
        if application.client_id not in self._of_applications:
            self._of_applications[application.client_id] = self._new()
        return self._of_applications[application.client_id]

    def rotate(self) -> SigningKey:
        """Signs with the key published ahead, publishes another, keeps the old one on show. Returns the signer."""
        self.retired.append(self.active)
        self.active, self._next = self.next, None
        return self.active

    def replace_at_once(self) -> SigningKey:
        """Withdraws every key and signs with one nobody has seen, as after a compromise. Returns the signer."""
        self.retired.clear()
        self.active, self._next = self._new(), None
        return self.active

    def withdraw(self, kid: str) -> bool:
        """Takes a retired key off the list; False if none has this id. The signing key stays."""
        kept = [key for key in self.retired if key.kid != kid]
        found = len(kept) != len(self.retired)
        self.retired = kept
        return found

    def _new(self) -> SigningKey:
        return self._made_ahead.pop() if self._made_ahead else new_signing_key()


def base64url(data: bytes) -> str:
    """Base64 for URLs, without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _self_signed(private: rsa.RSAPrivateKey, now: datetime) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, KEY_NAME)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + CERTIFICATE_LIFE)
        .sign(private, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.DER)
