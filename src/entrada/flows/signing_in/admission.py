"""Whether the people of a tenant may come in now: the settings' word and the table of tenants together.

Asked at each sign-in and, now and then, for each caller by token; only where the authority signs in those of many
tenants. What cannot be told lets nobody in: StoreUnavailable.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from entrada.errors import TenantMismatch, TenantRefused, TenantWaits
from entrada.events import Event, Events
from entrada.logs import log
from entrada.principal import User
from entrada.provider.tenants import Tenants

if TYPE_CHECKING:
    from entrada.users.tenants import Status, TenantTable

Onboarding = Literal["off", "consent", "approval"]
LET_IN: dict[Onboarding, frozenset[str]] = {
    "off": frozenset(),
    "consent": frozenset({"consented", "approved"}),
    "approval": frozenset({"approved"}),
}
"""The statuses by which a tenant comes in that the settings do not list."""


@dataclass(frozen=True, slots=True)
class Admission:
    """Decides about tenants; `onboard` notes a new one."""

    table: "TenantTable"
    listed: Tenants
    onboarding: Onboarding
    events: Events

    async def check(self, tenant_id: str | None) -> None:
        """Raise TenantRefused unless this tenant's people may come in now; TenantWaits when only approval lacks."""
        if tenant_id is None:
            return
        status = await self.table.status(tenant_id)
        if status == "suspended":
            raise TenantRefused(f"tenant {tenant_id} is suspended")
        if self.listed.lists(tenant_id) or status in LET_IN[self.onboarding]:
            return
        if status is None or self.onboarding == "off":
            raise TenantRefused(f"tenant {tenant_id} is neither listed nor on-boarded")
        raise TenantWaits(f"tenant {tenant_id} waits for approval: entrada tenants approve {tenant_id}")

    async def onboard(self, user: User, *, tenant_id: str, administrator: bool, at: datetime) -> "Status":
        """Note that this person, who has just signed in, has on-boarded their tenant; return its status.

        `tenant_id` is what the browser brought back from the consent: it must be the person's, by their ID token.
        """
        if user.tenant_id is None or user.tenant_id != tenant_id:
            raise TenantMismatch("the tenant that the consent named is not that of the ID token")
        contact = user.username or user.name
        status = await self.table.onboarded(tenant_id, contact=contact, administrator=administrator, at=at)
        log.info("tenant_onboarded", tenant=tenant_id, status=status)
        await self.events.tell(Event("tenant_onboarded", at=at, user_key=user.key, reason=status))
        return status
