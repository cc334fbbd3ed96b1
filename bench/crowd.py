"""A SQLite file with many people signed in, written at once: every record is signed as the application signs it."""

import secrets
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from bench.signed_in import PERSON
from bench.sizes import size
from entrada.keyring import KeyRing
from entrada.sessions.names import Names
from entrada.sessions.record import SessionRecord, encode
from entrada.sessions.sealing import Sealer

CALLERS = size(1_000, 3)  # sessions whose cookie is known, and used in turn: more than a processor's caches hold
DAY = 86_400
INSERT = "INSERT INTO session (key, version, expires_at, record) VALUES (?, 1, ?, ?)"
Row = tuple[bytes, int, bytes]


def seed(path: Path, *, ring: KeyRing, sessions: int) -> list[str]:
    """Fill the store's file, which must have its tables, and return the ids of CALLERS of the sessions."""
    ids = [secrets.token_urlsafe(32) for _ in range(CALLERS)]
    names = Names(ring)
    keys = [names.keys(session_id)[0] for session_id in ids]
    others = sessions - len(keys)
    # evenly apart and in order: what a hash would give, without the time that a million insertions at random take
    keys += [(2**256 // others * number).to_bytes(32, "big") for number in range(others)]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -262144; BEGIN")
    connection.executemany(INSERT, _rows(keys, ring))
    connection.execute("UPDATE session_index SET user = key")  # of as many people; else the first sweep would do it
    connection.commit()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    return ids


def _rows(keys: list[bytes], ring: KeyRing) -> Iterator[Row]:
    sealer, now = Sealer(ring), int(time.time())
    record = SessionRecord(
        user=PERSON,
        created_at=now,
        last_seen_at=now + DAY,  # so that no request is the one that writes
        idle_expires_at=now + DAY,
        expires_at=now + DAY,
        found_by=ring.active.id,
    )
    data = encode(record)
    for key in keys:
        yield key, record.expires_at, sealer.sign(data, purpose="session-record", bound_to=key)
