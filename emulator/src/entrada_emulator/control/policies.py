"""Conditional Access policies switched on while the emulator runs."""

import uuid
from datetime import timedelta
from typing import Any, Literal, cast

from starlette.requests import Request

from entrada_emulator.control.guard import BadControl, Json, number
from entrada_emulator.directory.model import TENANT_MARK, Policy
from entrada_emulator.directory.world_checks import policy_fits
from entrada_emulator.instance import Emulator

KINDS = ("mfa", "block", "nothing")
LISTS = ("users", "applications", "authentication_contexts")
LONGEST = 365 * 86400.0  # seconds
MEMBERS = frozenset({"id", "tenant", "display_name", "requires", "sign_in_frequency_seconds", *LISTS})


def show_policies(emulator: Emulator, _: Json, __: Request) -> Json:
    """The policies in force, those of the directory first."""
    return {"policies": [_shown(policy) for policy in emulator.policies]}


def switch_on(emulator: Emulator, body: Json, request: Request) -> Json:
    """`{"tenant": …, "requires": "mfa" | "block" | "nothing"}`, for whom, where, and `sign_in_frequency_seconds`."""
    policy = _policy(emulator, body)
    for place, told in policy_fits(emulator.world, "policy", policy):
        raise BadControl(f"{place}: {told}")
    emulator.state.policies.switch_on(policy)
    return show_policies(emulator, body, request)


def clear(emulator: Emulator, body: Json, request: Request) -> Json:
    """Those of the directory alone are left."""
    emulator.state.policies.clear()
    return show_policies(emulator, body, request)


def _policy(emulator: Emulator, body: Json) -> Policy:
    tenant = emulator.world.tenant(str(body.get("tenant")))
    lists = {name: body.get(name, []) for name in LISTS}
    whole = all(isinstance(value, list) and all(isinstance(one, str) for one in value) for value in lists.values())
    if tenant is None or not whole or set(body) - MEMBERS or body.get("requires", "mfa") not in KINDS:
        raise BadControl(
            f'"tenant" names a tenant, "requires" is one of {", ".join(KINDS)}; {", ".join(LISTS)} are lists of text; '
            "besides there are id, display_name, sign_in_frequency_seconds"
        )
    often = number(body, "sign_in_frequency_seconds", limit=LONGEST, default=0)
    return Policy(
        id=str(body.get("id", TENANT_MARK + str(uuid.uuid4())[len(TENANT_MARK) :])),
        tenant_id=tenant.id,
        display_name=str(body.get("display_name", "Added")),
        requires=cast("Literal['mfa', 'block', 'nothing']", body.get("requires", "mfa")),
        sign_in_frequency=timedelta(seconds=often) if often > 0 else None,
        users=tuple(lists["users"]),
        applications=tuple(lists["applications"]),
        authentication_contexts=tuple(lists["authentication_contexts"]),
    )


def _shown(policy: Policy) -> dict[str, Any]:
    frequency = policy.sign_in_frequency
    return {
        "id": policy.id,
        "tenant": policy.tenant_id,
        "display_name": policy.display_name,
        "requires": policy.requires,
        "sign_in_frequency_seconds": frequency.total_seconds() if frequency else None,
        **{name: list(getattr(policy, name)) for name in LISTS},
    }
