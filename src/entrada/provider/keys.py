"""The authority's key set (RFC 7517): what can be used is kept, what cannot is skipped, nothing is believed twice."""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from entrada.errors import AuthorityUnavailable

MOST_KEYS = 500  # SEC-067; Entra publishes about eight
LONGEST_KID = 256  # characters, SEC-045
LEAST_RSA_BITS, MOST_RSA_BITS = 2048, 8192  # below is weak (SEC-063); above, one check costs milliseconds
LEAST_EXPONENT, MOST_EXPONENT = 65537, 2**64 - 1  # below is weak; above, OpenSSL verifies nothing with long moduli
SECRET_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
EDWARDS = ("EdDSA", "Ed25519")  # one algorithm under two names with this curve (RFC 9864)
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
CURVES: dict[str, tuple[ec.EllipticCurve, str, int]] = {
    "P-256": (ec.SECP256R1(), "ES256", 32),
    "P-384": (ec.SECP384R1(), "ES384", 48),
    "P-521": (ec.SECP521R1(), "ES512", 66),
}
ED25519_PRIME = 2**255 - 19
SMALL_ORDER = frozenset(
    {
        0,
        1,
        ED25519_PRIME - 1,
        0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826,
        0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7,
    }
)
"""The y of the points of Ed25519 whose order is 8 or less; one signature of theirs is good for every message."""
EMULATOR_KID = "emulator-"
EMULATOR_SUBJECT = "entrada emulator"
SMALL_PRIMES = (3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103,
                107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167)  # fmt: skip

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """One public key of the authority, fit to check signatures."""

    id: str
    algorithms: tuple[str, ...]
    """What it may serve by its type and its own `alg`; the verifier lets it serve the first one that it accepts."""
    public_key: PublicKey = field(repr=False, compare=False)
    material: tuple[Any, ...] = field(repr=False)
    """The key's numbers, to tell two keys of one id apart."""
    issuer: str | None = None
    """The issuer that Entra binds the key to, perhaps with `{tenantid}` in it (SEC-066)."""

    def serves(self, algorithm: str, *, of: Sequence[str]) -> bool:
        """Tell whether it serves this algorithm: it is the first one of those accepted that it may (SEC-034).

        Where that is one of two names for the same algorithm, it serves both.
        """
        for first in of:
            if first in self.algorithms:
                return algorithm == first or (first in EDWARDS and algorithm in EDWARDS and algorithm in of)
        return False


class Unusable(ValueError):
    """A member of a key set that cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys by id, and why others were skipped."""

    keys: Mapping[str, VerificationKey]
    skipped: tuple[str, ...] = ()

    def get(self, key_id: str) -> VerificationKey | None:
        """Return the key of this id, if there is one; keys are never tried one after another (SEC-036)."""
        return self.keys.get(key_id)

    @classmethod
    def parse(cls, document: Mapping[str, Any], *, production: bool = False) -> "KeySet":
        """Read a key set; AuthorityUnavailable when it has no usable key, too many, or in production an emulator's."""
        members = document.get("keys")
        if not isinstance(members, list) or len(members) > MOST_KEYS:
            raise AuthorityUnavailable(f"the authority's key set has no list of at most {MOST_KEYS} keys")
        if production and any(map(_is_emulators, members)):
            raise AuthorityUnavailable("the authority's keys are the emulator's, which production does not accept")
        keys: dict[str, VerificationKey] = {}
        skipped: list[str] = []
        ambiguous: set[str] = set()
        for position, member in enumerate(members, 1):
            try:
                key = _read(member)
            except Unusable as fault:
                skipped.append(f"number {position}: {fault}")
                continue
            if keys.setdefault(key.id, key) != key:
                ambiguous.add(key.id)
                skipped.append(f"number {position}: its kid is another key's too")
        usable = {kid: key for kid, key in keys.items() if kid not in ambiguous}
        if not usable:
            raise AuthorityUnavailable("the authority's key set has no usable key")
        return cls(keys=usable, skipped=tuple(skipped))


def _read(member: Any) -> VerificationKey:
    """Return the key that one member of the set is; Unusable otherwise (SEC-063, SEC-065)."""
    if not isinstance(member, dict):
        raise Unusable("not an object")
    kid, issuer = member.get("kid"), member.get("issuer")
    if not isinstance(kid, str) or not 0 < len(kid) <= LONGEST_KID:
        raise Unusable("no kid")
    if member.get("use", "sig") != "sig":
        raise Unusable("not for signatures")
    operations = member.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise Unusable("not for verifying")
    if SECRET_MEMBERS & member.keys():
        raise Unusable("holds secret members")
    if issuer is not None and not isinstance(issuer, str):
        raise Unusable("its issuer is not a text")
    public_key, algorithms, material = _material(member)
    own = member.get("alg")
    if own is not None and own not in algorithms:
        raise Unusable("its alg does not suit its type")
    served = algorithms if own is None or own in EDWARDS else (own,)
    return VerificationKey(id=kid, algorithms=served, public_key=public_key, material=material, issuer=issuer)


