"""The gauntlet: each named check that the claims of an ID token must pass once its signature is known to be right.

Pure: claims, what is expected, and the time go in; TokenRefused, whose detail begins with the check's name, comes out.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256, sha384, sha512
from math import isfinite
from typing import Any, Protocol

from entrada.errors import NotVerifiableYet, TokenRefused
from entrada.provider import b2c
from entrada.provider.authority import issuer_of
from entrada.well_known import GUID

LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0 section 2, in ASCII characters
LAST_SECOND = 253_402_300_799  # the end of the year 9999; datetime knows no later
HASHES = {"256": sha256, "384": sha384, "512": sha512}


class TokenOver(TokenRefused):
    """A token whose time is past, by this machine's clock."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What the claims are held against; times in seconds since 1970, lengths of time in seconds."""

    issuer: str
    audience: str
    now: float
    leeway: float
    policy: str | None = None
    """The user flow that the token must have come through, at Azure AD B2C."""
    tenant_id: str | None = None
    """The Entra tenant, whose tokens must carry `tid` and `oid`; None for other providers, whose are not read."""
    key_issuer: str | None = None
    """The issuer that Entra bound the signing key to."""
    algorithm: str = "RS256"
    nonce: str | None = field(default=None, repr=False)
    """The sign-in's nonce; None for a renewed token, which need not repeat it."""
    access_token: str | None = field(default=None, repr=False)
    max_age: float | None = None


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of a token that passed. Only `check` makes one."""

    issuer: str
    subject: str
    audience: str
    tenant_id: str | None
    object_id: str | None
    values: Mapping[str, Any] = field(repr=False)
    """All of them, as they were in the token."""


class Identified(Protocol):
    """Whoever a token can be compared with: Claims, or a User kept from an earlier one."""

    @property
    def issuer(self) -> str: ...  # noqa: D102
    @property
    def subject(self) -> str: ...  # noqa: D102
    @property
    def tenant_id(self) -> str | None: ...  # noqa: D102
    @property
    def object_id(self) -> str | None: ...  # noqa: D102


Check = Callable[[Mapping[str, Any], Expected], None]


def issuer_is_expected(claims: Mapping[str, Any], expected: Expected) -> None:
    """`iss` is the expected issuer, character by character (SEC-037)."""
    if claims.get("iss") != expected.issuer:
        raise TokenRefused("issuer_is_expected: iss is not our authority")


def audience_is_us(claims: Mapping[str, Any], expected: Expected) -> None:
    """`aud` is our client id, alone; `azp`, when there, is too (SEC-038)."""
    audience = claims.get("aud")
    if audience not in (expected.audience, [expected.audience]):
        raise TokenRefused("audience_is_us: aud is not our client id alone")
    if "azp" in claims and claims["azp"] != expected.audience:
        raise TokenRefused("audience_is_us: azp is another client")


def subject_is_named(claims: Mapping[str, Any], _expected: Expected) -> None:
    """`sub` is a text of 1 to 255 printable ASCII characters (SEC-039)."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise TokenRefused("subject_is_named: sub is missing, too long, or not a text")
    if not (subject.isascii() and subject.isprintable()):
        raise TokenRefused("subject_is_named: sub has characters that it may not have")


def tenant_is_expected(claims: Mapping[str, Any], expected: Expected) -> None:
    """At Entra, `tid` is the issuer's tenant and `oid` a GUID (SEC-039)."""
    if expected.tenant_id is None:
        return
    if claims.get("tid") != expected.tenant_id:
        raise TokenRefused("tenant_is_expected: tid is not the issuer's tenant")
    object_id = claims.get("oid")
    if not isinstance(object_id, str) or not GUID.fullmatch(object_id):
        raise TokenRefused("tenant_is_expected: oid is missing or no GUID")


def policy_is_expected(claims: Mapping[str, Any], expected: Expected) -> None:
    """At B2C, `tfp` (or `acr`) is the configured user flow: another's token is not for here (SEC-127)."""
    if expected.policy is not None and not b2c.same_policy(b2c.policy_in(claims), expected.policy):
        raise TokenRefused("policy_is_expected: tfp is another user flow")


def key_is_issuers(claims: Mapping[str, Any], expected: Expected) -> None:
    """A key that Entra bound to an issuer signs that issuer's tokens only (SEC-066)."""
    if expected.tenant_id is None or expected.key_issuer is None:
        return
    if issuer_of(expected.key_issuer, expected.tenant_id) != claims["iss"]:
        raise TokenRefused("key_is_issuers: the signing key belongs to another issuer")


