"""The audit log: durable writing, pages at every depth of a million rows, and the check of the whole chain.

`BENCH_AUDIT_ROWS=100000` measures with fewer than a million, `BENCH_AUDIT=sqlite` in one database only. PostgreSQL is
started on a free port when it is installed.
"""

import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from bench import audit_writing
from bench.audit_month import BEGIN, MONTH, fill
from bench.audit_writing import compared, ours
from bench.table import show
from entrada.audit.chain import ChainKeys
from entrada.audit.filters import Cursor, Filter
from entrada.audit.log import AuditLog
from entrada.audit.spans import SpanCounts
from entrada.audit.verification import verify
from entrada.errors import StoreUnavailable
from entrada.keyring import KeyRing, generate
from entrada.users.database import FILE_NAME, Database
from entrada.users.tables import audit
from tests.servers import postgres_server

ROWS = int(os.environ.get("BENCH_AUDIT_ROWS", "1000000"))
WANTED = os.environ.get("BENCH_AUDIT", "sqlite,postgresql").split(",")
CALLS = 60
RARE_CALLS = 5
DEPTHS = (0.1, 0.5, 0.9, 0.999)
NOTHING = Filter(outcome="failure", actions=("sign_in",))
Row = tuple[str, ...]
Asked = dict[str, Callable[[], Awaitable[object]]]


def measure() -> None:
    """Print the tables, one database after the other."""
    for name, opening in (("SQLite", _sqlite), ("PostgreSQL", _postgres)):
        if name.lower() in WANTED:
            asyncio.run(_measured(name, opening))


async def _measured(name: str, opening: Callable[[], AbstractAsyncContextManager[tuple[Database, str]]]) -> None:
    async with opening() as (database, place):
        ring = KeyRing.parse(generate())
        title = f"Writing the audit log, each row durable before it is acknowledged: {name}"
        show(title, audit_writing.HEADS, await compared(database, place, ring))
        print(f"  filling {name}", file=sys.stderr)
        await fill(database, ChainKeys(ring), rows=ROWS)
        async with database.unit_of_work() as connection:
            await connection.exec_driver_sql("ANALYZE entrada_audit")
        heads = ("what", "ms", "ms of our CPU", "× the first", "CPU × the first")
        show(f"Pages of 50 of the audit log: {name}, {ROWS:,} rows", heads, await _pages(database))
        show(f"Numbers of a month, by the day: {name}, {ROWS:,} rows", ("what", "ms"), await _counted(database))
        full = [await _checked(database, ring), await _written(database, ring)]
        show(f"With {ROWS:,} rows: {name}", ("what", "rows a second", "how"), full)


async def _checked(database: Database, ring: KeyRing) -> Row:
    before, started = _memory(), time.perf_counter()
    report = await verify(database, ChainKeys(ring))
    if not report.intact:
        raise RuntimeError(str(report.faults[:3]))
    spent, grown = time.perf_counter() - started, _memory() - before
    return ("entrada audit verify", f"{report.rows / spent:,.0f}", f"{spent:.1f} s, {grown:.0f} MB more than before")


async def _counted(database: Database) -> list[Row]:
    """Ask as the overview does, the last day being under way: at a worker's start, and then again and again."""
    now, spent = BEGIN + MONTH - timedelta(hours=1), list[float]()
    counting = SpanCounts(database, clock=lambda: now)
    for _ in range(CALLS):
        begun = time.perf_counter()
        await counting.between(BEGIN, now, every=timedelta(days=1), tenant_id=None)
        spent.append((time.perf_counter() - begun) * 1000)
    return [("the first time", f"{spent[0]:,.0f}"), ("again", f"{statistics.median(spent[1:]):,.0f}")]


async def _written(database: Database, ring: KeyRing) -> Row:
    wall, cpu = await ours(database, ring, 200)
    return ("writing, 200 at once", f"{wall:,.0f}", f"{cpu:,.0f} a second of our CPU")


