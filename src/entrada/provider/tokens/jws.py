"""A compact JWS (RFC 7515), read so strictly that there is one way only to write it, then verified.

The claims come out of `verify` alone: there is no way to read them unverified (SEC-048).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature

from entrada.errors import TokenRefused
from entrada.provider.keys import LONGEST_KID, VerificationKey
from entrada.provider.strict_json import NotStrict, json_object
from entrada.provider.tokens import base64url
from entrada.provider.tokens.signature import ALGORITHMS, check_signature

MAX_BYTES = 64 * 1024  # SEC-045; Entra's largest ID tokens have about 10 KiB
CACHED_HEADER = 512  # characters; a longer header is read anew each time, so that strangers cannot fill the cache


class Header(msgspec.Struct, frozen=True):
    """What a token's header says, as far as it is looked at."""

    algorithm: str
    key_id: str
    type: str
    """Its `typ`; JWT when it has none."""
    for_graph: bool
    """Whether it has the `nonce` by which Microsoft Graph's tokens are known; nobody else can verify those."""


class Jws(msgspec.Struct, frozen=True):
    """A token whose form is right and of which nothing is believed yet."""

    header: Header
    signing_input: bytes
    signature: bytes
    _payload: bytes

    def __repr__(self) -> str:
        return f"Jws({self.header.algorithm}, {self.header.key_id!r}, …)"


def parse(token: str, *, algorithms: Sequence[str], max_bytes: int = MAX_BYTES) -> Jws:
    """Return the token's parts; TokenRefused unless its form is canonical and its algorithm one of `algorithms`.

    Refused before any decoding: what is too long or has not exactly three segments (JSON serialisation, JWE).
    """
    if not isinstance(token, str) or len(token) > max_bytes:
        raise TokenRefused("form: too long, or not a text")
    if not token.isascii():
        raise TokenRefused("form: not ASCII")
    signed, _, signature = token.rpartition(".")
    head, dot, payload = signed.partition(".")
    if not dot or "." in payload:
        raise TokenRefused("form: not three segments")
    read = _read_header if len(head) <= CACHED_HEADER else _read_header.__wrapped__
    header = read(head)
    if header.algorithm not in algorithms or header.algorithm not in ALGORITHMS:
        raise TokenRefused("alg: not one that is accepted")
    return Jws(header, signed.encode(), _decode(signature), _decode(payload))


def verify(jws: Jws, key: VerificationKey, *, algorithms: Sequence[str]) -> dict[str, Any]:
    """Return the claims when `key` signed them with the one algorithm it serves; TokenRefused otherwise."""
    return _object(payload_of(jws, key, algorithms=algorithms), "payload")


def payload_of(jws: Jws, key: VerificationKey, *, algorithms: Sequence[str]) -> bytes:
    """Return the bytes that `key` signed, whatever they are; TokenRefused when it did not.

    A key serves the first of `algorithms` that its type and its own `alg` allow (SEC-034).
    """
    header = jws.header
    if header.key_id != key.id or not key.serves(header.algorithm, of=algorithms):
        raise TokenRefused("key: not for this token's algorithm")
    try:
        check_signature(key.public_key, header.algorithm, signed=jws.signing_input, signature=jws.signature)
    except InvalidSignature:
        raise TokenRefused("signature: wrong") from None
    return jws._payload


def _decode(segment: str) -> bytes:
    decoded = base64url.decode(segment)
    if decoded is None:
        raise TokenRefused("form: not canonical base64url")
    return decoded


def _object(data: bytes, part: str) -> dict[str, Any]:
    try:
        return json_object(data)
    except NotStrict as fault:
        raise TokenRefused(f"form: the {part} is {fault}") from None


@lru_cache(maxsize=64)  # the tokens of one key share their header to the byte
def _read_header(segment: str) -> Header:
    """Return alg, kid, typ, and whether there is a nonce; what else it brings, a key above all, is not looked at."""
    header = _object(_decode(segment), "header")
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str):
        raise TokenRefused("alg: missing, or not a text")
    if "crit" in header or "b64" in header:
        raise TokenRefused("crit: no extension is understood")
    if not isinstance(key_id, str) or not 0 < len(key_id) <= LONGEST_KID:
        raise TokenRefused("kid: missing, too long, or not a text")
    if not isinstance(kind, str):
        raise TokenRefused("typ: not a text")
    return Header(algorithm, key_id, kind, "nonce" in header)
