"""A certificate authority of the test's own, and the trust of one browser profile in it."""

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(days=2)
NOTHING = dict.fromkeys(
    (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    ),
    False,
)  # fmt: skip
AUTHORITY = x509.KeyUsage(**NOTHING | {"key_cert_sign": True, "crl_sign": True})
SERVER = x509.KeyUsage(**NOTHING | {"digital_signature": True})
"""Python 3.13 and newer want it, and who signed with which key, in every certificate (VERIFY_X509_STRICT)."""


def certificate_for(
    host: str, folder: Path, *more: str, ends_after: timedelta = LIFETIME, names_key: bool = True
) -> tuple[Path, Path]:
    """Write a chain and key for these hosts; return the authority's certificate and the server's chain with key.

    `names_key`: whether the server's names the key that signed it, as Python 3.13 and newer want it.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _signed(authority_key, authority_key, x509.BasicConstraints(ca=True, path_length=0))
    names = x509.SubjectAlternativeName(list(map(x509.DNSName, (host, *more))))
    server = _signed(key, authority_key, names, ends_after=ends_after, names_key=names_key)
    ca_file, server_file = folder / "application-ca.pem", folder / "application.pem"
    ca_file.write_bytes(_pem(authority))
    server_file.write_bytes(_pem(server) + _private(key))
    return ca_file, server_file


def trust(home: Path, *ca_files: Path) -> None:
    """Make Chromium trust these authorities when `home` is its HOME: it goes into the NSS database read there."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    _certutil("-N", "--empty-password", database=database)
    for ca_file in ca_files:
        _certutil("-A", "-t", "C,,", "-n", ca_file.stem, "-i", str(ca_file), database=database)


def _certutil(*arguments: str, database: Path) -> None:
    subprocess.run(["certutil", "-d", f"sql:{database}", *arguments], check=True, capture_output=True)


def _signed(
    key: ec.EllipticCurvePrivateKey,
    issuer_key: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
    *,
    ends_after: timedelta = LIFETIME,
    names_key: bool = True,
) -> x509.Certificate:
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Browser tests")])
    now = datetime.now(UTC)
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(issuer if key is issuer_key else x509.Name([]))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + ends_after)
        .add_extension(extension, critical=True)
        .add_extension(AUTHORITY if key is issuer_key else SERVER, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if names_key:
        made = made.add_extension(by, critical=False)
    return made.sign(issuer_key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
