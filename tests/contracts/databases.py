"""What tests ask a database themselves."""

from typing import Any

from sqlalchemy import text

from entrada.users.database import Database


async def said(database: Database, statement: str) -> list[Any]:
    """Return what the database itself answers."""
    async with database.unit_of_work() as connection:
        answer = await connection.execute(text(statement))
        return [tuple(row) for row in answer] if answer.returns_rows else []
