"""REL-071: with many sessions no statement of a store reads a whole table; the databases' own planners say so."""

import inspect
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest

from entrada.clock import system_clock
from entrada.sessions.stores import postgres, sqlite
from entrada.sessions.stores.opening import open_store
from tests.contracts.opened_once import opened_once

STATEMENT = re.compile(r"(SELECT|INSERT|UPDATE|DELETE)\b")
WHOLE_INDEX = re.compile(r"Index Scan .*\n(?! *Index Cond)")
ROWS = 20_000
FILL = (
    "INSERT INTO entrada_session SELECT sha256(n::text::bytea), 1, now() + n * interval '1 second', sha256('r'),"
    " sha256((n / 2)::text::bytea), sha256(n::text::bytea) FROM generate_series(1, {rows}) n",
    "INSERT INTO entrada_session_tokens SELECT sha256(n::text::bytea), 1, sha256('t'), now() + n * interval '1 second'"
    " FROM generate_series(1, {rows}) n",
    "INSERT INTO entrada_spent SELECT sha256(n::text::bytea), now() + n * interval '1 second'"
    " FROM generate_series(1, {rows}) n",
    "INSERT INTO entrada_lease SELECT sha256(n::text::bytea), 'h', now() + n * interval '1 second', n"
    " FROM generate_series(1, {rows}) n",
    "ANALYZE",
)


def statements(module: ModuleType) -> Iterator[str]:
    """Give every statement that a store's module has, those of the future included."""
    for name, value in inspect.getmembers(module):
        if name.isupper():
            yield from (each for each in (value if isinstance(value, tuple) else (value,)) if _is_statement(each))


def _is_statement(value: object) -> bool:
    return isinstance(value, str) and bool(STATEMENT.match(value))


@pytest.fixture
async def connection(postgresql_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A schema of its own with the tables of the store and many rows, as its statistics know."""
    connection = await asyncpg.connect(postgresql_url)
    await connection.execute("CREATE SCHEMA planned")
    store = open_store(f"{postgresql_url}?options=-csearch_path%3Dplanned", data_dir=Path(), clock=system_clock)
    await store.prepare()
    await store.close()
    await connection.execute("SET search_path = planned")
    for fill in FILL:
        await connection.execute(fill.format(rows=ROWS))
    yield connection
    await connection.execute("DROP SCHEMA planned CASCADE")
    await connection.close()


async def test_sqlite_reads_no_whole_table(tmp_path: Path) -> None:
    """Each statement of the SQLite store searches by an index or a primary key."""
    await opened_once(tmp_path / "sessions.db", system_clock)
    asked = list(statements(sqlite))
    assert len(asked) >= 15
    with sqlite3.connect(tmp_path / "sessions.db") as reading:
        for statement in asked:
            unknown = (None,) * statement.count("?")
            plan = [row[3] for row in reading.execute("EXPLAIN QUERY PLAN " + statement, unknown)]
            whole = [step for step in plan if step.startswith("SCAN") and step != "SCAN CONSTANT ROW"]
            assert not whole, f"{statement}: {plan}"
            assert not any("TEMP B-TREE" in step for step in plan), f"sorts all of it: {statement}: {plan}"
    reading.close()


async def test_postgresql_reads_no_whole_table(connection: asyncpg.Connection) -> None:
    """Each statement of the PostgreSQL store goes by an index, also in the plan that serves all values alike."""
    asked = list(statements(postgres))
    assert len(asked) >= 15
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for number, statement in enumerate(asked):
        await connection.execute(f"PREPARE asked_{number} AS {statement}")
        values = ", ".join(["NULL"] * len(set(re.findall(r"\$\d+", statement))))
        rows = await connection.fetch(f"EXPLAIN EXECUTE asked_{number}({values})")
        plan = "\n".join(row[0] for row in rows)
        assert "Seq Scan" not in plan, f"{statement}:\n{plan}"
        assert not WHOLE_INDEX.search(plan), f"reads a whole index: {statement}:\n{plan}"
