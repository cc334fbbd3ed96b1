"""Verified claims become the User of the application."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from entrada.principal import User
from entrada.provider.validate import Claims

LONGEST_TEXT = 1024  # characters of a name or hint; a longer one is cut, for it is for display


def user_from(claims: Claims) -> User:
    """Return the person whom the claims name; a claim of the wrong type counts as absent, never as more."""
    values = claims.values
    return User(
        issuer=claims.issuer,
        subject=claims.subject,
        tenant_id=claims.tenant_id,
        object_id=claims.object_id,
        name=_text(values, "name") or "",
        username=_text(values, "preferred_username") or "",
        email=_text(values, "email"),
        roles=frozenset(_texts(values, "roles")),
        auth_time=_time(values, "auth_time"),
        amr=_texts(values, "amr"),
        acrs=frozenset(_texts(values, "acrs")),
        sid=_identifier(values, "sid"),
        login_hint=_identifier(values, "login_hint"),
    )


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    return value[:LONGEST_TEXT] if isinstance(value, str) and value else None


def _identifier(values: Mapping[str, Any], name: str) -> str | None:
    """Return an opaque value whole or not at all: half of one is another's."""
    value = values.get(name)
    return value if isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT else None


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = values.get(name)
    return tuple(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else ()


def _time(values: Mapping[str, Any], name: str) -> datetime | None:
    value = values.get(name)
    return datetime.fromtimestamp(value, UTC) if value is not None else None
