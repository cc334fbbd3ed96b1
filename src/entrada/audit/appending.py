"""Adding rows to the log inside somebody's unit of work: the change and its row are written together, or neither is.

Whoever appends holds the ends of all streams until the commit, so ids follow each other without a gap, on any number of
workers: in SQLite by the write lock that each unit of work begins with, in PostgreSQL by the locks of those rows.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from entrada.audit.chain import ChainKeys, Head, row_hash
from entrada.audit.people import people_of
from entrada.audit.rows import row_of
from entrada.events import Event
from entrada.logs import log
from entrada.users.tables import audit, audit_streams

CHAIN_BROKEN = "chain_broken"

# Made once: what a statement costs is mostly its making.
_INSERT = insert(audit)
_HEADS = select(audit_streams).order_by(audit_streams.c.name).with_for_update()
_SET_HEAD = update(audit_streams).where(audit_streams.c.name == bindparam("stream"))


@dataclass(frozen=True, slots=True)
class Written:
    """The last row of an append, by which it is known again if nobody can tell whether its commit came through."""

    last_id: int
    hash: bytes


def append(connection: Connection, events: Sequence[Event], *, keys: ChainKeys) -> Written:
    """Add a row for each event, in this order, to the end of its stream; at least one event."""
    known = people_of(connection, {event.user_key for event in events if event.user_key})
    heads = locked_heads(connection)
    foreign = [head for head in heads.values() if not keys.vouch(head)]
    rows = []
    for event in (*(_broken(head, at=events[0].at) for head in foreign), *events):
        person = known.get(event.user_key or "")
        rows.append(row_of(event, person=person.id if person else None, label=person.label if person else None))
    ends = chained(heads, rows, keys=keys)
    connection.execute(_INSERT, rows)
    touched = {row["stream"] for row in rows} | {head.name for head in foreign}
    for head in ends:
        if head.name in touched or (head.mac and head.key_id != keys.active_id):
            set_head(connection, keys.sealed(head))
    return Written(rows[-1]["id"], rows[-1]["hash"])


def chained(heads: Mapping[str, Head], rows: Sequence[dict[str, Any]], *, keys: ChainKeys) -> list[Head]:
    """Give each row its id, hash and MAC, and return the ends of the streams that follow; their own MACs are not made.

    The rows are those of `row_of`, in the order in which they are to be in the log.
    """
    last_id = max(head.last_id for head in heads.values())
    hashes = {name: head.hash for name, head in heads.items()}
    count, last = Counter[str](), dict[str, int]()
    for row_id, row in enumerate(rows, last_id + 1):
        stream = row["stream"]
        row["id"] = row_id
        row["hash"] = hashes[stream] = row_hash(hashes[stream], row)
        row["key_id"], row["mac"] = keys.active_id, keys.mac(row["hash"])
        count[stream] += 1
        last[stream] = row_id
    return [head.after(last.get(name, head.last_id), hashes[name], rows=count[name]) for name, head in heads.items()]


def _broken(head: Head, *, at: datetime) -> Event:
    """Return what is written before anything else is added to an end that is not as we left it: no new MAC hides it."""
    log.error("audit_chain_broken", stream=head.name, last_id=head.last_id)
    found = {"last_id": head.last_id, "hash": head.hash.hex(), "pruned_to": head.pruned_to}
    return Event("audit_gap", at=at, reason=CHAIN_BROKEN, resource=f"audit:{head.name}", details=found)


def locked_heads(connection: Connection) -> dict[str, Head]:
    """Return the ends of the streams; nobody else can add to them before this unit of work is over."""
    return {row.name: head_of(row) for row in connection.execute(_HEADS)}


def head_of(row: Row[Any]) -> Head:
    """Return the end of a stream from its row."""
    return Head(*(getattr(row, name) for name in Head.__slots__))


def set_head(connection: Connection, head: Head) -> None:
    """Write the end of a stream down."""
    values = {name: getattr(head, name) for name in Head.__slots__ if name != "name"}
    connection.execute(_SET_HEAD, {"stream": head.name, **values})


def was_written(connection: Connection, written: Written) -> bool:
    """Say whether that append is in the log."""
    there = select(audit.c.id).where(audit.c.id == written.last_id, audit.c.hash == written.hash)
    return (connection.execute(there)).first() is not None
