"""Signed JSON web tokens, made and read with the emulator's own keys."""

import base64
import binascii
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature

from entrada_emulator.keys import KeyRing, SigningKey, base64url


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


def read(token: str, *, keys: KeyRing) -> dict[str, Any]:
    """The claims of a token that one of the published keys signed; raises `NotOurToken`. Judges no claim."""
    try:
        head, payload, signature = token.split(".")
        header = json.loads(_decode(head))
        key = keys.find(header["kid"])
        if header["alg"] != "RS256" or key is None or not isinstance(header.get("nonce", ""), str):
            raise NotOurToken
        key.verify(_decode(signature), f"{encoded(_as_signed(header))}.{payload}".encode())
        claims = json.loads(_decode(payload))
    except (ValueError, KeyError, TypeError, RecursionError, InvalidSignature):
        raise NotOurToken from None
    if not isinstance(claims, dict):
        raise NotOurToken
    return claims


def encoded(part: dict[str, Any]) -> str:
    """One part of a token: minified JSON in base64url."""
    return base64url(json.dumps(part, separators=(",", ":")).encode())


def _as_signed(header: dict[str, str]) -> dict[str, str]:
    if "nonce" not in header:
        return header
    return header | {"nonce": base64url(hashlib.sha256(header["nonce"].encode()).digest())}


def _decode(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise NotOurToken from None
