"""The gauntlet of an access token: each named check that its claims must pass once its signature is known to be right.

Pure, like `validate`, whose checks it shares. What kind of token it is, for a person or for an application, is decided
here and nowhere else: neither can pass for the other (SEC-054).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from entrada.errors import TokenRefused
from entrada.provider.tokens.validate import (
    Expected,
    already_valid,
    issuer_is_expected,
    not_expired,
    policy_is_expected,
    subject_is_named,
    tenant_is_expected,
    times_are_numbers,
)

LONGEST_CLIENT_ID = 255
LONGEST_SCOPE = 8192  # characters of the whole claim
OTHER_KINDS = ("nonce", "at_hash", "c_hash", "events")
"""Claims of ID tokens and logout tokens, which no access token has (SEC-052), but for B2C's, which repeat the nonce."""
CLIENT_CLAIMS = {None: "client_id", 1: "appid", 2: "azp"}
"""Where a token names the client, by Entra's version of it; None for other providers."""
VERSIONS = {1: "1.0", 2: "2.0"}
"""Entra's names for them, in `ver`."""
ACCESS_TYPES = frozenset({"AT+JWT", "APPLICATION/AT+JWT"})


@dataclass(frozen=True, slots=True)
class ExpectedAccess(Expected):
    """What an access token's claims are held against; `audience` is our client id."""

    version: int | None = None
    """Entra's version of the token, 1 or 2; None for other providers."""
    identifiers: frozenset[str] = frozenset()
    """What else we are called in `aud`: App ID URIs at Entra, resource identifiers elsewhere."""
    clients: frozenset[str] = frozenset()
    """The clients that may call; empty when any may."""
    other_issuer: str | None = None
    """The tenant's issuer of the other version: Entra binds a key to either."""


class AccessClaims(msgspec.Struct, frozen=True):
    """The claims of an access token that passed. Only `check` makes one, and `usual_token` of what it knows again."""

    issuer: str
    subject: str
    tenant_id: str | None
    object_id: str | None
    client_id: str
    for_application: bool
    """Whether the client calls for itself; otherwise for the person."""
    scopes: frozenset[str]
    expires_at: float
    """`exp`, in seconds since 1970."""
    values: Mapping[str, Any]
    """All of them, as they were in the token."""

    def __repr__(self) -> str:
        return f"AccessClaims({self.issuer!r}, {self.client_id!r}, …)"


def type_is_access(kind: str, *, microsoft: bool) -> None:
    """`typ` is at+jwt (RFC 9068); Entra's and B2C's tokens all say JWT, and other checks tell them from ID tokens."""
    if kind.upper() not in ACCESS_TYPES and not (microsoft and kind.upper() == "JWT"):
        raise TokenRefused("type_is_access: typ says that this is no access token")


def version_is_issuers(claims: Mapping[str, Any], expected: ExpectedAccess) -> None:
    """`ver` is that of the issuer's metadata (SEC-051)."""
    if expected.version is not None and claims.get("ver") != VERSIONS[expected.version]:
        raise TokenRefused("version_is_issuers: ver does not suit the issuer")


def audience_is_this_api(claims: Mapping[str, Any], expected: ExpectedAccess) -> None:
    """`aud` is our client id; in version 1 and elsewhere also a configured identifier (SEC-050, SEC-051)."""
    given, identifiers, version = claims.get("aud"), expected.identifiers, expected.version
    if given == expected.audience:
        return
    named = [given] if isinstance(given, str) else given
    if not isinstance(named, list) or not all(isinstance(each, str) for each in named):
        raise TokenRefused("audience_is_this_api: aud is missing or not a text")
    if version is not None and len(named) != 1:
        raise TokenRefused("audience_is_this_api: aud names more than one API")
    ours = {expected.audience} if version == 2 else {expected.audience, *identifiers}  # noqa: PLR2004 - Entra's v2.0
    if version == 1:  # Entra repeats the address as the client wrote it, with a slash or without
        named = [each.removesuffix("/") for each in named]
    if ours.isdisjoint(named):
        raise TokenRefused("audience_is_this_api: aud is not this API; set api_audiences if it should be")


def key_is_tenants(claims: Mapping[str, Any], expected: ExpectedAccess) -> None:
    """A key that Entra bound to an issuer signs only that tenant's tokens, of either version (SEC-066)."""
    if expected.tenant_id is None or expected.key_issuer is None:
        return
    bound_to = expected.key_issuer.replace("{tenantid}", expected.tenant_id)
    if bound_to != claims["iss"] and bound_to != expected.other_issuer:
        raise TokenRefused("key_is_tenants: the signing key belongs to another issuer")


