"""Going through the whole log and finding what was edited, removed or moved, with nothing but the ring's keys."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.appending import CHAIN_BROKEN, head_of
from entrada.audit.chain import ChainKeys, Head, is_erased, row_hash
from entrada.users.database import Database
from entrada.users.tables import audit, audit_streams

AT_ONCE = 5_000  # rows of one read
MOST_FAULTS = 1_000  # that are told; who has so many needs no more

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the log."""

    stream: str
    row_id: int | None
    said: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """A point of a stream that somebody has kept elsewhere: the log must still have it."""

    stream: str
    row_id: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.stream}:{self.row_id}:{self.hash.hex()}"

    @classmethod
    def parse(cls, written: str) -> "Anchor":
        """Read what `str` has written; ValueError says what is wrong."""
        try:
            stream, row_id, digest = written.strip().split(":")
            return cls(stream, int(row_id), bytes.fromhex(digest))
        except ValueError:
            raise ValueError(f"not an anchor, which is stream:number:hash: {written[:80]}") from None


@dataclass(slots=True)
class Report:
    """What was found."""

    rows: int = 0
    faults: list[Fault] = field(default_factory=list)
    anchors: list[Anchor] = field(default_factory=list)
    """The ends of the streams; kept elsewhere, they show later that nothing was cut off."""
    under_lost_keys: int = 0
    """Rows whose own key is no longer in the ring; a newer row vouches for them."""

    @property
    def intact(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def add(self, stream: str, row_id: int | None, said: str) -> None:
        """Note a fault."""
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(stream, row_id, said))


async def verify(
    database: Database, keys: ChainKeys, *, anchors: Sequence[Anchor] = (), told: Told | None = None
) -> Report:
    """Go through all streams, as they are at one moment; `told` hears now and then how many rows were looked at."""
    async with database.unit_of_work(read_only=True) as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        found = await connection.execute(select(audit_streams).order_by(audit_streams.c.name))
        check = _Check([head_of(row) for row in found], keys, anchors)
        last = 0
        while rows := await _some(connection, after=last):
            for row in rows:
                check.row(row._asdict())
            last = rows[-1].id
            if told:
                told(check.report.rows)
    return check.finish()


async def _some(connection: AsyncConnection, *, after: int) -> Sequence[Row[Any]]:
    wanted = select(audit).where(audit.c.id > after).order_by(audit.c.id).limit(AT_ONCE)
    return (await connection.execute(wanted)).all()


@dataclass(slots=True)
class _Stream:
    head: Head
    hash: bytes
    last_id: int
    rows: int = 0


class _Check:
    """One pass over the rows in the order of their ids."""

    def __init__(self, heads: Sequence[Head], keys: ChainKeys, anchors: Sequence[Anchor]) -> None:
        self.report = Report()
        self._keys = keys
        self._streams = {head.name: _Stream(head, head.pruned_hash, head.pruned_to) for head in heads}
        self._pruned_to = max((head.pruned_to for head in heads), default=0)
        self._next = 1
        self._anchors = {(anchor.stream, anchor.row_id): anchor for anchor in anchors}
        self._blanked: dict[int, frozenset[str]] = {}
        self._erased: set[str] = set()
        self._named: set[int] = set()
        for head in heads:
            self._head(head)

    def row(self, row: Mapping[str, Any]) -> None:
        """Look at the next row."""
        stream = self._streams.get(row["stream"])
        if stream is None:
            self.report.add(str(row["stream"]), row["id"], "is of a stream that there is not")
            return
        if row["id"] <= stream.head.pruned_to:  # pruned, and not deleted yet
            return
        whole = self._gap(row["id"])
        self.report.rows += 1
        self._linked(stream, row, whole=whole)
        self._note_erasure(row)
        stream.hash, stream.last_id, stream.rows = row["hash"], row["id"], stream.rows + 1
        self._anchored(row["stream"], row["id"], row["hash"])

    def finish(self) -> Report:
        """Look at what only the end tells."""
        for name, stream in self._streams.items():
            self._ended(name, stream)
        for row_id, people in self._blanked.items():
            if not people & self._erased and row_id not in self._named:
                self.report.add("", row_id, "had its values taken away, and no row says that somebody was erased")
        for anchor in self._anchors.values():
            kept = self._streams.get(anchor.stream)
            if kept is None or anchor.row_id > kept.head.pruned_to:
                self.report.add(anchor.stream, anchor.row_id, "was in the log when this anchor was taken, and is gone")
        return self.report

    def _head(self, head: Head) -> None:
        if not self._keys.vouch(head):
            known = self._keys.knows(head.key_id)
            why = "its MAC is wrong" if known else f"its key {head.key_id} is not in the ring"
            self.report.add(head.name, None, f"the end of the stream cannot be believed: {why}")
        self._anchored(head.name, head.pruned_to, head.pruned_hash)

    def _gap(self, row_id: int) -> bool:
        """Note the rows between the last one and this; say whether there are none."""
        missing = range(max(self._next, self._pruned_to + 1), row_id)
        self._next = row_id + 1
        if missing:
            last = f" to {missing[-1]}" if len(missing) > 1 else ""
            self.report.add("", missing[0], f"is missing{last}: {len(missing)} removed")
        return not missing

    def _linked(self, stream: _Stream, row: Mapping[str, Any], *, whole: bool) -> None:
        if row_hash(stream.hash, row) != row["hash"]:
            said = "was edited, or does not follow the row before it" if whole else "does not follow the row before it"
            self.report.add(row["stream"], row["id"], said)
        elif not self._keys.knows(row["key_id"]):
            self.report.under_lost_keys += 1
        elif not self._keys.holds(row["hash"], key_id=row["key_id"], mac=row["mac"]):
            self.report.add(row["stream"], row["id"], "was not written by us: its MAC is wrong")
        if row["action"] == "audit_gap" and row["reason"] == CHAIN_BROKEN:
            self.report.add(row["stream"], row["id"], "says that the end of a stream was not as we left it")

    def _note_erasure(self, row: Mapping[str, Any]) -> None:
        person = {f"user:{row['person']}"} if isinstance(row["person"], UUID) else set()
        if row["action"] == "user_erased" and row["resource"]:
            self._erased.add(row["resource"])
            self._named.update(json.loads(row["details"] or "{}").get("rows", ()))
        if is_erased(row["who_seal"]):
            self._blanked[row["id"]] = frozenset(person)
        elif is_erased(row["what_seal"]):
            self._blanked[row["id"]] = frozenset(person | {str(row["resource"])})

    def _anchored(self, stream: str, row_id: int, row: bytes) -> None:
        anchor = self._anchors.pop((stream, row_id), None)
        if anchor is not None and anchor.hash != row:
            self.report.add(stream, row_id, "is another one than when this anchor was taken")

    def _ended(self, name: str, stream: _Stream) -> None:
        head = stream.head
        self.report.anchors.append(Anchor(name, head.last_id, head.hash))
        if (stream.last_id, stream.hash) != (head.last_id, head.hash):
            self.report.add(name, head.last_id, "should be the last row of its stream, and is not there as it was")
        elif stream.rows != head.rows:
            self.report.add(name, None, f"has {stream.rows} rows; {head.rows} were written and not pruned")
