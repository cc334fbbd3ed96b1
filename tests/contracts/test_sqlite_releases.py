"""SQLite files of other releases: older ones are brought up, beside workers that are still of that release."""

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from entrada.errors import SettingsRefused
from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.sqlite import SqliteStore
from tests.contracts.opened_once import opened_once
from tests.moved_clock import MovedClock

KEY = b"k" * 32
HOUR = timedelta(hours=1)


async def test_a_file_of_a_newer_release_is_refused_plainly(path: Path, clock: MovedClock) -> None:
    """A file with a newer schema is refused, not changed (REL-023)."""
    await opened_once(path, clock)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(SettingsRefused, match="a newer release of Entrada wrote it"):
        await opened_once(path, clock)


FIRST_SCHEMA = """
CREATE TABLE session (
    key BLOB PRIMARY KEY, version INTEGER NOT NULL, expires_at REAL NOT NULL, record BLOB NOT NULL
);
CREATE INDEX session_by_expiry ON session (expires_at);
CREATE TABLE session_tokens (
    key BLOB PRIMARY KEY REFERENCES session (key) ON DELETE CASCADE, version INTEGER NOT NULL, tokens BLOB NOT NULL
);
CREATE TABLE spent (key BLOB PRIMARY KEY, expires_at REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX spent_by_expiry ON spent (expires_at);
PRAGMA user_version = 1;
"""


async def as_the_first_release(path: Path, sessions: Sessions, user: User) -> str:
    """Begin a session, and put it into the file as the first release did; return its id."""
    session_id, session = await sessions.begin(user, tokens=b"tokens")
    connection = sqlite3.connect(path, isolation_level=None)
    rows = [
        connection.execute(f"SELECT * FROM {table} WHERE key = ?", (session.key,)).fetchone()
        for table in ("session", "session_tokens")
    ]
    await sessions.end(session_id)
    connection.execute("INSERT INTO session VALUES (?, ?, ?, ?)", rows[0])
    connection.execute("INSERT INTO session_tokens VALUES (?, ?, ?)", rows[1])
    connection.close()
    return session_id


async def test_a_file_of_the_first_release_is_brought_up(tmp_path: Path, clock: MovedClock) -> None:
    """Its sessions go on, with their tokens; their persons find and end them as if they were new (REL-023, SES-7)."""
    path, ring, ada, eve = tmp_path / "old.db", KeyRing.parse(generate()), User("i", "ada", sid="s"), User("i", "eve")
    made = SqliteStore(tmp_path / "made.db", clock=clock)
    old = Sessions(made, sealer=Sealer(ring), ring=ring, clock=clock)
    ids = [await as_the_first_release(tmp_path / "made.db", old, user) for user in (ada, ada, eve)]
    connection = sqlite3.connect(path)
    connection.executescript(FIRST_SCHEMA)
    connection.execute("ATTACH ? AS made", (str(tmp_path / "made.db"),))
    connection.execute("INSERT INTO session SELECT * FROM made.session")
    connection.execute("INSERT INTO session_tokens SELECT * FROM made.session_tokens")
    connection.execute("INSERT INTO spent VALUES (?, 1e12)", (KEY,))
    connection.commit()
    connection.close()
    await made.close()

    store = SqliteStore(path, clock=clock)
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    loaded = [await sessions.load(session_id) for session_id in ids]
    assert [session.user for session in loaded if session] == [ada, ada, eve]
    assert (await sessions.tokens(loaded[0])).blob == b"tokens"
    assert len(await sessions.by_user(ada)) == 2
    assert not await store.add_if_absent(KEY, lifetime=HOUR)
    await sessions.end_sessions([session.key for session in await sessions.by_sid("i", "s")])
    assert [bool(await sessions.load(session_id)) for session_id in ids] == [False, False, True]
    await store.close()
    await opened_once(path, clock)


async def test_a_worker_of_the_first_release_goes_on(path: Path, clock: MovedClock) -> None:
    """Sessions that a worker not yet restarted begins in the new file are found by their person all the same."""
    store, ring, ada = SqliteStore(path, clock=clock), KeyRing.parse(generate()), User("i", "ada")
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    await sessions.begin(ada, tokens=b"")
    await as_the_first_release(path, sessions, ada)
    assert len(await sessions.by_user(ada)) == 2
    await as_the_first_release(path, sessions, ada)
    assert await sessions.end_all_of(ada) == 3
    await store.close()


async def test_what_no_key_opens_is_indexed_as_nobodys(path: Path, clock: MovedClock) -> None:
    """Old sessions under a key that is no longer in the ring stand in nobody's way, and the sweep takes them."""
    store, ring, gone, ada = (
        SqliteStore(path, clock=clock),
        *map(KeyRing.parse, (generate(), generate())),
        User("i", "a"),
    )
    await as_the_first_release(path, Sessions(store, sealer=Sealer(gone), ring=gone, clock=clock), ada)
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    await sessions.begin(ada, tokens=b"")
    assert len(await sessions.by_user(ada)) == 1
    clock.move(HOUR)
    assert await sessions.sweep() == 2
    await store.close()
