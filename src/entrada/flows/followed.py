"""What other workers change of people, followed: tokens that are remembered here are asked about anew within a second.

Sessions need none of it: a worker that changes them does so in the store of all.
"""

from datetime import timedelta
from typing import Protocol
from uuid import UUID

from sqlalchemy import select

from entrada.users.database import Database
from entrada.users.people import People
from entrada.users.tables import audit, audit_streams

EVERY = timedelta(seconds=0.5)  # one row is read; a second look only when something was written there
PREFIX = "user:"


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

    def __init__(self, database: Database, bearers: Remembering) -> None:
        self._database = database
        self._people = People(database)
        self._bearers = bearers
        self._read_to: int | None = None

    async def once(self) -> None:
        """Forget whom the new rows are about; everybody, if one of them is not in the directory any more."""
        head = select(audit_streams.c.last_id).where(audit_streams.c.name == "administration")
        async with self._database.unit_of_work(read_only=True) as connection:
            last = await connection.scalar(head) or 0
            read_to, self._read_to = self._read_to, last
            if read_to is None or last == read_to:
                return
            new = (audit.c.id > read_to) & (audit.c.id <= last) & (audit.c.stream == "administration")
            resources = set(await connection.scalars(select(audit.c.resource).where(new)))
        for resource in resources:
            if resource is not None and resource.startswith(PREFIX):
                await self._forget(UUID(resource.removeprefix(PREFIX)))

    async def _forget(self, person_id: UUID) -> None:
        person = await self._people.by_id(person_id)
        if person is None:
            self._bearers.forget_all()
        else:
            self._bearers.forget(person.user.key)
