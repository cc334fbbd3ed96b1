"""Taking a person's data out of the log: the values go, their digests stay, so the chain still holds (SEC-150)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, bindparam, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.chain import SALT_BYTES, WHAT, WHO, digest
from entrada.users.tables import audit

AT_ONCE = 500  # rows of one round
MOST_NAMED = 1_000  # rows without a person's id that one erasure names


async def unlinked(connection: AsyncConnection, user_key: str) -> list[int]:
    """Return the rows that name a person by key only; the row that tells of the erasure has to name them."""
    theirs = select(audit.c.id).where(audit.c.user_key == user_key, audit.c.person.is_(None)).order_by(audit.c.id)
    return list(await connection.scalars(theirs.limit(MOST_NAMED)))


async def blank(connection: AsyncConnection, person: UUID, *, beside: Sequence[int]) -> int:
    """Blank who it was in this person's rows and those `beside`, and the details of what was done by and to them."""
    resource = f"user:{person}"
    who = or_(audit.c.person == person, audit.c.id.in_(beside)) if beside else audit.c.person == person
    what = and_(or_(who, audit.c.resource == resource), audit.c.action != "user_erased")
    return await _blank(connection, who, "who_seal", WHO) + await _blank(connection, what, "what_seal", WHAT)


async def _blank(connection: AsyncConnection, theirs: ColumnElement[bool], seal: str, names: tuple[str, ...]) -> int:
    blanked = dict.fromkeys(names)
    columns = [audit.c.id, audit.c[seal], *(audit.c[name] for name in names)]
    whole = select(*columns).where(theirs, func.length(audit.c[seal]) == SALT_BYTES).limit(AT_ONCE)
    written = update(audit).where(audit.c.id == bindparam("row")).values({seal: bindparam("digest"), **blanked})
    count = 0
    while rows := (await connection.execute(whole)).all():
        await connection.execute(written, [_digest(row, seal, names) for row in rows])
        count += len(rows)
    return count


def _digest(row: Row[Any], seal: str, names: tuple[str, ...]) -> dict[str, Any]:
    values = row._asdict()
    return {"row": values["id"], "digest": digest(values[seal], values, names)}
