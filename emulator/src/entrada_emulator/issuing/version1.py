"""The version 1 endpoints in terms of version 2: one resource instead of scopes, and answers full of strings."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from entrada_emulator.issuing.scopes import DEFAULT, ResourceScopes

ALWAYS = ("openid", "profile", "offline_access")
"""What version 1 gives a person's client unasked: an ID token and a refresh token."""


def for_person(parameters: Mapping[str, str]) -> dict[str, str]:
    """An authorize or token request for a person: `resource` asks for all that the registration names there."""
    resource = parameters.get("resource")
    rest = {name: value for name, value in parameters.items() if name not in {"resource", "scope"}}
    if resource:
        return rest | {"scope": " ".join((*ALWAYS, f"{resource}/{DEFAULT}"))}
    return rest


def at_authorize(parameters: Mapping[str, str]) -> dict[str, str]:
    """An authorize request; without a resource the sign-in alone."""
    return {"scope": " ".join(ALWAYS)} | for_person(parameters)


def for_application(parameters: Mapping[str, str]) -> dict[str, str]:
    """A client credentials request."""
    resource = parameters.get("resource")
    rest = {name: value for name, value in parameters.items() if name not in {"resource", "scope"}}
    return rest | ({"scope": f"{resource}/{DEFAULT}"} if resource else {})


def shaped(answer: Mapping[str, Any], api: ResourceScopes, *, now: datetime) -> dict[str, Any]:
    """A token answer as version 1 writes it: numbers as text, both ends of the life, the resource, short scopes."""
    life, issued = int(answer["expires_in"]), int(now.timestamp())
    times = {
        "expires_in": str(life),
        "ext_expires_in": str(life),
        "expires_on": str(issued + life),
        "not_before": str(issued),
        "resource": api.identifier,
    }
    scope = {"scope": " ".join(api.values)} if "scope" in answer else {}
    return dict(answer) | scope | times
