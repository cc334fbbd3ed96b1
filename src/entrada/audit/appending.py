"""Adding rows to the log inside somebody's unit of work: the change and its row are written together, or neither is.

Whoever appends holds the ends of all streams until the commit, so ids follow each other without a gap, on any number of
workers: in SQLite by the write lock that each unit of work begins with, in PostgreSQL by the locks of those rows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.chain import ChainKeys, Head, row_hash
from entrada.audit.rows import row_of
from entrada.events import Event
from entrada.logs import log
from entrada.principal import User
from entrada.users.tables import audit, audit_streams, users

IN_TENANT = re.compile(r"([0-9a-f-]{36}):(.+)", re.ASCII)
CHAIN_BROKEN = "chain_broken"
PEOPLE_AT_ONCE = 100  # of one statement


@dataclass(frozen=True, slots=True)
class Written:
    """The last row of an append, by which it is known again if nobody can tell whether its commit came through."""

    last_id: int
    hash: bytes


async def append(connection: AsyncConnection, events: Sequence[Event], *, keys: ChainKeys) -> Written:
    """Add a row for each event, in this order, to the end of its stream; at least one event."""
    known = await _people(connection, {event.user_key for event in events if event.user_key})
    heads = await locked_heads(connection)
    last_id, rows = max(head.last_id for head in heads.values()), []
    foreign = [head for head in heads.values() if not keys.vouch(head)]
    for event in (*(_broken(head, at=events[0].at) for head in foreign), *events):
        person = known.get(event.user_key or "")
        row = row_of(event, person=person.id if person else None, label=_label(person))
        head, last_id = heads[row["stream"]], last_id + 1
        row["id"] = last_id
        row["hash"] = row_hash(head.hash, row)
        rows.append({**row, "key_id": keys.active_id, "mac": keys.mac(row["hash"])})
        heads[head.name] = head.after(last_id, row["hash"])
    await connection.execute(insert(audit), rows)
    touched = {row["stream"] for row in rows} | {head.name for head in foreign}
    for head in heads.values():
        if head.name in touched or (head.mac and head.key_id != keys.active_id):
            await set_head(connection, keys.sealed(head))
    return Written(last_id, rows[-1]["hash"])


def _broken(head: Head, *, at: datetime) -> Event:
    """Return what is written before anything else is added to an end that is not as we left it: no new MAC hides it."""
    log.error("audit_chain_broken", stream=head.name, last_id=head.last_id)
    found = {"last_id": head.last_id, "hash": head.hash.hex(), "pruned_to": head.pruned_to}
    return Event("audit_gap", at=at, reason=CHAIN_BROKEN, resource=f"audit:{head.name}", details=found)


async def locked_heads(connection: AsyncConnection) -> dict[str, Head]:
    """Return the ends of the streams; nobody else can add to them before this unit of work is over."""
    found = await connection.execute(select(audit_streams).order_by(audit_streams.c.name).with_for_update())
    return {row.name: head_of(row) for row in found}


def head_of(row: Row[Any]) -> Head:
    """Return the end of a stream from its row."""
    return Head(*(getattr(row, name) for name in Head.__slots__))


async def set_head(connection: AsyncConnection, head: Head) -> None:
    """Write the end of a stream down."""
    values = {name: getattr(head, name) for name in Head.__slots__ if name != "name"}
    await connection.execute(update(audit_streams).where(audit_streams.c.name == head.name).values(values))


async def was_written(connection: AsyncConnection, written: Written) -> bool:
    """Say whether that append is in the log."""
    there = select(audit.c.id).where(audit.c.id == written.last_id, audit.c.hash == written.hash)
    return (await connection.execute(there)).first() is not None


async def _people(connection: AsyncConnection, keys: set[str]) -> Mapping[str, "_Person"]:
    """Return who has these keys, of those who are known here."""
    found: dict[str, _Person] = {}
    wanted = sorted(keys)
    for first in range(0, len(wanted), PEOPLE_AT_ONCE):
        some = wanted[first : first + PEOPLE_AT_ONCE]
        columns = (users.c.id, users.c.tenant_id, users.c.object_id, users.c.issuer, users.c.subject)
        asked = select(*columns, users.c.name, users.c.username).where(or_(*map(has_key, some)))
        for row in await connection.execute(asked):
            key = f"{row.tenant_id}:{row.object_id}" if row.object_id else f"{row.issuer}|{row.subject}"
            found[key] = _Person(row.id, row.name, row.username)
    return found


@dataclass(frozen=True, slots=True)
class _Person:
    """Who a row is about, as far as the row needs it."""

    id: UUID
    name: str
    username: str


def has_key(key: str) -> ColumnElement[bool]:
    """Say which row of the directory has this key, by the rule of `User.key`."""
    if found := IN_TENANT.fullmatch(key):
        return and_(users.c.tenant_id == found[1], users.c.object_id == found[2])
    issuer, _, subject = key.partition("|")  # no URL has this character
    return and_(users.c.object_id.is_(None), users.c.issuer == issuer, users.c.subject == subject)


def _label(person: _Person | None) -> str | None:
    return User(issuer="", subject="", name=person.name, username=person.username).label if person else None
