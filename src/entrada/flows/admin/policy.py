"""Who administers, what they must have proven, and whose people they see: pure rules on settings and people."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from entrada.errors import NotAllowed
from entrada.principal import User
from entrada.requirements import Anybody, Rule, mfa, signed_in_within
from entrada.settings import Settings
from entrada.users.changes import RIGHTS
from entrada.users.person import Person
from entrada.well_known import MANY_TENANTS


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose people an administrator sees: those of one tenant, or everybody (SEC-126)."""

    tenant_id: str | None = None

    def covers(self, person: Person) -> bool:
        """Say whether this person is one of them."""
        return self.tenant_id is None or person.tenant_id == self.tenant_id


@dataclass(frozen=True, slots=True)
class AdminPolicy:
    """The rules of one application."""

    proof: Rule
    """What an administrator must have proven, always."""
    fresh_proof: Rule
    """What they must have proven lately, for what cannot be undone and what gives rights (SEC-140)."""
    role: str | None = None
    group: str | None = None
    operators: frozenset[str] = frozenset()
    many_tenants: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the rules that the settings ask for."""
        within, context = timedelta(minutes=settings.admin_proof_minutes), settings.admin_mfa_context
        return cls(
            proof=mfa(context=context) if settings.admin_mfa else Anybody(),
            fresh_proof=mfa(within=within, context=context) if settings.admin_mfa else signed_in_within(within),
            role=settings.admin_role,
            group=settings.admin_group.lower() if settings.admin_group else None,
            operators=frozenset(map(str.lower, settings.admin_operators)),
            many_tenants=(settings.tenant_id or "").lower() in MANY_TENANTS,
        )

    def scope_of(self, user: User, person: Person) -> Scope:
        """Return whose people this person administers; NotAllowed when nobody's.

        `person` is their row as it is now. A role that was granted here is not the app role, whatever its name; a group
        counts by its object id, and not when it is not known (SEC-132).
        """
        if not person.is_active:
            raise NotAllowed(RIGHTS)
        by_role = self.role is not None and self.role in user.roles - user.granted
        by_group = self.group is not None and not user.groups_overage and self.group in user.groups
        if not (person.is_admin or by_role or by_group):
            raise NotAllowed(RIGHTS)
        return self._scope(person)

    def _scope(self, person: Person) -> Scope:
        if not self.many_tenants or person.tenant_id in self.operators:
            return Scope()
        if person.tenant_id is None:
            raise NotAllowed(RIGHTS)
        return Scope(person.tenant_id)
