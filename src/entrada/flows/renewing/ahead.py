"""Renewal before anybody asks, so that nobody has to wait for it (TOK-3)."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

import anyio

from entrada.clock import Clock
from entrada.errors import AuthorityUnavailable, NotSignedIn, RenewalRefused, Unavailable
from entrada.events import Event, EventName, Events
from entrada.flows.renewing.renewal import Renewal
from entrada.principal import User
from entrada.sessions.leases import Leases
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.session import Session

AT_ONCE = 10  # by all workers together: half of what one worker may call an authority, so that people come first
BATCH = 100  # sessions; then the lease is free, and another worker may go on


class RenewalAhead:
    """Renews the tokens that are due, of living sessions only. That is no activity: no session lives longer for it."""

    def __init__(
        self,
        sessions: Sessions,
        leases: Leases,
        renewal: Renewal,
        *,
        scopes: Sequence[str],
        clock: Clock,
        events: Events,
    ) -> None:
        self._sessions = sessions
        self._leases = leases
        self._renewal = renewal
        self._scopes = scopes
        self._clock = clock
        self._events = events

    async def once(self) -> None:
        """Renew batch after batch until nothing is due, unless another worker is at it.

        AuthorityUnavailable or StoreUnavailable ends the round: what was not renewed is still due in the next.
        """
        seen: set[bytes] = set()
        while True:
            async with self._leases.taken(b"chore:renewal") as lease:
                if lease is None:
                    return
                keys = await self._sessions.due(before=self._clock(), limit=BATCH)
                if seen.issuperset(keys):
                    return  # nothing is due, or only what cannot be renewed here
                seen.update(keys)
                await self._renew(keys)

    async def _renew(self, keys: Sequence[bytes]) -> None:
        waiting = list(reversed(keys))
        outages: list[Unavailable] = []

        async def work() -> None:
            while waiting and not outages:
                try:
                    await self._renew_one(waiting.pop())
                except Unavailable as outage:
                    outages.append(outage)

        async with anyio.create_task_group() as group:
            for _ in range(min(AT_ONCE, len(waiting))):
                group.start_soon(work)
        if outages:
            raise next((each for each in outages if isinstance(each, AuthorityUnavailable)), outages[0])

    async def _renew_one(self, key: bytes) -> None:
        session = await self._sessions.by_key(key)
        if session is None:  # ended meanwhile, or of a key that this worker has not got yet
            return
        with suppress(NotSignedIn, RenewalRefused):  # told already
            await self._renewal.ahead(session, self._scopes, tell=partial(self._tell, session))

    async def _tell(
        self, session: Session, name: EventName, *, user: User | None = None, reason: str | None = None
    ) -> None:
        facts = session.record.facts
        event = Event(
            name=name,
            at=self._clock(),
            user_key=user.key if user else None,
            label=user.label if user else None,
            tenant_id=user.tenant_id if user else None,
            reason=reason,
            address=facts.address,
            user_agent=facts.user_agent,
        )
        await self._events.tell(event)
