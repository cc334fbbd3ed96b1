"""Verified claims become whoever calls: the User of a sign-in or of a bearer token, or the App."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from entrada.principal import App, Delegation, User
from entrada.provider.tokens.access_checks import AccessClaims
from entrada.provider.tokens.validate import Claims
from entrada.well_known import GUID

TEXTS = {str}
LONGEST_NAME = 256  # characters, as at Entra; a longer one is cut, for it is for display
LONGEST_ADDRESS = 320  # characters of an e-mail address (RFC 3696, erratum 1690); half of one would be another's
LONGEST_IDENTIFIER = 1024
UNFIT = (*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Characters that no name needs: controls, one of which PostgreSQL does not take, and what turns a line's direction."""
BLANKED = dict.fromkeys(UNFIT, " ")


def user_from(claims: Claims | AccessClaims, *, delegation: Delegation | None = None) -> User:
    """Return the person whom the claims name; a claim of the wrong type counts as absent, never as more."""
    values = claims.values
    return User(
        issuer=claims.issuer,
        subject=claims.subject,
        tenant_id=claims.tenant_id,
        object_id=claims.object_id,
        name=_name(values),
        username=_address(values.get("preferred_username")) or _address(values.get("upn")) or "",
        email=_address(values.get("email")) or next(map(_address, _texts(values, "emails")), None),
        roles=frozenset(_texts(values, "roles")),
        auth_time=_time(values, "auth_time"),
        amr=_texts(values, "amr"),
        acrs=frozenset(_texts(values, "acrs")),
        acr=_identifier(values, "acr"),
        groups=frozenset(filter(GUID.fullmatch, _texts(values, "groups"))),  # SEC-133
        groups_overage=_has_overage(values),
        sid=_identifier(values, "sid"),
        login_hint=_identifier(values, "login_hint"),
        delegation=delegation,
    )


def principal_from(claims: AccessClaims) -> User | App:
    """Return whom an access token lets in: the person for whom a client acts, or an application for itself."""
    if claims.for_application:
        return App(
            issuer=claims.issuer,
            client_id=claims.client_id,
            subject=claims.subject,
            tenant_id=claims.tenant_id,
            object_id=claims.object_id,
            roles=frozenset(_texts(claims.values, "roles")),
        )
    capabilities = frozenset(map(str.lower, _texts(claims.values, "xms_cc")))
    return user_from(claims, delegation=Delegation(claims.client_id, claims.scopes, capabilities))


def _has_overage(values: Mapping[str, Any]) -> bool:
    """Tell whether the groups are elsewhere; the address that the token gives for them is never used (SEC-132)."""
    names, has_groups = values.get("_claim_names"), values.get("hasgroups")
    return (isinstance(names, dict) and "groups" in names) or has_groups is True or has_groups == "true"


def _name(values: Mapping[str, Any]) -> str:
    value = values.get("name")
    return value[:LONGEST_NAME].translate(BLANKED) if isinstance(value, str) else ""


def _address(value: Any) -> str | None:
    """Return a user name or an e-mail address whole or not at all."""
    fits = isinstance(value, str) and 0 < len(value) <= LONGEST_ADDRESS and value.isprintable()
    return value if fits else None


def _identifier(values: Mapping[str, Any], name: str) -> str | None:
    """Return an opaque value whole or not at all: half of one is another's."""
    value = values.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_IDENTIFIER else None


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = values.get(name)
    return tuple(value) if isinstance(value, list) and set(map(type, value)) <= TEXTS else ()


def _time(values: Mapping[str, Any], name: str) -> datetime | None:
    value = values.get(name)
    return datetime.fromtimestamp(value, UTC) if value is not None else None
