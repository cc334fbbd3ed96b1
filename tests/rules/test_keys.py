"""A key set gives its usable keys and nothing else."""

import contextlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from entrada.errors import AuthorityUnavailable
from entrada.provider.keys import SMALL_PRIMES, KeySet, has_roca_shape
from tests.authority_app import START, Clock, base64url, jwk, rsa_key

SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key().public_numbers().n
POINT = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
CURVE = {
    "kty": "EC",
    "crv": "P-256",
    "kid": "c",
    "x": base64url(POINT.x.to_bytes(32)),
    "y": base64url(POINT.y.to_bytes(32)),
}


def usable(*members) -> set[str]:
    """Return the ids that are usable beside one good key."""
    return set(KeySet.parse({"keys": [jwk("good"), *members]}).keys) - {"good"}


@pytest.mark.parametrize(
    "member",
    [
        None,
        5,
        "key",
        [],
        {},
        {"kid": "one"},
        jwk("one", kty=None),
        jwk("one", kty="rsa"),
        jwk("one", kty=["RSA"]),
        jwk("one", kty="AKP"),
        jwk("one", kid=None),
        jwk("one", kid=""),
        jwk("one", kid=5),
        jwk("one", kid="x" * 257),
        jwk("one", n=None),
        jwk("one", n=5),
        jwk("one", n=""),
        jwk("one", n="a b"),
        jwk("one", n="é"),
        jwk("one", n="A"),
        jwk("one", e="AQAB="),
        jwk("one", e="AAEAAR"),
        jwk("one", e=None),
        jwk("one", e=[]),
        jwk("one", issuer=["x"]),
        jwk("one", key_ops="verify"),
        jwk("one", key_ops=5),
        {"kty": "oct", "kid": "one", "k": "c2VjcmV0"},
        {"kty": "OKP", "crv": "X25519", "kid": "one", "x": base64url(b"x" * 32)},
        {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": base64url(b"x" * 31)},
        CURVE | {"crv": "secp256k1"},
        CURVE | {"crv": ["P-256"]},
        CURVE | {"y": CURVE["x"]},
        CURVE | {"x": base64url(b"\0" + POINT.x.to_bytes(32))},
        CURVE | {"crv": "P-384"},
    ],
)
def test_sec_065_an_unusable_member_is_skipped(member):
    """SEC-065: a member that cannot be used is skipped, and the others are used."""
    assert usable(member) == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"use": "enc"},
        {"use": 5},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": ["sign"]},
        {"alg": "HS256"},
        {"alg": "ES256"},
        {"alg": "RSA-OAEP"},
        {"alg": "none"},
        {"alg": 5},
        {"d": "AQAB"},
        {"p": "AQAB"},
        {"k": "AQAB"},
        {"n": base64url(SMALL.to_bytes(128))},
        {"n": base64url((2**8192 + 1).to_bytes(1025))},
        {"n": base64url((2**2047).to_bytes(256))},
        {"e": base64url(b"\3")},
        {"e": base64url(b"\1")},
        {"e": base64url(b"\0")},
        {"e": base64url((65536).to_bytes(3))},
        {"e": base64url((65538).to_bytes(3))},
        {"e": base64url((2**64 + 1).to_bytes(9))},
    ],
)
def test_sec_063_a_weak_or_unfit_key_is_skipped(changes):
    """SEC-063, SEC-034: weak numbers, private members, other uses and other algorithms make a key unusable."""
    assert usable(jwk("one", **changes)) == set()


@pytest.mark.parametrize(
    "changes", [{"use": None}, {"alg": "RS256"}, {"alg": "PS512"}, {"key_ops": ["verify"]}, {"x5c": 5}]
)
def test_a_key_as_providers_publish_it_is_usable(changes):
    """use, alg, key_ops and x5c may be absent (B2C) or there (others)."""
    assert usable(jwk("one", **changes)) == {"one"}


