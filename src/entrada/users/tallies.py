"""How often things happen that the audit log has no rows for, by the hour; nothing of it is about anybody."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, insert, select, update

from entrada.users.database import Database
from entrada.users.tables import tallies

TallyName = Literal["renewals", "sessions_of_hour", "sessions_of_day"]


class Tallies:
    """Keeps the numbers in one users' database. StoreUnavailable when it does not answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, counts: Mapping[TallyName, int], *, at: datetime) -> None:
        """Add to the numbers of the hour that this time is in, whoever else does so at the same moment."""
        hour = at.replace(minute=0, second=0, microsecond=0)

        def work(connection: Connection) -> None:
            for name, count in sorted(counts.items()):
                this = (tallies.c.hour == hour) & (tallies.c.name == name)
                added = update(tallies).where(this).values(count=tallies.c.count + count)
                if not connection.execute(added).rowcount:
                    connection.execute(insert(tallies).values(hour=hour, name=name, count=count))

        await self._database.run_at_once(work)

    async def sums(
        self, name: TallyName, *, since: datetime, until: datetime, every: timedelta
    ) -> Mapping[datetime, int]:
        """Return the sum of each span of `every` that begins at `since`; spans without any are left out."""
        within = (tallies.c.name == name) & (tallies.c.hour >= since) & (tallies.c.hour < until)
        async with self._database.unit_of_work(read_only=True) as connection:
            rows = (await connection.execute(select(tallies.c.hour, tallies.c.count).where(within))).all()
        found: dict[datetime, int] = {}
        for hour, count in rows:
            at = since + (hour - since) // every * every
            found[at] = found.get(at, 0) + count
        return found
