"""ID tokens that are wrong in one way each, for clients to refuse."""

import secrets
from datetime import timedelta
from typing import Any

from entrada_emulator.faults import Fault, TokenFault
from entrada_emulator.inspector.notes import failed, noted
from entrada_emulator.issuing.jwt import encoded, signed
from entrada_emulator.issuing.keys import SigningKey, new_signing_key

CLAIM_FAULTS: dict[TokenFault, dict[str, Any]] = {
    "wrong_issuer": {"iss": "https://login.microsoftonline.com/e7712ada-dead-4000-8000-00000000dead/v2.0"},
    "wrong_audience": {"aud": "a0000000-dead-4000-8000-00000000dead"},
}
LONG_AGO = int(timedelta(days=1).total_seconds())


def signed_or_spoiled(claims: dict[str, Any], *, key: SigningKey, faults: tuple[Fault, ...], v1: bool = False) -> str:
    """The ID token, right unless a fault was asked for."""
    kinds: set[str] = {fault.kind for fault in faults}
    if kinds:
        noted(spoilt=", ".join(sorted(kinds)))
    if kinds & {"wrong_nonce", "no_nonce"}:
        failed("nonce", "The control API asked for an ID token whose nonce is not that of the request.")
    claims = _spoiled_claims(claims, kinds)
    if "alg_none" in kinds:
        return f"{encoded({'typ': 'JWT', 'alg': 'none'})}.{encoded(claims)}."
    if "unknown_kid" in kinds:
        return signed(claims, key=new_signing_key())
    token = signed(claims, key=key, v1=v1)
    return _with_other_signature(token) if "bad_signature" in kinds else token


def _spoiled_claims(claims: dict[str, Any], kinds: set[str]) -> dict[str, Any]:
    for kind, replaced in CLAIM_FAULTS.items():
        claims = claims | replaced if kind in kinds else claims
    if "wrong_nonce" in kinds:
        claims = claims | {"nonce": secrets.token_urlsafe(16)}
    if "no_nonce" in kinds:
        claims = {name: value for name, value in claims.items() if name != "nonce"}
    if "expired" in kinds:
        claims = claims | {name: claims[name] - LONG_AGO for name in ("iat", "nbf", "exp")}
    return claims


def _with_other_signature(token: str) -> str:
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{signature[::-1]}"
