"""Keys and assertions that the emulator did not make: an application's certificate, a foreign issuer's tokens."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

ISSUER = "https://token.actions.example"
SUBJECT = "repo:birch/portal:environment:production"
AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with its certificate."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @property
    def private_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def public_pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def thumbprint(self) -> str:
        return self.certificate.fingerprint(hashes.SHA1()).hex()

    @property
    def jwks(self) -> str:
        return json.dumps(
            {"keys": [json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key())) | {"kid": "f1"}]}
        )

    def sign(self, claims: dict[str, Any], *, alg: str = "PS256", **header: Any) -> str:
        digest = self.certificate.fingerprint(hashes.SHA256())
        named = {"x5t#S256": base64.urlsafe_b64encode(digest).decode()}
        return jwt.PyJWS().encode(json.dumps(claims).encode(), self.key, algorithm=alg, headers=named | header)


@cache
def signer(name: str = "Birch Night Job", *, days: int = 30) -> Signer:
    """A key with a certificate good for so many days from yesterday."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate)


def foreign_token(**changes: Any) -> str:
    """What a build system's issuer says about one of its runs; a change of None leaves a claim out."""
    now = datetime.now(UTC).timestamp()
    claims = {"iss": ISSUER, "sub": SUBJECT, "aud": AUDIENCE, "iat": int(now), "exp": int(now) + 300, "jti": "1"}
    kept = {name: value for name, value in (claims | changes).items() if value is not None}
    return jwt.encode(kept, signer("foreign").key, algorithm="RS256", headers={"kid": "f1"})
