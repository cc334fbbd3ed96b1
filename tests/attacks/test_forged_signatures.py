"""Signatures that nearly are: each way to write one that some verifier took, with the right key behind it."""

import hashlib
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384

from entrada.errors import TokenRefused
from entrada.provider.keys import KeySet
from entrada.provider.tokens import jws
from tests.authority_app import base64url, jwk, rsa_key

SIZE = 256  # bytes of an RSA signature by a key of 2048 bits
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")  # RFC 8017 section 9.2, note 1
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493


def signing_input(algorithm: str, payload: bytes = b'{"sub":"ada"}') -> bytes:
    header = f'{{"alg":"{algorithm}","kid":"one"}}'.encode()
    return f"{base64url(header)}.{base64url(payload)}".encode()


def accepted(algorithm: str, signature: bytes, member: dict) -> bool:
    """Tell whether a token with this signature is believed under this key."""
    key = KeySet.parse({"keys": [member]}).keys["one"]
    token = f"{signing_input(algorithm).decode()}.{base64url(signature)}"
    try:
        return jws.verify(jws.parse(token, algorithms=[algorithm]), key, algorithms=[algorithm]) == {"sub": "ada"}
    except TokenRefused:
        return False


def by_private_key(block: bytes) -> bytes:
    """Return what becomes this block again under the public key."""
    private = rsa_key("one").private_numbers()
    number = int.from_bytes(block)
    return pow(number, private.d, private.public_numbers.n).to_bytes(SIZE)


def padded(content: bytes, *, head: bytes = b"\0\1", fill: bytes = b"\xff", stop: bytes = b"\0") -> bytes:
    return head + fill * (SIZE - len(head) - len(stop) - len(content)) + stop + content


