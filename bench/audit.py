"""The audit log: pages at every depth of a million rows by keyset and by OFFSET, and durable writing.

`BENCH_AUDIT_ROWS=100000` measures with fewer than a million; PostgreSQL is measured where it can be started.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import insert, select

from bench.table import show
from entrada.audit.appending import locked_heads, set_head
from entrada.audit.chain import ChainKeys, row_hash
from entrada.audit.log import AuditLog, Cursor, Filter
from entrada.audit.rows import row_of
from entrada.audit.trail import AuditTrail
from entrada.audit.verification import verify
from entrada.clock import system_clock
from entrada.events import Event
from entrada.keyring import KeyRing, generate
from entrada.users.database import Database
from entrada.users.tables import audit
from tests.servers import postgres_server

ROWS = int(os.environ.get("BENCH_AUDIT_ROWS", "1000000"))
BATCH = 1_000  # PostgreSQL lets no statement take two seconds
CALLS = 60
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
Row = tuple[str, ...]


def measure() -> None:
    """Print the tables, one database after the other."""
    for name, opening in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        pages, writing = asyncio.run(_measured(name, opening))
        show(
            f"Pages of 50 of the audit log: {name}, {ROWS:,} rows",
            ("what", "ms", "ms of our CPU", "CPU × the first"),
            pages,
        )
        show(f"Writing the audit log, each row durable: {name}", ("rows at once", "rows a second"), writing)


async def _measured(
    name: str, opening: Callable[[], AbstractAsyncContextManager[Database]]
) -> tuple[list[Row], list[Row]]:
    async with opening() as database:
        print(f"  filling {name}", file=sys.stderr)
        keys = ChainKeys(ring := KeyRing.parse(generate()))
        await _filled(database, keys)
        pages = await _pages(database)
        started, cpu = time.perf_counter(), time.process_time()
        report = await verify(database, keys)
        if not report.intact:
            raise RuntimeError(str(report.faults[:3]))
        pages.append(
            (
                f"check of the whole chain, {report.rows:,} rows",
                f"{_ms(started):,.0f}",
                f"{(time.process_time() - cpu) * 1000:,.0f}",
                "",
            )
        )
        return pages, await _writing(database, ring)


async def _filled(database: Database, keys: ChainKeys) -> None:
    """Write a month of rows, a chain as the application would have written it."""
    for first in range(0, ROWS, BATCH):
        events = [_event(number) for number in range(first, min(first + BATCH, ROWS))]
        async with database.unit_of_work() as connection:
            head = (await locked_heads(connection))["activity"]
            rows = []
            for event in events:
                row = row_of(event, person=None, label="Ada Lovelace (ada@contoso.com)") | {"id": head.last_id + 1}
                row["hash"] = row_hash(head.hash, row)
                rows.append({**row, "key_id": keys.active_id, "mac": keys.mac(row["hash"])})
                head = head.after(row["id"], row["hash"])
            await connection.execute(insert(audit), rows)
            await set_head(connection, keys.sealed(head))
        if first % 200_000 == 0:
            print(f"    {first:,}", file=sys.stderr)


def _event(number: int) -> Event:
    failed = number % 50 == 0
    return Event(
        "sign_in_failed" if failed else "sign_in",
        at=BEGIN + MONTH * number / ROWS,
        reason="access_denied" if failed else None,
        user_key=None if failed else f"11111111-1111-4111-8111-111111111111:{number % 1000}",
        address=f"192.0.2.{number % 250}",
        user_agent="Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        correlation_id=f"{number:032x}",
    )


async def _pages(database: Database) -> list[Row]:
    log = AuditLog(database)
    middle = BEGIN + MONTH / 2
    hour = Filter(since=middle, until=middle + timedelta(hours=1))
    skipped = int(ROWS * 0.9)
    asked: dict[str, Callable[[], Awaitable[object]]] = {"first page": log.page}
    for share in (0.1, 0.5, 0.9, 0.999):
        after = str(Cursor(BEGIN + MONTH * (1 - share), ROWS))
        asked[f"depth {int(ROWS * share):,} by cursor"] = partial(log.page, after=after)
    asked["failures only"] = partial(log.page, Filter(outcome="failure"))
    asked["one address"] = partial(log.page, Filter(address="192.0.2.7"))
    asked["one hour in the middle"] = partial(log.page, hour)
    rare: dict[str, Callable[[], Awaitable[object]]] = {
        f"depth {skipped:,} by OFFSET, which we refuse": partial(_by_offset, database, skipped),
        "a text that is nowhere, 50,000 rows looked at": partial(log.page, Filter(text="nowhere")),
    }
    spent = await _timed(asked, calls=CALLS) | await _timed(rare, calls=5)
    first = spent["first page"]
    return [(name, f"{wall:.2f}", f"{cpu:.2f}", f"{cpu / first[1]:.2f}") for name, (wall, cpu) in spent.items()]


async def _by_offset(database: Database, offset: int) -> object:
    async with database.unit_of_work(read_only=True) as connection:
        asked = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(50).offset(offset)
        return (await connection.execute(asked)).all()


async def _writing(database: Database, ring: KeyRing) -> list[Row]:
    found = []
    for at_once in (1, 10, 100, 500):
        trail, total, number = AuditTrail(database, ring, clock=system_clock), 0, 0
        started = time.perf_counter()
        while time.perf_counter() - started < 3:
            await asyncio.gather(*(trail.require(_event(number + each)) for each in range(at_once)))
            total, number = total + at_once, number + at_once
        found.append((f"{at_once}", f"{total / (time.perf_counter() - started):,.0f}"))
        await trail.aclose()
    return found


async def _timed(asked: dict[str, Callable[[], Awaitable[object]]], *, calls: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of one call of each, by the clock and of our processor time: the medians.

    They take turns, so that what else the machine does meets all of them.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for _ in range(calls):
        for name, work in asked.items():
            started, cpu = time.perf_counter(), time.process_time()
            await work()
            spent[name].append((_ms(started), _cpu(cpu)))
    return {
        name: (statistics.median(wall for wall, _ in seen), statistics.median(cpu for _, cpu in seen))
        for name, seen in spent.items()
    }


def _cpu(started: float) -> float:
    return (time.process_time() - started) * 1000


def _ms(started: float) -> float:
    return (time.perf_counter() - started) * 1000


@asynccontextmanager
async def _sqlite() -> AsyncIterator[Database]:
    with tempfile.TemporaryDirectory() as directory:
        database = Database(None, data_dir=Path(directory) / "data")
        await database.bring_up()
        yield database
        await database.close()


@asynccontextmanager
async def _postgres() -> AsyncIterator[Database]:
    with postgres_server() as server:
        database = Database(server.url, data_dir=Path("unused"))
        await database.bring_up()
        yield database
        await database.close()
