"""What administrators change elsewhere, on another worker or by command, followed: in force here within a second.

Whoever makes the change lets it take effect in the store of all workers; here it is done once more, for a process may
have been killed in between, and its store may be one that the command cannot see. A store that may forget what it has
acknowledged is given a mark after each change: when that is gone, so may the change be, and it is done again (0406).
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import Select, select

from entrada import tracing
from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.principal import User
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.people import People
from entrada.users.tables import audit, audit_streams

CLOCKS_APART = timedelta(minutes=5)  # of this host and an administrator's; what is read twice changes nothing
EVERY = timedelta(seconds=0.3)  # one row is read; a second look only when something was written there
FORGOTTEN = timedelta(days=1)  # older than what a store starts from again are few of its snapshots
PREFIX = "user:"
Owners = Callable[[], Awaitable[Sequence[User]]]


class Marks(Protocol):
    """What the store keeps beside its sessions, and loses with them: `sessions.lifecycle.Sessions.spend_once`."""

    async def __call__(self, name: str, /, *, lifetime: timedelta) -> bool:
        """Keep this; True when it was not there."""
        ...


class Sessions(Protocol):
    """What ends sessions, or changes their people's roles: `flows.endings.Endings`."""

    async def end_all_of(self, user: User) -> int:
        """End every session of this person."""
        ...

    async def regrant_all_of(self, user: User, granted: frozenset[str]) -> None:
        """Let their sessions have these roles of ours."""
        ...


class Remembering(Protocol):
    """What remembers people by their tokens: `flows.bearer.Bearers`."""

    def forget(self, user_key: str) -> None:
        """Remember nothing of this person's."""
        ...

    def forget_all(self) -> None:
        """Remember nothing."""
        ...


class PeopleChanges:
    """Reads what administrators have done, from the audit log, in the order in which it was done."""

    def __init__(
        self,
        database: Database,
        bearers: Remembering,
        sessions: Sessions,
        *,
        clock: Clock,
        owners: Owners | None = None,
        marks: Marks | None = None,
    ) -> None:
        """Follow into the `sessions` what is done from now on; `marks` are of a store that may forget.

        `owners` gives all who have a session, where only this process sees the store: there whoever deletes somebody
        by command cannot end their sessions first, and afterwards nothing says whose they were.
        """
        self._owners = owners
        self._directory = Directory(database)
        self._database = database
        self._people = People(database)
        self._bearers = bearers
        self._sessions = sessions
        self._clock = clock
        self._begun = clock() - CLOCKS_APART
        self._read_to: int | None = None
        self._marks = marks
        self._forgotten = False

    async def once(self) -> None:
        """Let the new rows take effect here; StoreUnavailable when they could not, and then the next time does it."""
        if self._read_to and await self._is_new(self._read_to):
            self._forgotten = True  # until all is done again
        head = select(audit_streams.c.last_id).where(audit_streams.c.name == "administration")
        async with self._database.unit_of_work(read_only=True) as connection:
            last = await connection.scalar(head) or 0
            some = self._forgotten or self._read_to != last
            resources = set(await connection.scalars(self._news(last))) if some else set()
        for resource in resources:
            if resource is not None and resource.startswith(PREFIX):
                await self._follow(UUID(resource.removeprefix(PREFIX)))
        if self._read_to != last:
            await self._is_new(last)
        self._read_to, self._forgotten = last, False

    async def _is_new(self, last: int) -> bool:
        """Leave the mark that all up to this row was done; True when the store does not have it, or not any more."""
        with suppress(StoreUnavailable), tracing.unseen():
            return self._marks is not None and await self._marks(f"followed {last}", lifetime=FORGOTTEN)
        return False

    def _news(self, last: int) -> Select[str | None]:
        """Return what asks whom rows are about that were not read: the first time those since this process began.

        Where they were forgotten, those of the last day.
        """
        new = audit.c.at >= self._begun if self._read_to is None else audit.c.id > self._read_to
        if self._forgotten:
            new = audit.c.at >= self._clock() - FORGOTTEN
        return select(audit.c.resource).where(new & (audit.c.id <= last) & (audit.c.stream == "administration"))

    async def _follow(self, person_id: UUID) -> None:
        person = await self._people.by_id(person_id)
        if person is None:
            self._bearers.forget_all()
            await self._end_those_of_nobody()
            return
        self._bearers.forget(person.user.key)
        if person.is_active:
            await self._sessions.regrant_all_of(person.user, person.roles)
        else:
            await self._sessions.end_all_of(person.user)

    async def _end_those_of_nobody(self) -> None:
        for user in await self._owners() if self._owners else ():
            if await self._directory.known(user) is None:
                await self._sessions.end_all_of(user)