def test_sec_063_the_roca_shape_is_found():
    """SEC-063: a modulus whose residues are all powers of 65537, as those of CVE-2017-15361, is refused."""
    product = 1
    for prime in SMALL_PRIMES:
        product *= prime
    shaped = pow(65537, 12345, product) + product * (2**2047 // product)
    assert has_roca_shape(shaped)
    assert usable(jwk("one", n=base64url(shaped.to_bytes(256)))) == set()
    assert not any(has_roca_shape(rsa_key(name).public_key().public_numbers().n) for name in ("one", "two", "good"))


def test_sec_064_one_kid_for_two_keys():
    """SEC-064: a kid with different material is unusable, whichever comes first; a repeated key is one key."""
    found = KeySet.parse({"keys": [jwk("good"), jwk("one"), jwk("two", kid="one"), jwk("one"), jwk("good")]})
    assert set(found.keys) == {"good"}
    assert found.skipped
    assert usable(jwk("one"), jwk("one", use="enc")) == {"one"}


@pytest.mark.parametrize(
    "document", [{}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": [5]}, {"keys": [jwk("one", use="enc")]}]
)
def test_sec_060_a_set_without_a_usable_key_is_refused(document):
    """SEC-060: an empty or malformed set is no set, so that the last good one stays."""
    with pytest.raises(AuthorityUnavailable):
        KeySet.parse(document)


def test_sec_067_more_than_500_keys_are_refused():
    """SEC-067: the number of keys is limited."""
    assert KeySet.parse({"keys": [jwk("one")] * 500})
    with pytest.raises(AuthorityUnavailable):
        KeySet.parse({"keys": [jwk("one")] * 501})


def certificate(name: str) -> str:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1)
    builder = builder.not_valid_before(START).not_valid_after(Clock(START).now.replace(year=2030))
    made = builder.public_key(rsa_key("one").public_key()).sign(rsa_key("one"), SHA256())
    return __import__("base64").b64encode(made.public_bytes(Encoding.DER)).decode()


@pytest.mark.parametrize(
    "changes", [{"kid": "emulator-abc"}, {"x5c": [certificate("Entrada Emulator (not Microsoft)")]}]
)
def test_sec_190_production_refuses_the_emulators_keys(changes):
    """SEC-190: a key id or certificate of the emulator makes the whole set refused in production."""
    document = {"keys": [jwk("good"), jwk("one", **changes)]}
    assert len(KeySet.parse(document).keys) == 2
    with pytest.raises(AuthorityUnavailable, match="emulator"):
        KeySet.parse(document, production=True)


@pytest.mark.parametrize(
    "chain", [None, 5, [], [5], ["!"], ["AAAA"], [certificate("accounts.accesscontrol.windows.net")]]
)
def test_production_accepts_other_certificates(chain):
    """Certificates that are not the emulator's, or none at all, make no difference."""
    assert KeySet.parse({"keys": [jwk("one", x5c=chain)]}, production=True)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner, max_size=3)
)
MEMBERS = ["kty", "kid", "n", "e", "use", "alg", "key_ops", "crv", "x", "y", "issuer", "x5c", "d"]


@given(st.lists(JSON | st.dictionaries(st.sampled_from(MEMBERS), JSON), max_size=4), st.data())
def test_whatever_the_members_the_good_keys_are_used(members, data):
    """SEC-065: junk of any shape neither raises nor hides a good key."""
    spoilt = [jwk("one") | {data.draw(st.sampled_from(MEMBERS[:-1])): data.draw(JSON)} for _ in range(2)]
    assert "good" in KeySet.parse({"keys": [*members, *spoilt, jwk("good")]}, production=True).keys


@given(JSON)
def test_whatever_the_document_it_is_read_or_refused(value):
    """Whatever stands for the keys, it is a key set or AuthorityUnavailable."""
    with contextlib.suppress(AuthorityUnavailable):
        KeySet.parse({"keys": value})
