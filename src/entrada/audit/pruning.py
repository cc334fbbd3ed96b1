"""Letting go of old rows without breaking the chain: the end of a stream remembers the last row that was let go.

A row of its own says who pruned what. First that is written, then the rows go, in batches; when that is cut short, the
next one goes on with it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from entrada.audit.appending import append, head_of, locked_heads, set_head
from entrada.audit.chain import ChainKeys
from entrada.audit.rows import Stream
from entrada.events import Event
from entrada.users.database import Database
from entrada.users.tables import audit, audit_streams

AT_ONCE = 2_000  # rows of one delete, so that no sign-in waits long behind it


@dataclass(frozen=True, slots=True)
class _Boundary:
    """The last row to go, and how many go with it."""

    after: int
    """The last row that had gone before."""
    last_id: int
    hash: bytes
    rows: int


async def prune(
    database: Database,
    keys: ChainKeys,
    *,
    stream: Stream,
    before: datetime,
    by: Event,
    told: Callable[[int], None] | None = None,
) -> int:
    """Let go of the rows of one stream up to the first that is not older than `before`; return how many those were.

    `by` is an event `audit_pruned` that says who does it and when.
    """
    boundary = await _boundary(database, stream, before)
    while boundary is not None and not await _move_beginning(database, keys, stream, boundary, by):
        boundary = await _boundary(database, stream, before)
    await _delete(database, stream, told)
    return boundary.rows if boundary else 0


async def _boundary(database: Database, stream: Stream, before: datetime) -> _Boundary | None:
    """Find the boundary; nothing before the end of a stream ever changes, so nobody has to wait meanwhile."""
    rows = audit.c.stream == stream
    async with database.unit_of_work(read_only=True) as connection:
        head = head_of((await connection.execute(select(audit_streams).where(audit_streams.c.name == stream))).one())
        living = rows & (audit.c.id > head.pruned_to)
        kept = await connection.scalar(select(func.min(audit.c.id)).where(living, audit.c.at >= before))
        going = living & (audit.c.id < kept if kept is not None else audit.c.id <= head.last_id)
        last = select(audit.c.id, audit.c.hash).where(going).order_by(audit.c.id.desc()).limit(1)
        found = (await connection.execute(last)).first()
        if found is None:
            return None
        count = await connection.scalar(select(func.count()).select_from(audit).where(going))
    return _Boundary(head.pruned_to, found.id, found.hash, count or 0)


async def _move_beginning(database: Database, keys: ChainKeys, stream: Stream, boundary: _Boundary, by: Event) -> bool:
    """Let the stream begin after the boundary; False when somebody else has pruned it since that was looked for."""
    said = {"stream": stream, "up_to": boundary.last_id, "hash": boundary.hash.hex(), "rows": boundary.rows}

    def work(connection: Connection) -> bool:
        if locked_heads(connection)[stream].pruned_to != boundary.after:
            return False
        append(connection, [replace(by, resource=f"audit:{stream}", details={**by.details, **said})], keys=keys)
        head = locked_heads(connection)[stream]
        moved = replace(head, pruned_to=boundary.last_id, pruned_hash=boundary.hash, rows=head.rows - boundary.rows)
        set_head(connection, keys.sealed(moved))
        return True

    return await database.run_at_once(work)


async def _delete(database: Database, stream: Stream, told: Callable[[int], None] | None) -> None:
    pruned_to = select(audit_streams.c.pruned_to).where(audit_streams.c.name == stream).scalar_subquery()
    dead = select(audit.c.id).where(audit.c.stream == stream, audit.c.id <= pruned_to).order_by(audit.c.id)
    deleted, count = 0, AT_ONCE
    while count == AT_ONCE:
        async with database.unit_of_work() as connection:
            count = (await connection.execute(delete(audit).where(audit.c.id.in_(dead.limit(AT_ONCE))))).rowcount
        deleted += count
        if told:
            told(deleted)