DIGEST = hashlib.sha256(signing_input("RS256")).digest()
GOOD = SHA256_PREFIX + DIGEST
PADDINGS = {
    "block type 2": padded(GOOD, head=b"\0\2"),
    "block type 0": padded(GOOD, head=b"\0\0"),
    "first byte 1": padded(GOOD, head=b"\1\1"),
    "filled with zeros": padded(GOOD, fill=b"\0"),
    "filled with 0xfe": padded(GOOD, fill=b"\xfe"),
    "no stop": padded(GOOD, stop=b"\xff"),
    "short filling, garbage behind (Bleichenbacher 2006)": b"\0\1" + b"\xff" * 8 + b"\0" + GOOD + b"x" * (SIZE - 62),
    "garbage behind the digest": padded(GOOD + b"\0" * 20),
    "no filling": (b"\0\1\0" + GOOD).ljust(SIZE, b"x"),
    "the bare digest": padded(DIGEST),
    "NULL left out": padded(bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20" + DIGEST),
    "garbage for NULL": padded(bytes.fromhex("3033300f06096086480165030402010502aaaa0420") + DIGEST),
    "length in two bytes": padded(bytes.fromhex("308131300d060960864801650304020105000420") + DIGEST),
    "SHA-384 named": padded(bytes.fromhex("3041300d060960864801650304020205000430") + DIGEST + bytes(16)),
    "SHA-512 named": padded(bytes.fromhex("3031300d060960864801650304020305000420") + DIGEST),
    "digest of another text": padded(SHA256_PREFIX + hashlib.sha256(b"other").digest()),
}


def test_this_files_own_padding_is_right():
    """The block that the others spoil is accepted, so that it is the spoiling that is refused."""
    assert accepted("RS256", by_private_key(padded(GOOD)), jwk("one"))


@pytest.mark.parametrize("block", PADDINGS.values(), ids=PADDINGS)
def test_sec_033_a_pkcs1_block_that_is_not_exact(block):
    """SEC-033: PKCS #1 v1.5 has one encoding of a digest, and every other is refused (RFC 8017 section 8.2.2)."""
    assert len(block) == SIZE
    assert not accepted("RS256", by_private_key(block), jwk("one"))


def test_sec_033_a_signature_beyond_the_modulus():
    """SEC-033: a signature plus the modulus is another way to write it, and is refused."""
    good = int.from_bytes(by_private_key(padded(GOOD)))
    modulus = rsa_key("one").public_key().public_numbers().n
    for number, size in ((good + modulus, SIZE + 1), (good, SIZE + 1), (modulus, SIZE), (0, SIZE), (1, SIZE)):
        assert not accepted("RS256", number.to_bytes(size), jwk("one"))


@pytest.mark.parametrize(
    ("salt", "mask", "digest", "right"),
    [
        (32, SHA256, SHA256, True),
        (0, SHA256, SHA256, False),
        (20, SHA256, SHA256, False),
        (222, SHA256, SHA256, False),
        (32, SHA1, SHA256, False),
        (32, SHA384, SHA256, False),
        (48, SHA384, SHA384, False),
    ],
)
def test_sec_034_pss_has_one_salt_length_and_one_mask(salt, mask, digest, right):
    """SEC-034: PS256 is SHA-256, MGF1 with SHA-256 and 32 bytes of salt, and nothing near it (RFC 7518 section 3.5)."""
    signature = rsa_key("one").sign(signing_input("PS256"), padding.PSS(padding.MGF1(mask()), salt), digest())
    assert accepted("PS256", signature, jwk("one")) is right
    assert not accepted("RS256", signature, jwk("one"))


@cache
def ec_key(curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def ec_jwk(curve: type[ec.EllipticCurve], name: str, size: int, **changes) -> dict:
    numbers = ec_key(curve).public_key().public_numbers()
    point = {"x": base64url(numbers.x.to_bytes(size)), "y": base64url(numbers.y.to_bytes(size))}
    return {"kty": "EC", "kid": "one", "crv": name, **point} | changes


def test_sec_033_ecdsa_signatures_that_are_none():
    """SEC-033: DER, zeros (CVE-2022-21449), the order and numbers of other lengths are refused; s and -s are right."""
    member = ec_jwk(ec.SECP256R1, "P-256", 32)
    der = ec_key(ec.SECP256R1).sign(signing_input("ES256"), ec.ECDSA(SHA256()))
    r, s = decode_dss_signature(der)
    assert accepted("ES256", r.to_bytes(32) + s.to_bytes(32), member)
    assert accepted("ES256", r.to_bytes(32) + (P256_ORDER - s).to_bytes(32), member)
    zero, order = bytes(32), P256_ORDER.to_bytes(32)
    forged = [der, zero + zero, zero + s.to_bytes(32), r.to_bytes(32) + zero, order + order, order + s.to_bytes(32)]
    forged += [r.to_bytes(33) + s.to_bytes(33), r.to_bytes(48) + s.to_bytes(48), s.to_bytes(32) + r.to_bytes(32)]
    forged += [(1).to_bytes(32) * 2, (P256_ORDER - 1).to_bytes(32) * 2, b"\xff" * 64, r.to_bytes(32), b"\0"]
    assert not any(accepted("ES256", each, member) for each in forged)


@pytest.mark.parametrize(
    "changes", [{"alg": "ES384"}, {"alg": "ES521"}, {"alg": "ES224"}, {"kty": "RSA"}, {"kty": "OKP"}]
)
def test_sec_034_a_curve_under_another_name(changes):
    """SEC-034: a key whose alg or kty does not suit its curve is unusable."""
    found = KeySet.parse({"keys": [jwk("good"), ec_jwk(ec.SECP256R1, "P-256", 32, **changes)]})
    assert set(found.keys) == {"good"}


def test_sec_034_ecdsa_on_another_curve_or_hash():
    """SEC-034: ES256 is P-256 with SHA-256: the same key with SHA-384, or P-384 with SHA-256, is refused."""
    other_hash = decode_dss_signature(ec_key(ec.SECP256R1).sign(signing_input("ES256"), ec.ECDSA(SHA384())))
    signature = b"".join(number.to_bytes(32) for number in other_hash)
    assert not accepted("ES256", signature, ec_jwk(ec.SECP256R1, "P-256", 32))
    other_curve = decode_dss_signature(ec_key(ec.SECP384R1).sign(signing_input("ES256"), ec.ECDSA(SHA256())))
    signature = b"".join(number.to_bytes(48) for number in other_curve)
    assert not accepted("ES256", signature, ec_jwk(ec.SECP384R1, "P-384", 48))


def test_sec_033_eddsa_signatures_that_are_none():
    """SEC-033: s plus the order is the same signature written otherwise, and refused (RFC 8032 section 5.1.7)."""
    private = ed25519.Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    member = {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": base64url(private.public_key().public_bytes_raw())}
    good = private.sign(signing_input("EdDSA"))
    assert accepted("EdDSA", good, member)
    more = int.from_bytes(good[32:], "little") + ED25519_ORDER
    forged = [good[:32] + more.to_bytes(32, "little"), good[:-1], good + b"\0", bytes(64), b"\1" + bytes(63)]
    assert not any(accepted("EdDSA", each, member) for each in forged)


@pytest.mark.parametrize("y", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255, 2**255 + 1, 2**256 - 1])
def test_sec_063_a_point_whose_signature_is_good_for_everything(y):
    """SEC-063: an Ed25519 key of small order, or one written past the prime, is unusable."""
    weak = {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": base64url(y.to_bytes(32, "little"))}
    assert set(KeySet.parse({"keys": [jwk("good"), weak]}).keys) == {"good"}
