"""Conditional Access: which policies a sign-in falls under, and what it lacks to satisfy them."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from entrada_emulator.directory.model import Application, Policy, User
from entrada_emulator.errors import EntraError
from entrada_emulator.issuing.sign_in import SignIn
from entrada_emulator.signing_in.claims_request import required_acrs, required_policies

PER_USER_MFA = Policy("e7712ada-00fa-4000-8000-000000000001", "", "Per-user MFA")
"""What a person's own requirement counts as, in a claims challenge."""


class Policies:
    """The policies in force: those of the directory and those switched on while the emulator runs."""

    def __init__(self) -> None:
        self.added: list[Policy] = []

    def switch_on(self, policy: Policy) -> None:
        """Adds a policy; one with the same id makes room."""
        self.added = [*(one for one in self.added if one.id != policy.id), policy]

    def clear(self) -> None:
        """Takes back what was added."""
        self.added = []


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands between a sign-in and its tokens; at most one policy for each, and none for none."""

    blocks: Policy | None = None
    wants_mfa: Policy | None = None
    wants_freshness: Policy | None = None


def applying(
    policies: Iterable[Policy],
    *,
    person: User,
    application: Application,
    resources: Collection[str],
    contexts: Collection[str],
) -> tuple[Policy, ...]:
    """The policies for this person, this client or these resources, and these authentication contexts."""
    touched = {application.client_id, *resources}
    return tuple(
        policy
        for policy in policies
        if policy.tenant_id == person.tenant_id
        and _names(policy, person)
        and (
            set(policy.authentication_contexts) & set(contexts)
            if policy.authentication_contexts
            else not policy.applications or set(policy.applications) & touched
        )
    )


def judge(
    policies: Collection[Policy], *, person: User, amr: Collection[str], auth_time: datetime | None, now: datetime
) -> Verdict:
    """What a sign-in lacks. A person's own MFA requirement counts as one more policy."""
    mine = [PER_USER_MFA] if person.mfa_required else []
    lacks_mfa = [policy for policy in (*mine, *policies) if policy.requires == "mfa" and "mfa" not in amr]
    return Verdict(
        blocks=next((policy for policy in policies if policy.requires == "block"), None),
        wants_mfa=lacks_mfa[0] if lacks_mfa else None,
        wants_freshness=next((policy for policy in policies if _is_stale(policy, auth_time, now)), None),
    )


def check(verdict: Verdict, sign_in: SignIn, *, enrolled: bool, error: str | None = None) -> None:
    """Raises 53003, 70043, 50076, or 50079 for somebody who has no second factor yet.

    With them go the claims that a client passes on; `error` is the flow's own word for it.
    """
    resource = sign_in.application.client_id
    if verdict.blocks:
        claims = challenge("capolids", verdict.blocks)
        raise EntraError(53003, error=error or "invalid_grant", claims=claims)
    if verdict.wants_freshness and verdict.wants_freshness.sign_in_frequency is not None:
        longest = int(verdict.wants_freshness.sign_in_frequency.total_seconds())
        raise EntraError(70043, error=error, issued=sign_in.auth_time.isoformat(), longest=str(longest))
    if verdict.wants_mfa:
        code, claims = (50076 if enrolled else 50079), challenge("polids", verdict.wants_mfa)
        raise EntraError(code, error=error, claims=claims, resource=resource)


def satisfied_contexts(
    policies: Collection[Policy],
    contexts: Collection[str],
    *,
    person: User,
    amr: Collection[str],
    auth_time: datetime,
    now: datetime,
    asked_the_person: bool,
) -> tuple[str, ...]:
    """The contexts that a sign-in fulfils.

    One that no policy of the tenant defines stands for a second factor given where the person was asked for it: no
    earlier sign-in fulfils it silently.
    """

    def fulfils(context: str) -> bool:
        naming = [
            one for one in policies if context in one.authentication_contexts and one.tenant_id == person.tenant_id
        ]
        if not naming:
            return asked_the_person and "mfa" in amr
        return all(_is_fulfilled(one, amr, auth_time, now) for one in naming if _names(one, person))

    return tuple(sorted(context for context in contexts if fulfils(context)))


def wants_mfa_by_request(claims: Mapping[str, Any], policies: Collection[Policy]) -> bool:
    """Whether the `claims` parameter alone asks for a second factor: by a challenge, or by a context of no policy."""
    defined = {context for policy in policies for context in policy.authentication_contexts}
    return bool(required_policies(claims)) or bool(required_acrs(claims) - defined)


def challenge(member: str, policy: Policy) -> str:
    """The `claims` of a refusal: which policy the next sign-in has to satisfy."""
    return json.dumps({"access_token": {member: {"essential": True, "values": [policy.id]}}}, separators=(",", ":"))


def _names(policy: Policy, person: User) -> bool:
    return not policy.users or bool({person.id, person.user_principal_name.lower()} & {u.lower() for u in policy.users})


def _is_stale(policy: Policy, auth_time: datetime | None, now: datetime) -> bool:
    frequency = policy.sign_in_frequency
    return frequency is not None and auth_time is not None and now - auth_time > frequency


def _is_fulfilled(policy: Policy, amr: Collection[str], auth_time: datetime, now: datetime) -> bool:
    if policy.requires == "block" or (policy.requires == "mfa" and "mfa" not in amr):
        return False
    return not _is_stale(policy, auth_time, now)
