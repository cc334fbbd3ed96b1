"""Shutting a whole tenant out: its people sign in no more, what they have open ends, their tokens are good no more.

Whoever suspends a tenant ends its sessions at once. Each worker looks too, now and then: for sessions that only it can
end, for whoever was cut off in between, and to forget what it remembers of tokens. When it starts it looks at all
tenants, for the settings may let in fewer than they did.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from entrada.clock import Clock
from entrada.errors import TenantRefused
from entrada.flows.bearer import Bearers
from entrada.flows.signing_in.admission import Admission
from entrada.logs import log
from entrada.principal import User
from entrada.users.directory import Directory

LOOK_EVERY = timedelta(seconds=5)  # one short query of each worker; how long a suspension may take to be felt
BATCH = 500
LONGEST_SESSION = timedelta(days=90)  # that settings allow: who has not signed in since has none


class TenantSessions:
    """Ends the sessions of all people of a tenant."""

    def __init__(self, directory: Directory, end_all_of: Callable[[User], Awaitable[int]], *, clock: Clock) -> None:
        self._directory = directory
        self._end_all_of = end_all_of
        self._clock = clock

    async def end(self, tenant_id: str) -> int:
        """End them on every worker; return how many there were. It may be done again."""
        since, ended = self._clock() - LONGEST_SESSION, 0
        people = await self._directory.of_tenant(tenant_id, limit=BATCH)
        while people:
            for person, last_sign_in_at in people.values():
                ended += await self._end_all_of(person) if last_sign_in_at >= since else 0
            people = await self._directory.of_tenant(tenant_id, limit=BATCH, after=max(people))
        return ended


class Suspensions:
    """What one worker knows of tenants that are let in no more."""

    def __init__(self, admission: Admission, directory: Directory, sessions: TenantSessions, bearers: Bearers) -> None:
        self._admission = admission
        self._directory = directory
        self._table = admission.table
        self._sessions = sessions
        self._bearers = bearers
        self._done: frozenset[tuple[str, datetime]] = frozenset()
        self._looked_at_all = False

    async def once(self) -> None:
        """End what tenants have that were suspended since the last look; the first time, all that are refused."""
        if not self._looked_at_all:
            await self._end_refused()
            self._looked_at_all = True
        found = frozenset((tenant.tenant_id, tenant.changed_at) for tenant in await self._table.suspended())
        for tenant_id, _ in sorted(found - self._done):
            self._bearers.forget_tenant(tenant_id)
            await self._sessions.end(tenant_id)
        self._done = found

    async def _end_refused(self) -> None:
        lists = self._admission.listed.lists  # what they list is shut out by a suspension alone: that is found anyway
        for tenant_id in [each for each in await self._directory.tenants() if not lists(each)]:
            try:
                await self._admission.check(tenant_id)
            except TenantRefused as refused:
                if ended := await self._sessions.end(tenant_id):
                    log.warning("tenant_let_in_no_more", tenant=tenant_id, sessions=ended, reason=str(refused))
