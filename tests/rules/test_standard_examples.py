"""What the standards print as signed is right here, and what they print as a warning is refused."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature

from entrada.errors import AuthorityUnavailable, TokenRefused
from entrada.provider.keys import KeySet, VerificationKey
from entrada.provider.tokens import jws
from entrada.provider.tokens.signature import check_signature
from tests.authority_app import base64url
from tests.rules import standard_examples as printed

ALGORITHMS = tuple(jws.ALGORITHMS)
SIGNED = {
    "RFC 7515 A.2 RS256": ("RS256", printed.RS256_7515, printed.RSA_7515),
    "RFC 7515 A.3 ES256": ("ES256", printed.ES256_7515, printed.P256_7515),
    "RFC 7515 A.4 ES512": ("ES512", printed.ES512_7515, printed.P521_7515),
    "RFC 7520 4.1 RS256": ("RS256", printed.RS256_7520, printed.RSA_7520),
    "RFC 7520 4.2 PS384": ("PS384", printed.PS384_7520, printed.RSA_7520),
    "RFC 7520 4.3 ES512": ("ES512", printed.ES512_7520, printed.P521_7520),
    "RFC 8037 A.4 EdDSA": ("EdDSA", printed.EDDSA_8037, printed.ED25519_8037),
}
COOKBOOK = {name: row for name, row in SIGNED.items() if "7520" in name}


def key(member: dict) -> VerificationKey:
    """Return the key that the verifier makes of a printed one; the few without a kid get one."""
    (found,) = KeySet.parse({"keys": [{"kid": "printed"} | member]}).keys.values()
    return found


def decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


@pytest.mark.parametrize(("algorithm", "token", "member"), SIGNED.values(), ids=SIGNED)
def test_a_printed_signature_is_right(algorithm, token, member):
    """Every asymmetric signature that the standards print is accepted with the key printed beside it."""
    signed, _, signature = token.rpartition(".")
    check_signature(key(member).public_key, algorithm, signed=signed.encode(), signature=decoded(signature))


@pytest.mark.parametrize(("algorithm", "token", "member"), SIGNED.values(), ids=SIGNED)
def test_sec_033_a_printed_signature_with_any_byte_changed_is_wrong(algorithm, token, member):
    """SEC-033: change a byte of the signature or of what is signed, shorten it or lengthen it: it is wrong."""
    text, _, last = token.rpartition(".")
    signed, signature, public = text.encode(), decoded(last), key(member).public_key
    forged = [signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :] for at in range(0, len(signature), 7)]
    forged += [b"", signature[:-1], signature[1:], signature + b"\0", b"\0" + signature, bytes(len(signature))]
    for each in forged:
        with pytest.raises(InvalidSignature):
            check_signature(public, algorithm, signed=signed, signature=each)
    for at in range(0, len(signed), 11):
        other = signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :]
        with pytest.raises(InvalidSignature):
            check_signature(public, algorithm, signed=other, signature=signature)


@pytest.mark.parametrize(("algorithm", "token", "member"), COOKBOOK.values(), ids=COOKBOOK)
def test_the_cookbooks_tokens_are_read_and_verified(algorithm, token, member):
    """A token of RFC 7520 gives the printed payload, which as claims is refused, for it is a sentence."""
    parsed, public = jws.parse(token, algorithms=ALGORITHMS), key(member)
    assert jws.payload_of(parsed, public, algorithms=[algorithm]).decode().startswith("It’s a dangerous business")
    with pytest.raises(TokenRefused, match=r"^form: the payload is not JSON"):
        jws.verify(parsed, public, algorithms=[algorithm])


@pytest.mark.parametrize(("algorithm", "token", "member"), COOKBOOK.values(), ids=COOKBOOK)
def test_sec_034_sec_036_the_cookbooks_tokens_by_another_key_or_algorithm(algorithm, token, member):
    """SEC-034, SEC-036: another key under the same kid, or another algorithm for the key, and the token is refused."""
    parsed = jws.parse(token, algorithms=ALGORITHMS)
    kid = member["kid"]
    for other in (printed.RSA_7515, printed.P256_7515, printed.P521_7515, printed.ED25519_8037):
        with pytest.raises(TokenRefused, match=r"^(key|signature)"):
            jws.verify(parsed, key(other | {"kid": kid}), algorithms=ALGORITHMS)
    for other in {*ALGORITHMS} - {algorithm}:
        with pytest.raises(TokenRefused, match=r"^key"):
            jws.verify(parsed, key(member), algorithms=[other])


CLAIMS = printed.CLAIMS_7515
REFUSED = {
    "RFC 7515 A.1 HS256": (printed.HS256_7515, "kid|alg"),
    "RFC 7515 A.2, no kid": (printed.RS256_7515, "kid"),
    "RFC 7515 A.3, no kid": (printed.ES256_7515, "kid"),
    "RFC 7515 A.5 none": (printed.NONE_7515, "kid|alg|form"),
    "RFC 7515 A.6 JSON": (f'{{"payload":"{CLAIMS}","signatures":[{{"protected":"eyJhbGciOiJSUzI1NiJ9"}}]}}', "form"),
    "RFC 7515 A.7 flattened JSON": (f'{{"payload":"{CLAIMS}","protected":"eyJhbGciOiJFUzI1NiJ9"}}', "form"),
    "RFC 7515 appendix E, crit": (printed.CRITICAL_7515, "crit|alg"),
    "RFC 7515 appendix F, detached": ("..".join(printed.RS256_7520.split(".")[::2]), "form"),
    "RFC 7520 4.4 HS256": (printed.HS256_7520, "alg"),
    "RFC 7797 4.2 b64 false": (printed.UNENCODED_7797, "crit|form"),
}


@pytest.mark.parametrize(("token", "reason"), REFUSED.values(), ids=REFUSED)
def test_sec_033_sec_035_sec_042_sec_043_printed_tokens_that_are_not_for_here(token, reason):
    """SEC-033, SEC-035, SEC-036, SEC-042, SEC-043: HMAC, none, crit, b64, no kid, JSON and detached are refused."""
    with pytest.raises(TokenRefused, match=rf"^({reason})"):
        jws.parse(token, algorithms=ALGORITHMS)


def test_the_printed_key_sets():
    """RFC 7517 A.1 and B: the keys for signatures are usable, the one for encryption is skipped."""
    found = KeySet.parse({"keys": [printed.P256_7517, printed.RSA_7517, printed.CERTIFIED_7517]})
    assert set(found.keys) == {"2011-04-29", "1b94c"}
    assert found.keys["2011-04-29"].algorithms == ("RS256",)
    assert len(found.skipped) == 1


def test_sec_063_printed_private_and_symmetric_keys():
    """SEC-063: RFC 7517 A.2 and A.3, private and symmetric members, make no key."""
    secret = [
        printed.RSA_7517 | {"d": base64url(b"\1" * 256)},
        {"kty": "oct", "kid": "HMAC", "k": "GawgguFyGrWKav7AX4VKUg"},
    ]
    with pytest.raises(AuthorityUnavailable):
        KeySet.parse({"keys": secret})
