"""Durable writing of the audit log, beside the drivers used by hand and SQLAlchemy with a commit for each row."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import MetaData, Table, insert
from sqlalchemy.dialects import postgresql, sqlite

from entrada.audit.rows import row_of
from entrada.audit.trail import AuditTrail
from entrada.clock import system_clock
from entrada.events import Event
from entrada.keyring import KeyRing
from entrada.users.database import Database
from entrada.users.tables import audit

SECONDS = 1.5  # of one turn
ROUNDS = 3  # the best counts: what else the machine does only slows
WRITERS = (1, 20, 200, 1_000)
GROUP = 100
Row = tuple[str, ...]
Turn = Callable[[], Awaitable["Rate"]]
Group = Callable[[list[tuple[Any, ...]]], Awaitable[object]]
HEADS = ("what", "rows a second", "of our CPU", "× one by hand", "× groups by hand")


class Rate(tuple[float, float]):
    """Rows a second, by the clock and of our processor time."""

    @classmethod
    def since(cls, started: tuple[float, float], rows: int) -> "Rate":
        """Take what has passed since `now()`."""
        wall, cpu = now()
        return cls((rows / (wall - started[0]), rows / max(cpu - started[1], 1e-9)))


def now() -> tuple[float, float]:
    """Return the clock, and our processor time."""
    return time.perf_counter(), time.process_time()


async def compared(database: Database, place: str, ring: KeyRing) -> list[Row]:
    """Measure ours and the others in turn, in the same database, all into tables of the same form."""
    async with _by_hand(database, place) as (group, plainly):
        turns: dict[str, Turn] = {f"{number} at once": partial(ours, database, ring, number) for number in WRITERS}
        turns["the driver by hand, a commit for each row"] = partial(_others, group, 1)
        turns[f"the driver by hand, a commit for {GROUP}"] = partial(_others, group, GROUP)
        turns["SQLAlchemy, a commit for each row"] = partial(_others, plainly, 1)
        best = {name: Rate((0.0, 0.0)) for name in turns}
        for _ in range(ROUNDS):
            for name, turn in turns.items():
                best[name] = max(best[name], await turn())
    one, many = (best[name][0] for name in list(turns)[-3:-1])
    return [
        (name, f"{rate[0]:,.0f}", f"{rate[1]:,.0f}", f"{rate[0] / one:.2f}", f"{rate[0] / many:.2f}")
        for name, rate in best.items()
    ]


async def ours(database: Database, ring: KeyRing, writers: int) -> Rate:
    """Let so many wait for a row each, again and again, and count what was acknowledged."""
    trail, count = AuditTrail(database, ring, clock=system_clock), 0
    await trail.require(event_of(0))
    started = now()

    async def one(writer: int) -> None:
        nonlocal count
        while time.perf_counter() - started[0] < SECONDS:
            await trail.require(event_of(writer))
            count += 1

    await asyncio.gather(*map(one, range(writers)))
    rate = Rate.since(started, count)
    await trail.aclose()
    return rate


async def _others(group: Group, at_once: int) -> Rate:
    values, count, started = _values(at_once), 0, now()
    while time.perf_counter() - started[0] < SECONDS:
        await group(values)
        count += at_once
    return Rate.since(started, count)


def event_of(number: int) -> Event:
    """Return a sign-in."""
    return Event(
        "sign_in",
        at=datetime.now(UTC),
        user_key=f"11111111-1111-4111-8111-111111111111:{number % 1000}",
        address=f"192.0.2.{number % 250}",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        correlation_id=f"{number:032x}",
    )


def _values(rows: int) -> list[tuple[Any, ...]]:
    """Return what a row holds, ready for the driver: the others make no hash and look nobody up."""
    row = row_of(event_of(1), person=None, label="Ada Lovelace (ada@contoso.com)") | {"at": int(time.time() * 1e6)}
    made = row | {"key_id": "k" * 11, "hash": b"h" * 32, "mac": b"m" * 32}
    return [tuple(made[column.name] for column in audit.columns if column.name != "id")] * rows


def _peer() -> Table:
    """Return a table of the same form with indexes of the same kind."""
    table = audit.to_metadata(MetaData(), name="bench_peer")
    for index in table.indexes:
        index.name = f"bench_{index.name}"
    return table


@asynccontextmanager
async def _by_hand(database: Database, place: str) -> AsyncIterator[tuple[Group, Group]]:
    table = _peer()
    async with database.unit_of_work() as connection:
        await connection.run_sync(table.metadata.create_all)
    numbers = iter(range(1, 1 << 60))
    async with (_sqlite if "://" not in place else _postgres)(table, place, numbers) as group:
        yield group, partial(_plainly, database, table, numbers)
    async with database.unit_of_work() as connection:
        await connection.run_sync(table.metadata.drop_all)


async def _plainly(database: Database, table: Table, numbers: Any, values: Sequence[tuple[Any, ...]]) -> None:
    names = [column.name for column in table.columns if column.name != "id"]
    async with database.unit_of_work() as connection:
        for each in values:
            row = dict(zip(names, each, strict=True)) | {"id": next(numbers), "at": datetime.now(UTC)}
            await connection.execute(insert(table).values(row))


@asynccontextmanager
async def _sqlite(table: Table, place: str, numbers: Any) -> AsyncIterator[Group]:
    connection = sqlite3.connect(Path(place), isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    statement = str(insert(table).compile(dialect=sqlite.dialect()))

    async def group(values: list[tuple[Any, ...]]) -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(statement, [(next(numbers), *each) for each in values])
        connection.execute("COMMIT")

    yield group
    connection.close()


@asynccontextmanager
async def _postgres(table: Table, place: str, numbers: Any) -> AsyncIterator[Group]:
    connection = await asyncpg.connect(place.replace("+asyncpg", ""))
    statement = str(insert(table).compile(dialect=postgresql.asyncpg.dialect()))

    async def group(values: list[tuple[Any, ...]]) -> None:
        await connection.executemany(statement, [(next(numbers), *each) for each in values])

    yield group
    await connection.close()
