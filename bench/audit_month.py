"""A month of audit rows, a chain as the application would have written it."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.appending import chained, locked_heads, set_head
from entrada.audit.chain import SALT_BYTES, ChainKeys
from entrada.audit.rows import row_of
from entrada.events import Event
from entrada.users.database import Database
from entrada.users.tables import EPOCH, MICROSECOND, audit

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MONTH = timedelta(days=30)
BATCH = 2_000  # PostgreSQL lets no statement take two seconds
PEOPLE, TENANTS, ADDRESSES = 1_000, 10, 250
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
KINDS = {
    name: row_of(Event(name, at=BEGIN, user_agent=FIREFOX), person=None, label="Ada Lovelace (ada@contoso.com)")
    for name in ("sign_in", "sign_in_failed", "user_changed")
}


async def fill(database: Database, keys: ChainKeys, *, rows: int) -> None:
    """Write so many."""
    for first in range(0, rows, BATCH):
        made = [month_row(number, rows) for number in range(first, min(first + BATCH, rows))]
        async with database.unit_of_work() as connection:
            ends = chained(await connection.run_sync(locked_heads), made, keys=keys)
            await _insert(connection, made)
            for head in ends:
                await connection.run_sync(set_head, keys.sealed(head))
        if first % 100_000 == 0:
            print(f"    {first:,}", file=sys.stderr, flush=True)


def month_row(number: int, rows: int) -> dict[str, Any]:
    """Return one row: one in fifty is a failure, one in ten thousand an administrator's."""
    name = "user_changed" if number % 10_000 == 1 else "sign_in_failed" if number % 50 == 0 else "sign_in"
    person = None if name == "sign_in_failed" else number % PEOPLE
    tenant = f"{number % TENANTS:08}-1111-4111-8111-111111111111"
    return KINDS[name] | {
        "at": BEGIN + MONTH * number / rows,
        "tenant_id": tenant,
        "person": None if person is None else UUID(int=person + 1),
        "user_key": None if person is None else f"{tenant}:{person}",
        "resource": f"user:{UUID(int=8)}" if name == "user_changed" else None,
        "address": f"192.0.2.{number % ADDRESSES}",
        "correlation_id": f"{number:032x}",
        "who_seal": number.to_bytes(SALT_BYTES, "big"),
        "what_seal": number.to_bytes(SALT_BYTES, "little"),
    }


async def _insert(connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
    """Hand the rows to the driver as it takes them: a million of them through SQLAlchemy's types takes minutes more."""
    statement = str(insert(audit).compile(dialect=connection.dialect))
    plain_ids = connection.dialect.name == "sqlite"
    for row in rows:
        row["at"] = (row["at"] - EPOCH) // MICROSECOND
        if plain_ids and row["person"]:
            row["person"] = row["person"].hex
    values = [tuple(row[column.name] for column in audit.columns) for row in rows]
    await connection.exec_driver_sql(statement, values)