def _material(member: Mapping[str, Any]) -> tuple[PublicKey, tuple[str, ...], tuple[Any, ...]]:
    try:
        match member.get("kty"):
            case "RSA":
                return _rsa(member)
            case "EC":
                return _ec(member)
            case "OKP":
                return _okp(member)
    except (ValueError, UnsupportedAlgorithm) as fault:
        raise Unusable(str(fault) if isinstance(fault, Unusable) else "its numbers are no key") from None
    raise Unusable("unknown kty")


def _rsa(member: Mapping[str, Any]) -> tuple[PublicKey, tuple[str, ...], tuple[Any, ...]]:
    modulus, exponent = _number(member, "n"), _number(member, "e")
    if not LEAST_RSA_BITS <= modulus.bit_length() <= MOST_RSA_BITS:
        raise Unusable(f"RSA with {modulus.bit_length()} bits")
    if not LEAST_EXPONENT <= exponent <= MOST_EXPONENT or exponent % 2 == 0 or modulus % 2 == 0:
        raise Unusable("weak RSA numbers")
    if has_roca_shape(modulus):
        raise Unusable("RSA modulus from a broken generator (ROCA)")
    return rsa.RSAPublicNumbers(exponent, modulus).public_key(), RSA_ALGORITHMS, ("RSA", modulus, exponent)


def _ec(member: Mapping[str, Any]) -> tuple[PublicKey, tuple[str, ...], tuple[Any, ...]]:
    curve_name = member.get("crv")
    if not isinstance(curve_name, str) or curve_name not in CURVES:
        raise Unusable("unknown crv")
    curve, algorithm, size = CURVES[curve_name]
    x, y = _bytes(member, "x"), _bytes(member, "y")
    if len(x) != size or len(y) != size:
        raise Unusable("coordinates of the wrong length")
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), curve)
    return numbers.public_key(), (algorithm,), (curve_name, x, y)


def _okp(member: Mapping[str, Any]) -> tuple[PublicKey, tuple[str, ...], tuple[Any, ...]]:
    if member.get("crv") != "Ed25519":
        raise Unusable("unknown crv")
    x = _bytes(member, "x")
    y = int.from_bytes(x, "little") % 2**255
    if y in SMALL_ORDER or y >= ED25519_PRIME:
        raise Unusable("a weak point")
    return ed25519.Ed25519PublicKey.from_public_bytes(x), EDWARDS, ("Ed25519", x)


def _bytes(member: Mapping[str, Any], name: str) -> bytes:
    text = member.get(name)
    if not isinstance(text, str) or not BASE64URL.fullmatch(text):
        raise Unusable(f"{name} is not base64url")
    value = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(value).rstrip(b"=") != text.encode():
        raise Unusable(f"{name} is not canonical base64url")
    return value


def _number(member: Mapping[str, Any], name: str) -> int:
    return int.from_bytes(_bytes(member, name))


def has_roca_shape(modulus: int) -> bool:
    """Tell whether an RSA modulus has the fingerprint of the broken generator of CVE-2017-15361.

    Its primes are powers of 65537 modulo every small prime, and so is their product; a sound modulus passes for all 38
    primes with a chance below 2**-27.
    """
    return all(modulus % prime in powers for prime, powers in _powers_of_65537())


@cache
def _powers_of_65537() -> tuple[tuple[int, frozenset[int]], ...]:
    return tuple((prime, frozenset(_powers(65537 % prime, prime))) for prime in SMALL_PRIMES)


def _powers(base: int, prime: int) -> Iterator[int]:
    power = 1
    for _ in range(prime - 1):
        yield power
        power = power * base % prime


def _is_emulators(member: Any) -> bool:
    """Tell whether entrada-emulator made this key, by its kid or its certificate's subject (SEC-190)."""
    if not isinstance(member, dict):
        return False
    kid, chain = member.get("kid"), member.get("x5c")
    if isinstance(kid, str) and kid.startswith(EMULATOR_KID):
        return True
    return isinstance(chain, list) and any(isinstance(each, str) and _names_emulator(each) for each in chain)


def _names_emulator(certificate: str) -> bool:
    try:
        parsed = x509.load_der_x509_certificate(binascii.a2b_base64(certificate))
    except ValueError:
        return False
    return any(EMULATOR_SUBJECT in name.rfc4514_string().lower() for name in (parsed.subject, parsed.issuer))
