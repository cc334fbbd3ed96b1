"""The ledger of sessions that have ended, in the users' database: what a session store may forget, this does not.

A line is the store's name for a session, a keyed hash, and lives as long as the session would have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.users.database import Database
from entrada.users.tables import ended_sessions

AT_ONCE = 500  # lines of one statement


@dataclass(frozen=True, slots=True)
class Noted:
    """One line."""

    key: bytes
    until: datetime
    noted_at: float


class EndedSessionLedger:
    """Keeps the ledger in one users' database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, ended: Mapping[bytes, datetime]) -> None:
        """Write down that these sessions have ended; one that is there already stays as it is."""
        keys = sorted(ended)
        for first in range(0, len(keys), AT_ONCE):
            await self._note(keys[first : first + AT_ONCE], ended)

    async def noted(self, *, since: float, living_at: datetime) -> Sequence[Noted]:
        """Return what was noted at or after `since`, and must be remembered at `living_at`."""
        table = ended_sessions.c
        wanted = select(ended_sessions).where(table.noted_at >= since, table.until > living_at)
        async with self._database.unit_of_work(read_only=True) as connection:
            rows = (await connection.execute(wanted)).all()
        return [Noted(row.key, row.until, row.noted_at) for row in rows]

    async def forget(self, *, before: datetime, limit: int) -> int:
        """Forget at most `limit` sessions that would have ended by then, by our own clock too; return how many."""
        async with self._database.unit_of_work() as connection:
            now = datetime.fromtimestamp(await self._now(connection), UTC)  # whoever asks may be ahead of everybody
            dead = select(ended_sessions.c.key).where(ended_sessions.c.until <= min(before, now)).limit(limit)
            return (await connection.execute(delete(ended_sessions).where(ended_sessions.c.key.in_(dead)))).rowcount

    async def _note(self, keys: Sequence[bytes], ended: Mapping[bytes, datetime]) -> None:
        async def work(connection: AsyncConnection) -> None:
            there = select(ended_sessions.c.key).where(ended_sessions.c.key.in_(keys))
            known = set((await connection.execute(there)).scalars())
            now = await self._now(connection)
            rows = [{"key": key, "until": ended[key], "noted_at": now} for key in keys if key not in known]
            if rows:
                await connection.execute(insert(ended_sessions), rows)

        await self._database.run(work)

    async def _now(self, connection: AsyncConnection) -> float:
        """Return the time by the database's clock, in seconds since 1970."""
        return float((await connection.execute(text(f"SELECT {self._database.clock}"))).scalar_one())
