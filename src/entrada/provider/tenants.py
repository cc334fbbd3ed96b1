"""Whose people may come in, where the authority signs in those of many tenants (SEC-122, SEC-123).

Pure rules on claims that have passed the gauntlet: there, `tid` is a GUID and the tenant of `iss`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from entrada.errors import TenantRefused
from entrada.settings import Settings
from entrada.settings_faults import MANY_TENANTS

PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of personal Microsoft accounts."""
GUEST = 1  # `acct`, an optional claim


@dataclass(frozen=True, slots=True)
class Tenants:
    """The tenants that the settings let in."""

    allowed: frozenset[str] | None = None
    """Their GUIDs in lower case; None: every organisation, or the one that the authority is for."""
    personal: bool = False
    guests: bool = True

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return what checked settings allow."""
        many = (settings.tenant_id or "").lower() in MANY_TENANTS
        listed = many and not settings.any_tenant
        return cls(
            allowed=frozenset(tenant.lower() for tenant in settings.tenants) if listed else None,
            personal=settings.personal_accounts,
            guests=settings.guests,
        )

    def check(self, tenant_id: str | None, claims: Mapping[str, Any]) -> None:
        """Raise TenantRefused unless this tenant's people may come in, and this one if they are a guest there."""
        if tenant_id is None:
            return
        if tenant_id == PERSONAL:
            if not self.personal:
                raise TenantRefused("personal accounts are not let in: personal_accounts is off")
        elif self.allowed is not None and tenant_id not in self.allowed:
            raise TenantRefused(f"tenant {tenant_id} is not among the settings' tenants")
        if not self.guests and _is_guest(tenant_id, claims):
            raise TenantRefused(f"a guest of tenant {tenant_id}: guests is off")


def _is_guest(tenant_id: str, claims: Mapping[str, Any]) -> bool:
    """Say whether the person's home is elsewhere: by `acct` where that is asked for, else by `idp`."""
    if claims.get("acct") == GUEST:
        return True
    home = claims.get("idp")
    return home is not None and (not isinstance(home, str) or tenant_id not in home.lower())
