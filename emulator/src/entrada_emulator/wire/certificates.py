"""The local certificate authority that lets clients speak TLS to the emulator; kept where only its owner can read."""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_NAME = "Entrada Emulator CA (not Microsoft)"
SERVER_NAME = "Entrada Emulator"
AUTHORITY_LIFE = timedelta(days=365)
SERVER_LIFE = timedelta(days=90)
RENEW_BEFORE = timedelta(days=30)
LOOPBACK = ipaddress.ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Paths of what the server and its clients need, PEM each."""

    authority: Path
    """For clients: what to trust."""
    certificate: Path
    key: Path


def tls_files(folder: Path, *, name: str = "localhost", now: datetime | None = None) -> TlsFiles:
    """A server certificate for the name, `localhost` and 127.0.0.1, made now; its authority is made once and kept.

    The authority may only speak for those names, so that trusting it trusts nothing else.
    """
    at = now or datetime.now(UTC)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # one that is there keeps its rights: it may be anybody's
    files = TlsFiles(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    names = tuple(dict.fromkeys((name, "localhost")))
    authority, authority_key = _authority(files.authority, folder / "ca.key", names, at)
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _server_certificate(key, authority, authority_key, names=names, now=at)
    write_private(files.key, _pem(key))
    write_private(files.certificate, certificate.public_bytes(Encoding.PEM))
    return files


def write_private(path: Path, content: bytes) -> None:
    """Writes a file that only its owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)


def _authority(
    path: Path, key_path: Path, names: Sequence[str], now: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    kept = _kept_authority(path, key_path)
    if kept is not None and _still_serves(kept[0], names, now):
        return kept
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _authority_certificate(key, names=names, now=now)
    write_private(key_path, _pem(key))
    write_private(path, certificate.public_bytes(Encoding.PEM))
    return certificate, key


def _kept_authority(path: Path, key_path: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        key = load_pem_private_key(key_path.read_bytes(), None)
    except (OSError, ValueError):
        return None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        return None
    return certificate, key


def _still_serves(authority: x509.Certificate, names: Sequence[str], now: datetime) -> bool:
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints).value
    permitted = {subtree.value for subtree in constraints.permitted_subtrees or ()}
    return set(names) <= permitted and now + RENEW_BEFORE < authority.not_valid_after_utc


def _authority_certificate(key: ec.EllipticCurvePrivateKey, *, names: Sequence[str], now: datetime) -> x509.Certificate:
    permitted = [*(x509.DNSName(name) for name in names), x509.IPAddress(ipaddress.ip_network("127.0.0.0/8"))]
    return (
        _builder(AUTHORITY_NAME, AUTHORITY_NAME, key.public_key(), now=now, life=AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _server_certificate(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    *,
    names: Sequence[str],
    now: datetime,
) -> x509.Certificate:
    alternatives = [*(x509.DNSName(name) for name in names), x509.IPAddress(LOOPBACK)]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    life = min(SERVER_LIFE, authority.not_valid_after_utc - now)
    return (
        _builder(SERVER_NAME, AUTHORITY_NAME, key.public_key(), now=now, life=life)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(issuer_key, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: str, issuer: str, key: ec.EllipticCurvePublicKey, *, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + life)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
