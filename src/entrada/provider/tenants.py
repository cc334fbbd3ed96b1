"""Whose people may come in, where the authority signs in those of many tenants (SEC-122, SEC-123).

Pure rules on claims that have passed the gauntlet: there, `tid` is a GUID and the tenant of `iss`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from entrada.errors import TenantRefused
from entrada.settings import Settings
from entrada.well_known import MANY_TENANTS

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts."""
GUEST = 1  # `acct`, an optional claim
MAY_CONSENT_FOR_ALL = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
        "e8611ab8-c189-46e8-94e1-60213ab1f814",  # Privileged Role Administrator
        "158c047a-c907-4556-b7ef-446551a6b5f7",  # Cloud Application Administrator
        "9b895d92-2cd3-444c-9d02-ea9ac132d5e8",  # Application Administrator
    }
)
"""The directory roles, by template id, whose holders may consent for their organisation; `wids` names them."""


@dataclass(frozen=True, slots=True)
class Tenants:
    """The tenants that the settings let in."""

    allowed: frozenset[str] | None = None
    """Their GUIDs in lower case; None: every organisation, or the one that the authority is for."""
    personal: bool = False
    guests: bool = True
    onboarding: bool = False
    """Whether tenants beside these are for the table of tenants to decide: see `flows.admission`."""

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return what checked settings allow."""
        many = (settings.tenant_id or "").lower() in MANY_TENANTS
        listed = many and not settings.any_tenant
        return cls(
            allowed=frozenset(tenant.lower() for tenant in settings.tenants) if listed else None,
            personal=settings.personal_accounts,
            guests=settings.guests,
            onboarding=settings.onboarding != "off",
        )

    def lists(self, tenant_id: str) -> bool:
        """Say whether the settings alone let this tenant's people in, or those with personal accounts."""
        if tenant_id == PERSONAL:
            return self.personal
        return self.allowed is None or tenant_id in self.allowed

    def check(self, tenant_id: str | None, claims: Mapping[str, Any]) -> None:
        """Raise TenantRefused unless this tenant's people may come in, and this one if they are a guest there.

        Where there is on-boarding, a tenant that is not listed is for `flows.admission` to decide.
        """
        if tenant_id is None:
            return
        if not self.lists(tenant_id):
            if tenant_id == PERSONAL:
                raise TenantRefused("personal accounts are not let in: personal_accounts is off")
            if not self.onboarding:
                raise TenantRefused(f"tenant {tenant_id} is not among the settings' tenants")
        if not self.guests and _is_guest(tenant_id, claims):
            raise TenantRefused(f"a guest of tenant {tenant_id}: guests is off")


def _is_guest(tenant_id: str, claims: Mapping[str, Any]) -> bool:
    """Say whether the person's home is elsewhere: by `acct` where that is asked for, else by `idp`."""
    if claims.get("acct") == GUEST:
        return True
    home = claims.get("idp")
    return home is not None and (not isinstance(home, str) or tenant_id not in home.lower())


def may_consent_for_all(claims: Mapping[str, Any]) -> bool:
    """Say whether the claims show somebody who may consent for their organisation; without `wids` they show nobody."""
    roles = claims.get("wids")
    return isinstance(roles, list) and any(isinstance(each, str) and each in MAY_CONSENT_FOR_ALL for each in roles)
