"""Indexes that the next migrations make on tables which are large already: beforehand, while everybody goes on writing.

To make one the usual way holds up whoever writes, for as long as it takes. `entrada db upgrade` makes them
concurrently, outside of any transaction; the migration then finds them. A start has no time for that, and says so.
"""

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.errors import SettingsRefused

LARGE = 1_000_000  # rows; three indexes of the audit log took seven seconds for so many
_ROWS = (
    "SELECT relname, CASE WHEN reltuples >= 0 THEN reltuples ELSE pg_relation_size(oid) / 1000 END AS rows"
    " FROM pg_class WHERE oid IN (SELECT to_regclass(name) FROM unnest(CAST($1 AS text[])) AS name)"
)
_BROKEN = (
    "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid"
    " WHERE NOT indisvalid AND indrelid = to_regclass($1) AND relname = ANY($2)"
)


async def refuse_large(connection: AsyncConnection, indexes: Mapping[str, str]) -> None:
    """Raise SettingsRefused when these would take longer than a start may."""
    for table, rows in (await _sizes(connection, indexes)).items():
        if rows >= LARGE:
            raise SettingsRefused(
                [f"database_url: {table} has some {rows:,} rows, and this release makes new indexes on it, which takes"
                 " longer than a start may; run `entrada db upgrade` first, workers of before may go on meanwhile"]
            )  # fmt: skip


async def make_beforehand(connection: AsyncConnection, indexes: Mapping[str, str]) -> None:
    """Make those of tables that are there, on a connection that is in no transaction; again what was cut short."""
    there = await _sizes(connection, indexes)
    for name, on in indexes.items():
        table = _table(on)
        if table not in there:
            continue
        if (await connection.exec_driver_sql(_BROKEN, (table, [name]))).first():
            await connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")
        await connection.exec_driver_sql(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {on}")


async def drop_broken(connection: AsyncConnection, indexes: Mapping[str, str]) -> None:
    """Drop what is left of one that was cut short: whoever makes it if it is not there would take it for whole."""
    for table in {_table(on) for on in indexes.values()}:
        for name in (await connection.exec_driver_sql(_BROKEN, (table, list(indexes)))).scalars().all():
            await connection.exec_driver_sql(f"DROP INDEX {name}")


async def _sizes(connection: AsyncConnection, indexes: Mapping[str, str]) -> dict[str, int]:
    """Return how many rows the tables have, those that are there, as the server guesses."""
    tables = sorted({_table(on) for on in indexes.values()})
    found = await connection.exec_driver_sql(_ROWS, (tables,))
    return {row.relname: int(row.rows) for row in found}


def _table(on: str) -> str:
    return on.partition(" ")[0]
