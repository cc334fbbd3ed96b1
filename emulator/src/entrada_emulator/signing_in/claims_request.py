"""The `claims` parameter: what a client wants in its tokens, and what it must have proved."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from entrada_emulator.errors import EntraError


def parse_claims(text: str | None) -> dict[str, Any]:
    """The parameter as an object, empty if absent, with unknown members. Raises 90023 unless it is a JSON object."""
    if not text:
        return {}
    try:
        claims = json.loads(text)
    except (ValueError, RecursionError):
        raise EntraError(90023, reason="the claims parameter is not JSON") from None
    if not isinstance(claims, dict):
        raise EntraError(90023, reason="the claims parameter is not a JSON object")
    return claims


def required_acrs(claims: Mapping[str, Any]) -> frozenset[str]:
    """The contexts that must be satisfied: `{"access_token": {"acrs": {"essential": true, "value": "c1"}}}`."""
    return frozenset(value for wish in _acrs_wishes(claims) if wish.get("essential") for value in _values(wish))


def required_policies(claims: Mapping[str, Any]) -> frozenset[str]:
    """The policies of a challenge passed on: `{"access_token": {"polids": {"essential": true, "values": [...]}}}`."""
    asked = claims.get("access_token")
    wishes = [asked.get(member) for member in ("polids", "capolids")] if isinstance(asked, Mapping) else []
    return frozenset(value for wish in wishes if isinstance(wish, Mapping) for value in _values(wish))


def client_capabilities(claims: Mapping[str, Any]) -> tuple[str, ...]:
    """What the client says it can deal with: `{"access_token": {"xms_cc": {"values": ["cp1"]}}}`."""
    asked = claims.get("access_token")
    wish = asked.get("xms_cc") if isinstance(asked, Mapping) else None
    return tuple(_values(wish)) if isinstance(wish, Mapping) else ()


def _acrs_wishes(claims: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for token in ("access_token", "id_token"):
        asked = claims.get(token)
        wish = asked.get("acrs") if isinstance(asked, Mapping) else None
        if isinstance(wish, Mapping):
            yield wish


def _values(wish: Mapping[str, Any]) -> Iterator[str]:
    values = wish.get("values")
    listed = values if isinstance(values, list) else []
    yield from (value for value in (wish.get("value"), *listed) if isinstance(value, str))
