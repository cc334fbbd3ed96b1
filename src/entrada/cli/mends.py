"""What to do about each check that a token fails: the setting, or the page of the portal, that mends it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import msgspec

from entrada.provider.tokens.access_checks import ExpectedAccess
from entrada.provider.tokens.validate import LAST_SECOND, Expected

AGAIN = "get a new token"
ANOTHER = "the token is of another tenant or provider: check AZURE_TENANT_ID (or ENTRADA_ISSUER), or get one there"
API = "Entra admin center › App registrations › the API"
CLIENT = "Entra admin center › App registrations › the client"

MENDS: Mapping[str, str] = MappingProxyType(
    {
        "form": "copy the token whole: three parts with dots between them; an opaque token cannot be looked into",
        "alg": "ENTRADA_ALGORITHMS names the algorithms that are taken; symmetric ones and `none` never are",
        "kid": f"{ANOTHER}; if its application's claims are mapped, set ENTRADA_CUSTOM_SIGNING_KEY=true",
        "key": ANOTHER,
        "signature": "the token was changed on its way, or is for Microsoft Graph: ask for a scope of this API",
        "not_for_graph": "ask for a scope of this API, api://CLIENT-ID/…, instead of one of Microsoft Graph",
        "type_is_access": "send the access token, not the ID token; other providers must say typ at+jwt (RFC 9068)",
        "type_is_jwt": "this is no ID token",
        "issuer_is_expected": ANOTHER,
        "policy_is_expected": "the token is of another user flow: check the settings that name the flows",
        "version_is_issuers": f"{API} › Manifest: requestedAccessTokenVersion decides between 1 and 2",
        "audience_is_this_api": "ask for a scope of this API, or name what it is called in ENTRADA_API_AUDIENCES; "
        f"{API} › Expose an API shows its address",
        "audience_is_us": "the token is another application's: check AZURE_CLIENT_ID; an API takes access tokens only",
        "subject_is_named": "the provider must name the person in sub",
        "tenant_is_expected": "the token is of another tenant, or has no oid: ask for the scope profile",
        "tenant_is_admitted": "ENTRADA_TENANTS, ENTRADA_ANY_TENANT, ENTRADA_GUESTS and ENTRADA_PERSONAL_ACCOUNTS "
        "decide who is let in",
        "key_is_issuers": ANOTHER,
        "key_is_tenants": ANOTHER,
        "times_are_numbers": "the provider must give exp and iat in seconds since 1970",
        "not_expired": f"{AGAIN}; if it is new, the clock of this machine is wrong",
        "already_valid": "set this machine's clock right; ENTRADA_LEEWAY_SECONDS forgives up to five minutes",
        "no_other_kind": "send the access token, not the ID token",
        "not_bound_to_a_proof": "the client must ask for a plain bearer token, without DPoP, mTLS or PoP",
        "client_is_admitted": "send an access token; ENTRADA_API_CLIENTS names the clients that may call",
        "one_kind_of_caller": f"people need a scope: {CLIENT} › API permissions; applications need an app role: "
        f"{API} › App roles, then {CLIENT} › API permissions and admin consent",
    }
)

CLAIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "issuer_is_expected": ("iss",),
        "policy_is_expected": ("tfp", "acr"),
        "version_is_issuers": ("ver",),
        "audience_is_this_api": ("aud",),
        "audience_is_us": ("aud", "azp"),
        "tenant_is_expected": ("tid", "oid"),
        "not_expired": ("exp",),
        "already_valid": ("iat", "nbf"),
        "client_is_admitted": ("azp", "appid", "client_id"),
        "one_kind_of_caller": ("scp", "scope", "roles", "idtyp"),
    }
)
"""The claims that each check looks at."""
TIMES = frozenset({"exp", "iat", "nbf", "auth_time"})


def found(check: str, claims: Mapping[str, Any]) -> str:
    """Say what the token has where the check looked; as JSON, so that no character of it moves the cursor."""
    given = [f"{name} is {shown(name, claims[name])}" for name in CLAIMS.get(check, ()) if name in claims]
    return ", ".join(given)


def wanted(check: str, expected: Expected) -> str:
    """Say what the check wants; empty where its reason says so already."""
    if check == "issuer_is_expected":
        return expected.issuer
    if check == "policy_is_expected":
        return expected.policy or ""
    if check == "tenant_is_expected":
        return expected.tenant_id or ""
    if check in {"not_expired", "already_valid"}:
        return f"now is {_moment(expected.now)}"
    if check == "audience_is_us":
        return expected.audience
    return _wanted_of_access(check, expected) if isinstance(expected, ExpectedAccess) else ""


def shown(name: str, value: object) -> str:
    """Return a claim's value for the screen: times as times, all else as JSON."""
    if name in TIMES and type(value) in {int, float}:
        return _moment(value)  # type: ignore[arg-type]
    return msgspec.json.encode(value).decode().encode("ascii", "backslashreplace").decode()


def _wanted_of_access(check: str, expected: ExpectedAccess) -> str:
    if check == "version_is_issuers":
        return f"{expected.version}.0"
    if check == "client_is_admitted":
        return " or ".join(sorted(expected.clients))
    if check == "audience_is_this_api":
        return " or ".join([expected.audience, *sorted(expected.identifiers)])
    return ""


def _moment(seconds: float) -> str:
    if not 0 <= seconds <= LAST_SECOND:
        return "out of range"
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
