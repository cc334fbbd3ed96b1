"""What proves the application to the authority: certificates and assertions, and the order in which they are tried."""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from entrada.errors import AuthorityUnavailable, SettingsRefused
from entrada.provider.clients.certificate import Certificate, read_pair
from entrada.provider.clients.credentials import (
    AssertionCall,
    AssertionFile,
    Credential,
    Credentials,
    Proof,
    SharedSecret,
)

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
TOKEN_ENDPOINT = "https://login.example/token"
NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal")])
AnyKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
KEY = rsa.generate_private_key(65537, 2048)


def certified(key: AnyKey, *, days: int = 90) -> x509.Certificate:
    """Return a certificate of the key, valid from yesterday for so many days."""
    return (
        x509.CertificateBuilder()
        .subject_name(NAME)
        .issuer_name(NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=days))
        .sign(key, SHA256())
    )


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, *certificates: x509.Certificate, password: str = ""
) -> bytes:
    """Return key and certificates as one PEM file."""
    locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    return private + b"".join(each.public_bytes(serialization.Encoding.PEM) for each in certificates)


def pfx(key: rsa.RSAPrivateKey, certificate: x509.Certificate, password: str) -> bytes:
    """Return key and certificate as one PKCS#12 file."""
    locked = serialization.BestAvailableEncryption(password.encode())
    return pkcs12.serialize_key_and_certificates(b"portal", key, certificate, None, locked)


OWN = certified(KEY)
FILES = {
    "pem": (pem(KEY, OWN), None),
    "pem with its issuer first": (pem(KEY, certified(rsa.generate_private_key(65537, 2048)), OWN), None),
    "pem with password": (pem(KEY, OWN, password="open"), "open"),
    "pfx": (pfx(KEY, OWN, "open"), "open"),
}


@pytest.mark.parametrize(("content", "password"), FILES.values(), ids=FILES)
async def test_each_kind_of_file_gives_an_assertion_that_its_certificate_verifies(
    content: bytes, password: str | None, tmp_path: Path
) -> None:
    """SEC-026, LOG-8: PS256, x5t#S256, iss = sub = client id, aud the token endpoint, five minutes, whole seconds."""
    path = tmp_path / "portal.pem"
    path.write_bytes(content)
    certificate = Certificate(path, password=password, clock=lambda: NOW)
    proof = await certificate.proof(client_id="app", audience=TOKEN_ENDPOINT)
    header = jwt.get_unverified_header(proof.assertion or "")
    digest = hashlib.sha256(OWN.public_bytes(serialization.Encoding.DER)).digest()
    assert header == {"alg": "PS256", "typ": "JWT", "x5t#S256": base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}
    claims = jwt.decode(
        proof.assertion or "",
        OWN.public_key(),  # type: ignore[arg-type]
        algorithms=["PS256"],
        audience=TOKEN_ENDPOINT,
        options={"verify_exp": False, "verify_nbf": False, "verify_iat": False},
    )
    moment = int(NOW.timestamp())
    assert len(claims.pop("jti")) >= 20
    assert claims == {
        "aud": TOKEN_ENDPOINT, "iss": "app", "sub": "app", "nbf": moment, "iat": moment, "exp": moment + 300,
    }  # fmt: skip
    assert certificate.expires_at == OWN.not_valid_after_utc


async def test_no_assertion_is_sent_twice(tmp_path: Path) -> None:
    """SEC-026: each request has an assertion of its own."""
    path = tmp_path / "portal.pem"
    path.write_bytes(pem(KEY, OWN))
    certificate = Certificate(path, password=None, clock=lambda: NOW)
    made = {(await certificate.proof(client_id="app", audience=TOKEN_ENDPOINT)).assertion for _ in range(5)}
    assert len(made) == 5


ELLIPTIC = ec.generate_private_key(ec.SECP256R1())
WRONG = {
    "nothing": (b"", None, "cannot be opened"),
    "another password": (pfx(KEY, OWN, "open"), "shut", "cannot be opened"),
    "no password": (pem(KEY, OWN, password="open"), None, "cannot be opened"),
    "no key": (OWN.public_bytes(serialization.Encoding.PEM), None, "cannot be opened"),
    "no certificate": (pem(KEY), None, "cannot be opened"),
    "another's": (
        pem(KEY, certified(rsa.generate_private_key(65537, 2048))),
        None,
        "no certificate of its",
    ),
    "elliptic curve": (pem(ELLIPTIC, certified(ELLIPTIC)), None, "RSA key"),
}


@pytest.mark.parametrize(("content", "password", "words"), WRONG.values(), ids=WRONG)
def test_a_file_that_is_no_good_is_refused_without_quoting_it(content: bytes, password: str | None, words: str) -> None:
    """The start says what is wrong with the file, and shows nothing of it."""
    with pytest.raises(SettingsRefused) as refused:
        read_pair(content, password=password.encode() if password else None)
    assert words in str(refused.value)
    assert "BEGIN" not in str(refused.value)