def _memory() -> float:
    """Return the most MB that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _pages(database: Database) -> list[Row]:
    log, skipped = AuditLog(database), int(ROWS * 0.9)
    async with database.unit_of_work(read_only=True) as connection:
        asked: Asked = {"first page": log.page_and_total}
        for share in DEPTHS:
            asked[f"depth {int(ROWS * share):,} by cursor"] = partial(log.page_and_total, after=_cursor(share))
        for name, wanted in _filters().items():
            asked[name] = partial(log.page_and_total, wanted)
            asked[f"{name}, depth {skipped:,}"] = partial(log.page_and_total, wanted, after=_cursor(0.9))
        asked["first page, the statement alone"] = partial(_alone, connection, None)
        asked[f"depth {skipped:,} by cursor, the statement alone"] = partial(_alone, connection, 0.9)
        rare: Asked = {
            f"depth {skipped:,} by OFFSET, which we refuse": partial(_by_offset, database, skipped),
            "a text that is nowhere: as far as a page looks": partial(_searched, log, Filter(text="nowhere")),
            "failures among sign-ins: there are none": partial(_searched, log, NOTHING),
        }
        spent = await _timed(asked, calls=CALLS) | await _timed(rare, calls=RARE_CALLS)
    first = spent["first page"]
    return [
        (name, f"{wall:.2f}", f"{cpu:.2f}", f"{wall / first[0]:.2f}", f"{cpu / first[1]:.2f}")
        for name, (wall, cpu) in spent.items()
    ]


def _filters() -> dict[str, Filter]:
    middle = BEGIN + MONTH / 2
    return {
        "failures only": Filter(outcome="failure"),
        "one action": Filter(actions=("sign_in",)),
        "one address": Filter(address="192.0.2.7"),
        "one tenant": Filter(tenant_id=_tenant(7)),
        "one person": Filter(person=UUID(int=8)),
        "by or to one person": Filter(about=UUID(int=8)),
        "by or to one person, who succeeded": Filter(about=UUID(int=8), outcome="success"),
        "by or to one person, two weeks of sign-ins": Filter(about=UUID(int=8), actions=("sign_in",), since=BEGIN),
        "one person's successes": Filter(person=UUID(int=8), outcome="success"),
        "one tenant's sign-ins": Filter(tenant_id=_tenant(7), actions=("sign_in",)),
        "one tenant's failures": Filter(tenant_id=_tenant(0), outcome="failure"),
        "what administrators did": Filter(stream="administration"),
        "one correlation id": Filter(correlation_id=f"{ROWS // 2:032x}"),
        "one hour in the middle": Filter(since=middle, until=middle + timedelta(hours=1)),
    }


def _cursor(share: float) -> str:
    return str(Cursor(BEGIN + MONTH * (1 - share), ROWS))


def _tenant(number: int) -> str:
    return f"{number:08}-1111-4111-8111-111111111111"


async def _searched(log: AuditLog, wanted: Filter) -> object:
    with suppress(StoreUnavailable):
        return await log.page_and_total(wanted)


async def _by_offset(database: Database, rows: int) -> object:
    """Skip so many rows, as a page by number does; PostgreSQL may not be let to do it for long."""
    asked = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(51).offset(rows)
    with suppress(StoreUnavailable):
        async with database.unit_of_work(read_only=True) as connection:
            return (await connection.execute(asked)).all()


async def _alone(connection: AsyncConnection, depth: float | None) -> object:
    """Run the statement of a page on an open connection, without our rules and objects: the peer."""
    asked = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc()).limit(51)
    if depth is not None:
        asked = asked.where(audit.c.at < BEGIN + MONTH * (1 - depth))
    return (await connection.execute(asked)).all()


async def _timed(asked: Asked, *, calls: int) -> dict[str, tuple[float, float]]:
    """Return the milliseconds of one call of each, by the clock and of our processor time: the medians.

    They take turns, so that what else the machine does meets all of them.
    """
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for _ in range(calls):
        for name, work in asked.items():
            wall, cpu = audit_writing.now()
            await work()
            ended = audit_writing.now()
            spent[name].append(((ended[0] - wall) * 1000, (ended[1] - cpu) * 1000))
    return {
        name: (statistics.median(wall for wall, _ in seen), statistics.median(cpu for _, cpu in seen))
        for name, seen in spent.items()
    }


@asynccontextmanager
async def _sqlite() -> AsyncIterator[tuple[Database, str]]:
    with tempfile.TemporaryDirectory() as directory:
        data_dir = Path(directory) / "data"
        database = Database(None, data_dir=data_dir)
        await database.bring_up()
        yield database, str(data_dir / FILE_NAME)
        await database.close()


@asynccontextmanager
async def _postgres() -> AsyncIterator[tuple[Database, str]]:
    with postgres_server() as server:
        database = Database(server.url, data_dir=Path("unused"))
        await database.bring_up()
        yield database, server.url
        await database.close()
