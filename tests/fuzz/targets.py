"""What is fuzzed: each target has the library judge some bytes, and holds its verdict against one made without it."""

import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519
from joserfc.errors import JoseError
from joserfc.jwk import import_key
from joserfc.jwt import JWTClaimsRegistry
from jwt import InvalidTokenError
from jwt.api_jws import PyJWS

from entrada.errors import AuthorityUnavailable, TokenRefused
from entrada.provider.keys import KeySet
from entrada.provider.strict_json import NotStrict, json_object
from entrada.provider.tokens import jws
from entrada.provider.tokens.access_checks import ExpectedAccess, check
from tests.authority_app import BASE, CLIENT, ISSUER, START, TENANT, base64url
from tests.fuzz.reference import NotSo, strictly_read

PRIVATE = ed25519.Ed25519PrivateKey.from_private_bytes(b"the same key in every process :-")
PUBLIC = PRIVATE.public_key()
MEMBER = {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": base64url(PUBLIC.public_bytes_raw())}
KEY = KeySet.parse({"keys": [MEMBER]}).keys["one"]
ALGORITHMS = ("EdDSA",)
NOW = int(START.timestamp())
LEEWAY = 60
EXPECTED = ExpectedAccess(
    issuer=ISSUER,
    audience=CLIENT,
    now=NOW,
    leeway=LEEWAY,
    tenant_id=TENANT,
    key_issuer=f"{BASE}/v2.0",
    version=2,
)
REGISTRY = JWTClaimsRegistry(
    now=NOW,
    leeway=LEEWAY,
    iss={"essential": True, "value": ISSUER},
    aud={"essential": True, "value": CLIENT},
    exp={"essential": True},
    iat={"essential": True},
    sub={"essential": True},
    tid={"essential": True, "value": TENANT},
)


def signed(header: bytes, payload: bytes) -> str:
    """Return these bytes as a token with a signature that is right."""
    text = f"{base64url(header)}.{base64url(payload)}"
    return f"{text}.{base64url(PRIVATE.sign(text.encode()))}"


def verified(token: str) -> dict[str, Any] | None:
    """Return what the library reads in a token, None where it refuses."""
    try:
        return jws.verify(jws.parse(token, algorithms=ALGORITHMS), KEY, algorithms=ALGORITHMS)
    except TokenRefused:
        return None


def a_token(data: bytes) -> None:
    """A rightly signed token of any header and payload is accepted exactly when both are strict, and PyJWT agrees."""
    size = int.from_bytes(data[:2]) % max(len(data), 1)
    header, payload = data[2 : 2 + size], data[2 + size :]
    token = signed(header, payload)
    claims = verified(token)
    assert (claims is not None) is acceptable(header, payload, token), "the verdicts differ"
    if claims is None:
        return
    try:
        theirs = PyJWS(algorithms=list(ALGORITHMS)).decode(token, PUBLIC, algorithms=list(ALGORITHMS))
    except InvalidTokenError as refusal:
        raise AssertionError("accepted, and PyJWT refuses") from refusal
    assert repr(json.loads(theirs)) == repr(claims), "read differently"
    the_gauntlet(claims)


def acceptable(header: bytes, payload: bytes, token: str) -> bool:
    """Tell, without the library, whether a rightly signed token may be accepted."""
    try:
        members = strictly_read(header)
        strictly_read(payload)
    except NotSo:
        return False
    typed = isinstance(members.get("typ", "JWT"), str)
    plain = "crit" not in members and "b64" not in members
    return plain and typed and members.get("alg") == "EdDSA" and members.get("kid") == "one" and len(token) <= 65_536


def the_gauntlet(claims: dict[str, Any]) -> None:
    """Claims that pass our checks pass joserfc's; those that do not are refused in our own words."""
    try:
        passed = check(claims, EXPECTED)
    except TokenRefused:
        return
    REGISTRY.validate(claims)
    assert (passed.tenant_id, passed.client_id) == (TENANT, claims["azp"])
    assert passed.for_application or passed.scopes


def a_text(data: bytes) -> None:
    """No text but a token as its signer wrote it is accepted: there is one way only to write it."""
    text = data.decode("utf-8", "replace")
    if verified(text) is None:
        return
    head, payload, _ = (each.encode() for each in text.split("."))
    again = PRIVATE.sign(head + b"." + payload)
    assert text.encode() == head + b"." + payload + b"." + base64url(again).encode(), "another way to write it"


def some_json(data: bytes) -> None:
    """One JSON object is read exactly when it is strict, and to the same value."""
    try:
        expected: dict[str, Any] | None = strictly_read(data)
    except NotSo:
        expected = None
    try:
        found: dict[str, Any] | None = json_object(data)
    except NotStrict:
        found = None
    assert repr(found) == repr(expected), "the readings differ"


def a_key_set(data: bytes) -> None:
    """A key set is read or refused; joserfc makes the same key of each member that is kept."""
    try:
        document = json_object(data)
        found = KeySet.parse(document, production=bool(len(data) % 2))
    except (NotStrict, AuthorityUnavailable):
        return
    for kid, key in found.keys.items():
        same = [member for member in document["keys"] if isinstance(member, dict) and member.get("kid") == kid]
        assert any(_as_joserfc_reads(member, key.public_key) for member in same), "a key that joserfc does not see"
        assert any(key.serves(name, of=key.algorithms) for name in jws.ALGORITHMS)


def _as_joserfc_reads(member: dict[str, Any], public_key: Any) -> bool:
    bare = {name: member.get(name) for name in ("kty", "n", "e", "crv", "x", "y") if name in member}
    try:
        theirs: Any = import_key(bare).public_key  # type: ignore[arg-type]
    except (JoseError, ValueError, LookupError, TypeError):  # joserfc has bare ones
        return False
    return bool(theirs == public_key)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "token": a_token,
    "text": a_text,
    "json": some_json,
    "keys": a_key_set,
}