async def test_a_renewed_certificate_is_taken_up_and_a_half_written_one_is_not(tmp_path: Path) -> None:
    """SEC-174: whoever renews certificates need not restart the application, nor time the write."""
    path = tmp_path / "portal.pem"
    path.write_bytes(pem(KEY, OWN))
    certificate = Certificate(path, password=None, clock=lambda: NOW)

    async def thumbprint() -> str:
        proof = await certificate.proof(client_id="app", audience=TOKEN_ENDPOINT)
        return str(jwt.get_unverified_header(proof.assertion or "")["x5t#S256"])

    first, later = await thumbprint(), certified(KEY, days=400)
    whole = pem(KEY, later)
    path.write_bytes(whole[:900])
    os.utime(path, ns=(1, 1))
    assert await thumbprint() == first
    path.write_bytes(whole)
    os.utime(path, ns=(2, 2))
    assert await thumbprint() != first
    assert certificate.expires_at == later.not_valid_after_utc


async def test_a_file_of_the_platform_is_read_each_time(tmp_path: Path) -> None:
    """LOG-8: a workload identity's token is changed by the platform every hour."""
    path = tmp_path / "token"
    kept = AssertionFile(path)
    for text in ("first.to.ken", "second.to.ken\n"):
        path.write_text(text)
        assert (await kept.proof(client_id="app", audience=TOKEN_ENDPOINT)).assertion == text.strip()
    for content in (b"", b"x" * 20_000, b"\xff\xfe"):
        path.write_bytes(content)
        with pytest.raises(AuthorityUnavailable, match="client_assertion_file"):
            await kept.proof(client_id="app", audience=TOKEN_ENDPOINT)
    path.unlink()
    with pytest.raises(AuthorityUnavailable, match="cannot be read"):
        await kept.proof(client_id="app", audience=TOKEN_ENDPOINT)


async def test_a_function_gives_assertions_whether_it_waits_or_not() -> None:
    """LOG-8: a managed identity's client is asynchronous, a test's is not; what it raises is an outage."""

    async def later() -> str:
        return "later.to.ken"

    def never() -> str:
        raise OSError("the words of the exception")

    for source, wanted in ((later, "later.to.ken"), (lambda: "now.to.ken", "now.to.ken")):
        assert (await AssertionCall(source).proof(client_id="a", audience="b")).assertion == wanted
    for wrong in (never, lambda: "", lambda: 5):
        with pytest.raises(AuthorityUnavailable) as refused:
            await AssertionCall(wrong).proof(client_id="a", audience="b")  # type: ignore[arg-type]
        assert "words of the exception" not in str(refused.value)


class Authority:
    """Takes these secrets and no others."""

    def __init__(self, *good: str) -> None:
        self.good = good
        self.asked: list[str | None] = []

    async def __call__(self, proof: Proof) -> str | None:
        self.asked.append(proof.secret)
        return None if proof.secret in self.good else "invalid_client"


def secrets(*values: str) -> Sequence[Credential]:
    return [SharedSecret(value, value) for value in values]


async def test_the_next_is_tried_when_one_is_refused_and_what_worked_comes_first() -> None:
    """SEC-174: while one secret is changed for another nobody is turned away."""
    credentials, authority = Credentials(secrets("old", "new"), client_id="app"), Authority("old", "new")

    async def ask() -> str | None:
        return await credentials.ask(authority, audience=TOKEN_ENDPOINT, error_of=lambda answer: answer)

    assert await ask() is None
    authority.good = ("new",)
    assert await ask() is None
    assert await ask() is None
    assert authority.asked == ["old", "old", "new", "new"]
    authority.good = ()
    assert await ask() == "invalid_client"
    assert authority.asked[-2:] == ["new", "old"]


async def test_another_refusal_is_not_about_the_proof() -> None:
    """A refused code is not sent again with another secret."""
    asked = []

    async def refuses(proof: Proof) -> str:
        asked.append(proof.secret)
        return "invalid_grant"

    credentials = Credentials(secrets("one", "two"), client_id="app")
    assert await credentials.ask(refuses, audience="", error_of=lambda answer: answer) == "invalid_grant"
    assert asked == ["one"]


def test_days_left_are_known_where_an_end_is() -> None:
    """SEC-174: whole days, rounded down, below zero when it is over."""
    ends = {"long": timedelta(days=30, hours=1), "short": timedelta(hours=23), "over": timedelta(seconds=-1)}
    held = [SharedSecret("s", name, NOW + left) for name, left in ends.items()]
    credentials = Credentials([*held, SharedSecret("s", "unknown")], client_id="app")
    assert credentials.days_left(NOW) == {"long": 30, "short": 0, "over": -1}


def test_nothing_secret_is_in_a_repr() -> None:
    """SEC-146: neither secrets nor assertions show."""
    shown = repr([SharedSecret("hidden"), Proof("hidden", "hidden"), read_pair(pem(KEY, OWN), password=None)])
    assert "hidden" not in shown
    assert json.dumps(KEY.private_numbers().d) not in shown
