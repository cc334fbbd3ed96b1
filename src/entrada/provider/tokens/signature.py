"""The bare signature of a JWS (RFC 7518 section 3, RFC 8037): one algorithm, one public key, right or not."""

from collections.abc import Callable
from functools import partial
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from entrada.provider.keys import PublicKey

PKCS1 = padding.PKCS1v15()


def check_signature(public_key: PublicKey, algorithm: str, *, signed: bytes, signature: bytes) -> None:
    """Raise InvalidSignature unless `signature` is that of `signed`; the key must be of the algorithm's type."""
    scheme = RSA.get(algorithm)
    key: Any = public_key
    if scheme is not None:
        key.verify(signature, signed, *scheme)
    else:
        OTHERS[algorithm](key, signed, signature)


def _pss(hashed: HashAlgorithm) -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(hashed), salt_length=hashed.digest_size)  # RFC 7518 section 3.5


def _ecdsa(key: Any, signed: bytes, signature: bytes, *, size: int, scheme: ec.ECDSA) -> None:
    """Verify r and s, each of `size` bytes (RFC 7518 section 3.4)."""
    if len(signature) != 2 * size:
        raise InvalidSignature
    numbers = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
    key.verify(encode_dss_signature(*numbers), signed, scheme)


def _eddsa(key: Any, signed: bytes, signature: bytes) -> None:
    key.verify(signature, signed)


HASHES: dict[str, HashAlgorithm] = {"256": SHA256(), "384": SHA384(), "512": SHA512()}
RSA: dict[str, tuple[padding.PKCS1v15 | padding.PSS, HashAlgorithm]] = {
    **{f"RS{bits}": (PKCS1, hashed) for bits, hashed in HASHES.items()},
    **{f"PS{bits}": (_pss(hashed), hashed) for bits, hashed in HASHES.items()},
}
OTHERS: dict[str, Callable[[Any, bytes, bytes], None]] = {
    "ES256": partial(_ecdsa, size=32, scheme=ec.ECDSA(SHA256())),
    "ES384": partial(_ecdsa, size=48, scheme=ec.ECDSA(SHA384())),
    "ES512": partial(_ecdsa, size=66, scheme=ec.ECDSA(SHA512())),
    "EdDSA": _eddsa,
    "Ed25519": _eddsa,
}
ALGORITHMS = frozenset({*RSA, *OTHERS})
"""What can be verified here: asymmetric signatures only (SEC-035)."""
