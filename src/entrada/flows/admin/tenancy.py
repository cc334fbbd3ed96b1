"""What the operator's administrators decide of tenants. A decision and its row in the audit log are one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.trail import AuditTrail
from entrada.clock import Clock
from entrada.errors import InputRefused, OwnAccount
from entrada.events import Event, EventName, Events
from entrada.flows.admin.administration import Actor
from entrada.flows.admin.suspension import TenantSessions
from entrada.requirements import GUID
from entrada.users.tenants import Status, TenantTable

Decision = Literal["approved", "suspended"]
EVENTS: dict[Decision, EventName] = {"approved": "tenant_approved", "suspended": "tenant_suspended"}


class ForgetsTenants(Protocol):
    """What remembers people by their tokens: `flows.bearer.Bearers`."""

    def forget_tenant(self, tenant_id: str) -> None:
        """Remember nothing of this tenant's people."""
        ...


@dataclass(frozen=True, slots=True)
class KnownTenant:
    """A tenant that was on-boarded or decided about, or that the settings name."""

    tenant_id: str
    status: Status | None
    """None: the settings alone let its people in."""
    contact: str | None = None
    changed_at: datetime | None = None


class Tenancy:
    """Lists tenants, and lets them in or shuts them out."""

    def __init__(
        self,
        table: TenantTable,
        trail: AuditTrail,
        sessions: TenantSessions,
        bearers: ForgetsTenants | None,
        *,
        listed: Sequence[str],
        events: Events,
        clock: Clock,
    ) -> None:
        self._table = table
        self._trail = trail
        self._sessions = sessions
        self._bearers = bearers
        self._listed = tuple(each.lower() for each in listed)
        self._events = events
        self._clock = clock

    async def all(self) -> list[KnownTenant]:
        """Return every tenant, the latest change first, those that only the settings name at the end."""
        found = [
            KnownTenant(each.tenant_id, each.status, each.contact, each.changed_at) for each in await self._table.all()
        ]
        known = {each.tenant_id for each in found}
        return found + [KnownTenant(each, None) for each in self._listed if each not in known]

    async def decide(self, tenant_id: str, decision: Decision, *, by: Actor) -> int:
        """Let a tenant's people in, or shut them out and end what they have open; return how many sessions that were.

        It may be done again. Where there are no bearers, as in a command, each worker finds out about its own.
        InputRefused for what is no tenant's GUID, OwnAccount when an administrator would shut out their own tenant.
        """
        if not GUID.fullmatch(tenant_id):
            raise InputRefused("tenant: must be its GUID, in lower case")
        if decision == "suspended" and tenant_id == by.tenant_id:
            raise OwnAccount("on their own tenant")
        event = self._event(tenant_id, decision, before=await self._table.status(tenant_id), by=by)

        async def record(connection: AsyncConnection) -> None:
            await self._trail.append(connection, [event])

        await self._table.decide(tenant_id, decision, at=event.at, beside=record)
        if self._bearers is not None:
            self._bearers.forget_tenant(tenant_id)
        ended = await self._sessions.end(tenant_id) if decision == "suspended" else 0
        await self._events.announce(event)
        return ended

    def _event(self, tenant_id: str, decision: Decision, *, before: Status | None, by: Actor) -> Event:
        details = {"changed": {"status": [before, decision]}}
        event = by.event(EVENTS[decision], at=self._clock(), about=None, details=details)
        return replace(event, resource=f"tenant:{tenant_id}")