def times_are_numbers(claims: Mapping[str, Any], _expected: Expected) -> None:
    """`exp` and `iat` are there, and every time is a finite number of seconds up to the year 9999 (SEC-039)."""
    for name in ("exp", "iat", "nbf", "auth_time"):
        if name not in claims and name in {"nbf", "auth_time"}:
            continue
        value = claims.get(name)
        if type(value) is not int and (type(value) is not float or not isfinite(value)):
            raise TokenRefused(f"times_are_numbers: {name} is missing or not a number")
        if not 0 <= value <= LAST_SECOND:
            raise TokenRefused(f"times_are_numbers: {name} is out of range")


def not_expired(claims: Mapping[str, Any], expected: Expected) -> None:
    """`exp` is not yet past (SEC-040)."""
    if expected.now >= claims["exp"] + expected.leeway:
        raise TokenOver("not_expired: exp is past")


def already_valid(claims: Mapping[str, Any], expected: Expected) -> None:
    """`nbf` and `iat` are not in the future; a token from there means that a clock is wrong (SEC-040)."""
    latest = expected.now + expected.leeway
    if claims["iat"] > latest or claims.get("nbf", 0) > latest:
        raise NotVerifiableYet("already_valid: iat or nbf is in the future; is this machine's clock right?")


def nonce_is_ours(claims: Mapping[str, Any], expected: Expected) -> None:
    """`nonce` is the one of this sign-in, compared in constant time (SEC-041)."""
    if expected.nonce is None:
        return
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not expected.nonce:
        raise TokenRefused("nonce_is_ours: nonce is missing")
    if not hmac.compare_digest(nonce.encode(), expected.nonce.encode()):
        raise TokenRefused("nonce_is_ours: nonce is another sign-in's")


def access_token_is_its_own(claims: Mapping[str, Any], expected: Expected) -> None:
    """`at_hash`, whenever there, is the access token's (SEC-046; OpenID Connect Core 1.0 section 3.1.3.8)."""
    if "at_hash" not in claims:
        return
    given = claims["at_hash"]
    if expected.access_token is None or not isinstance(given, str):
        raise TokenRefused("access_token_is_its_own: at_hash cannot be checked")
    digest = HASHES.get(expected.algorithm[-3:], sha512)(expected.access_token.encode()).digest()
    left_half = urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(given.encode(), left_half):
        raise TokenRefused("access_token_is_its_own: at_hash is another access token's")


def signed_in_lately(claims: Mapping[str, Any], expected: Expected) -> None:
    """With `max_age`, `auth_time` is there and recent enough; its absence never passes (SEC-047)."""
    if expected.max_age is None:
        return
    if "auth_time" not in claims:
        raise TokenRefused("signed_in_lately: auth_time is missing")
    age = expected.now - claims["auth_time"]
    if not -expected.leeway <= age <= expected.max_age + expected.leeway:
        raise TokenRefused("signed_in_lately: the sign-in is older than was asked for")


GAUNTLET: tuple[Check, ...] = (
    issuer_is_expected,
    audience_is_us,
    subject_is_named,
    tenant_is_expected,
    policy_is_expected,
    key_is_issuers,
    times_are_numbers,
    not_expired,
    already_valid,
    nonce_is_ours,
    access_token_is_its_own,
    signed_in_lately,
)


def check(claims: Mapping[str, Any], expected: Expected) -> Claims:
    """Return the claims when they pass every check; `claims` must come out of `jws.verify`."""
    for passes in GAUNTLET:
        passes(claims, expected)
    at_entra = expected.tenant_id is not None
    return Claims(
        issuer=claims["iss"],
        subject=claims["sub"],
        audience=expected.audience,
        tenant_id=expected.tenant_id,
        object_id=claims["oid"] if at_entra else None,
        values=claims,
    )


def tenant_named(claims: Mapping[str, Any]) -> str:
    """Return the tenant that a token of one of many tenants names; the gauntlet then holds `iss` and key against it."""
    tenant_id = claims.get("tid")
    if not isinstance(tenant_id, str) or not GUID.fullmatch(tenant_id):
        raise TokenRefused("tenant_is_expected: tid is missing or no GUID")
    return tenant_id


def type_is_jwt(kind: str) -> None:
    """Refuse a token that its `typ` says is another kind: an access token, a logout token (SEC-046)."""
    if kind.upper() != "JWT":
        raise TokenRefused("type_is_jwt: typ says that this is no ID token")


def same_person(claims: Claims, before: Identified) -> None:
    """Refuse a renewed token that speaks of another issuer, person or tenant than the first (SEC-109)."""
    now = (claims.issuer, claims.subject, claims.tenant_id, claims.object_id)
    if now != (before.issuer, before.subject, before.tenant_id, before.object_id):
        raise TokenRefused("same_person: the renewed token is somebody else's")
