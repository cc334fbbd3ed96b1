"""Signed JSON web tokens, made and read with the emulator's own keys."""

import base64
import binascii
import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from entrada_emulator.issuing.keys import KeyRing, SigningKey, base64url


class NotOurToken(Exception):
    """The token is malformed or no published key of this emulator signed it."""


def signed(claims: dict[str, Any], *, key: SigningKey, v1: bool = False, nonce: str | None = None) -> str:
    """An RS256 token. Version 1 headers also carry `x5t`.

    With a `nonce` in the header the signature covers its SHA-256 instead, as Microsoft Graph's tokens do: only Graph
    can verify those.
    """
    header: dict[str, str] = {"typ": "JWT", "nonce": nonce or "", "alg": "RS256", "kid": key.kid, "x5t": key.x5t}
    if nonce is None:
        del header["nonce"]
    if not v1:
        del header["x5t"]
    payload = encoded(claims)
    signature = key.sign(f"{encoded(_as_signed(header))}.{payload}".encode())
    return f"{encoded(header)}.{payload}.{base64url(signature)}"


@dataclass(frozen=True, slots=True)
class Compact:
    """A JSON web token taken apart; nothing in it is believed yet."""

    header: dict[str, Any]
    claims: dict[str, Any] = field(repr=False)
    signature: bytes = field(repr=False)
    payload: str = field(repr=False)
    """As it was sent."""
    head: str = field(repr=False)

    def is_signed_by(self, key: rsa.RSAPublicKey) -> bool:
        """Whether the key made the signature, with RS256 or PS256 as the header says."""
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        scheme = {"RS256": padding.PKCS1v15(), "PS256": pss}.get(str(self.header.get("alg")))
        if scheme is None:
            return False
        try:
            key.verify(self.signature, f"{self.head}.{self.payload}".encode(), scheme, hashes.SHA256())
        except InvalidSignature:
            return False
        return True


def opened(token: str) -> Compact:
    """Takes a token apart; raises `NotOurToken` for what is none."""
    try:
        head, payload, signature = token.split(".")
        header, claims = json.loads(_decode(head)), json.loads(_decode(payload))
        taken = Compact(header, claims, _decode(signature), payload, head)
    except (ValueError, RecursionError):
        raise NotOurToken from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise NotOurToken
    return taken


def read(token: str, *, keys: KeyRing) -> dict[str, Any]:
    """The claims of a token that one of the published keys signed; raises `NotOurToken`. Judges no claim."""
    taken = opened(token)
    key = key_of(taken, keys=keys)
    if taken.header.get("alg") != "RS256" or not isinstance(taken.header.get("nonce", ""), str):
        raise NotOurToken
    head = encoded(_as_signed(taken.header)) if "nonce" in taken.header else taken.head
    try:
        key.verify(taken.signature, f"{head}.{taken.payload}".encode())
    except InvalidSignature:
        raise NotOurToken from None
    return taken.claims


def key_of(token: Compact, *, keys: KeyRing) -> SigningKey:
    """The key that a token says it was signed with; raises `NotOurToken` when it is none of these."""
    key = keys.find(str(token.header.get("kid")))
    if key is None:
        raise NotOurToken
    return key


def encoded(part: dict[str, Any]) -> str:
    """One part of a token: minified JSON in base64url."""
    return base64url(json.dumps(part, separators=(",", ":")).encode())


def _as_signed(header: dict[str, Any]) -> dict[str, Any]:
    if "nonce" not in header:
        return header
    return header | {"nonce": base64url(hashlib.sha256(header["nonce"].encode()).digest())}


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise NotOurToken from None