def no_other_kind(claims: Mapping[str, Any], expected: Expected) -> None:
    """It has nothing that only ID tokens and logout tokens have (SEC-052).

    B2C puts the nonce of the request into access tokens as well; there `azp` and `scp` tell them from ID tokens.
    """
    for name in OTHER_KINDS:
        if name in claims and not (name == "nonce" and expected.policy):
            raise TokenRefused(f"no_other_kind: {name} belongs to an ID token or a logout token")


def not_bound_to_a_proof(claims: Mapping[str, Any], _expected: Expected) -> None:
    """A token that its holder must prove (`cnf`) is refused, for the proof is not checked here (SEC-057)."""
    if "cnf" in claims:
        raise TokenRefused("not_bound_to_a_proof: cnf asks for a proof that is not taken here")


def client_is_admitted(claims: Mapping[str, Any], expected: ExpectedAccess) -> None:
    """The client is named, by `azp`, `appid` or `client_id`, and is one of those that may call."""
    name = _client_claim(expected)
    client = claims.get(name)
    if not isinstance(client, str) or not 0 < len(client) <= LONGEST_CLIENT_ID:
        raise TokenRefused(f"client_is_admitted: {name} is missing, as in an ID token")
    allowed = expected.clients
    if allowed and client not in allowed:
        raise TokenRefused("client_is_admitted: the client is not in api_clients")


def one_kind_of_caller(claims: Mapping[str, Any], expected: ExpectedAccess) -> None:
    """It is a person's token with scopes, or an application's with roles; never both, never neither (SEC-054)."""
    scopes = _scopes(claims, expected)
    if not _is_applications(claims, expected):
        if not scopes:
            raise TokenRefused("one_kind_of_caller: a person's token without scopes, as an ID token is")
        return
    if scopes and expected.version is not None:
        raise TokenRefused("one_kind_of_caller: an application's token has no scopes")
    by_client_alone = bool(expected.clients) and claims.get("idtyp") == "app"
    if not _has_roles(claims) and not by_client_alone and expected.version is not None:
        raise TokenRefused("one_kind_of_caller: an application's token without app roles; grant it one")


AccessCheck = Callable[[Mapping[str, Any], ExpectedAccess], None]

GAUNTLET: tuple[AccessCheck, ...] = (
    issuer_is_expected,
    policy_is_expected,
    version_is_issuers,
    audience_is_this_api,
    subject_is_named,
    tenant_is_expected,
    key_is_tenants,
    times_are_numbers,
    not_expired,
    already_valid,
    no_other_kind,
    not_bound_to_a_proof,
    client_is_admitted,
    one_kind_of_caller,
)


def check(claims: Mapping[str, Any], expected: ExpectedAccess) -> AccessClaims:
    """Return the claims when they pass every check; `claims` come out of `jws.verify`, or from introspection."""
    for passes in GAUNTLET:
        passes(claims, expected)
    return AccessClaims(
        issuer=claims["iss"],
        subject=claims["sub"],
        tenant_id=expected.tenant_id,
        object_id=claims["oid"] if expected.tenant_id is not None else None,
        client_id=claims[_client_claim(expected)],
        for_application=_is_applications(claims, expected),
        scopes=_scopes(claims, expected),
        expires_at=claims["exp"],
        values=claims,
    )


def _client_claim(expected: ExpectedAccess) -> str:
    return "azp" if expected.policy else CLIENT_CLAIMS[expected.version]


def _is_applications(claims: Mapping[str, Any], expected: ExpectedAccess) -> bool:
    """Tell whose token it is: by `idtyp` where Entra was asked for it, else by a subject that is the client itself."""
    if expected.version is None:
        return bool(claims["sub"] == claims[_client_claim(expected)])  # RFC 9068 section 2.2
    if "idtyp" in claims:
        return bool(claims["idtyp"] == "app")
    return "scp" not in claims and claims["sub"] == claims["oid"]


def _scopes(claims: Mapping[str, Any], expected: ExpectedAccess) -> frozenset[str]:
    """Return the whole words of `scp` at Microsoft, elsewhere of `scope` (RFC 9068), or of `scp` where it has none.

    A value of another type grants nothing.
    """
    at_microsoft = expected.version is not None or expected.policy is not None
    value = claims.get("scp") if at_microsoft else claims.get("scope", claims.get("scp"))
    return words_of(value) if isinstance(value, str) and len(value) <= LONGEST_SCOPE else frozenset()


@lru_cache(maxsize=64)  # one API's tokens have few different sets of scopes
def words_of(text: str) -> frozenset[str]:
    """Return the words of a list of scopes."""
    return frozenset(text.split(" ")) - {""}


def _has_roles(claims: Mapping[str, Any]) -> bool:
    roles = claims.get("roles")
    return isinstance(roles, list) and bool(roles) and all(isinstance(each, str) and each for each in roles)
