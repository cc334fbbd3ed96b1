"""An attacker has the bytes of the store: they read nothing of use, and what they change or move is no session."""

import base64
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.record import decode, encode
from entrada.sessions.sealing import Sealer
from entrada.sessions.session import Session
from entrada.sessions.stores.opening import open_store
from tests.canary import hearing_everything
from tests.moved_clock import MovedClock

TOKENS = b'{"refresh_token": "0.AXoA-the-refresh-token", "access_token": "eyJ0-the-access-token"}'
ADA = User(issuer="https://id.example", subject="ada", tenant_id="t", object_id="ada-object-id")
EVE = User(issuer="https://id.example", subject="eve", tenant_id="t", object_id="eve-object-id")


class Stolen:
    """A store that is in use, and its file as an attacker with SQL has it."""

    def __init__(self, data: Path) -> None:
        self.ring, self.data = KeyRing.parse(generate()), data
        self.store = open_store("sqlite:", data_dir=data, clock=MovedClock())
        self.sessions = Sessions(self.store, sealer=Sealer(self.ring), ring=self.ring, clock=MovedClock())

    def dump(self) -> bytes:
        return b"".join(file.read_bytes() for file in sorted(self.data.iterdir()))

    def sql(self, statement: str, *values: object) -> list[tuple[bytes, ...]]:
        with closing(sqlite3.connect(self.data / "sessions.db")) as connection, connection:
            rows = connection.execute(statement, values).fetchall()
        connection.close()
        return rows


@pytest.fixture
async def stolen(tmp_path: Path) -> AsyncIterator[Stolen]:
    stolen = Stolen(tmp_path / "data")
    yield stolen
    await stolen.store.close()


async def test_a_dump_holds_no_cookie_no_token_and_no_key(stolen: Stolen) -> None:
    """The files' bytes hold neither session id, nor any token, nor the transaction, nor a key (SEC-070, SEC-168)."""
    session_id, session = await stolen.sessions.begin(ADA, tokens=TOKENS)
    await stolen.sessions.save_tokens(session, TOKENS + b" renewed", version=1)
    await stolen.sessions.spend_once("the-transaction", lifetime=(session.expires_at - session.created_at))
    dump = stolen.dump()
    assert len(dump) > 10_000
    assert b"ada-object-id" in dump, "the dump is the one that is written to"
    raw = base64.urlsafe_b64decode(session_id + "=")
    secret = stolen.ring.active.secret
    for hidden in (session_id.encode(), raw, b"the-refresh-token", b"the-access-token", b"the-transaction", secret):
        assert hidden not in dump
        assert base64.b64encode(hidden).rstrip(b"=") not in dump
        assert hidden.hex().encode() not in dump


async def test_nothing_in_the_dump_is_a_cookie(stolen: Stolen) -> None:
    """Sending the store's own key as a cookie, in any spelling, is no session (SEC-070)."""
    _, session = await stolen.sessions.begin(ADA, tokens=TOKENS)
    ((key,),) = stolen.sql("SELECT key FROM session")
    assert key == session.key
    for cookie in (base64.urlsafe_b64encode(key).decode().rstrip("="), key.hex(), key.decode("latin-1")):
        assert await stolen.sessions.load(cookie) is None


async def expect_no_session(stolen: Stolen, session_id: str) -> None:
    with hearing_everything() as heard:
        assert await stolen.sessions.load(session_id) is None
    assert [line for line in heard.lines if "session_unreadable" in line and "'ERROR'" in line and "record" in line]
    assert not heard.with_any_of(session_id, "ada-object-id", "eve-object-id")


async def test_a_record_given_to_another_session_is_no_session(stolen: Stolen) -> None:
    """Ada's record in Eve's row does not make Eve Ada; it is no session and an alarm (SEC-168, SEC-169)."""
    _, ada = await stolen.sessions.begin(ADA, tokens=TOKENS)
    eve_id, eve = await stolen.sessions.begin(EVE, tokens=b"")
    stolen.sql("UPDATE session SET record = (SELECT record FROM session WHERE key = ?) WHERE key = ?", ada.key, eve.key)
    await expect_no_session(stolen, eve_id)


async def test_a_role_written_into_the_record_is_no_session(stolen: Stolen) -> None:
    """A record that was changed in the store, however well-formed, is no session and an alarm (SEC-169)."""
    session_id, session = await stolen.sessions.begin(EVE, tokens=b"")
    ((record,),) = stolen.sql("SELECT record FROM session")
    assert b"eve-object-id" in record
    stolen.sql("UPDATE session SET record = ?", record.replace(b"eve-object-id", b"ada-object-id"))
    await expect_no_session(stolen, session_id)
    stolen.sql("UPDATE session SET record = ?", encode(session.record))
    assert decode(encode(session.record)) is not None
    await expect_no_session(stolen, session_id)


async def test_a_change_is_seen_by_a_worker_that_knows_the_session(stolen: Stolen) -> None:
    """A worker that has read a session many times still refuses it as soon as its row is changed (SEC-169)."""
    ada_id, ada = await stolen.sessions.begin(ADA, tokens=b"")
    eve_id, eve = await stolen.sessions.begin(EVE, tokens=b"")
    ((good,),) = stolen.sql("SELECT record FROM session WHERE key = ?", eve.key)
    for _ in range(3):
        assert (await stolen.sessions.load(ada_id), await stolen.sessions.load(eve_id)) == (ada, eve)
    stolen.sql("UPDATE session SET record = (SELECT record FROM session WHERE key = ?) WHERE key = ?", ada.key, eve.key)
    await expect_no_session(stolen, eve_id)
    stolen.sql("UPDATE session SET record = ? WHERE key = ?", good.replace(b"eve-", b"ada-"), eve.key)
    await expect_no_session(stolen, eve_id)
    stolen.sql("UPDATE session SET record = ? WHERE key = ?", good, eve.key)
    assert await stolen.sessions.load(eve_id) == eve


async def test_a_lengthened_life_is_no_session(stolen: Stolen) -> None:
    """The store's own column of expiry decides nothing: the signed record does (SEC-073)."""
    clock = MovedClock()
    sessions = Sessions(stolen.store, sealer=Sealer(stolen.ring), ring=stolen.ring, clock=clock)
    session_id, session = await sessions.begin(EVE, tokens=b"")
    stolen.sql("UPDATE session SET expires_at = 1e12")
    clock.now = session.idle_expires_at
    assert await sessions.load(session_id) is None


async def expect_no_tokens(stolen: Stolen, session: Session) -> None:
    with hearing_everything() as heard:
        assert await stolen.sessions.tokens(session) is None
    assert [line for line in heard.lines if "session_unreadable" in line and "'ERROR'" in line and "tokens" in line]
    assert not heard.with_any_of("the-refresh-token", "the-access-token")


@pytest.mark.parametrize("owner", [EVE, ADA])
async def test_tokens_moved_to_another_session_do_not_open(stolen: Stolen, owner: User) -> None:
    """Ada's sealed tokens in Eve's row, or in another of hers, are no tokens and an alarm (SEC-168, SEC-169)."""
    _, ada = await stolen.sessions.begin(ADA, tokens=TOKENS)
    _, other = await stolen.sessions.begin(owner, tokens=b"")
    of_ada = stolen.sql("SELECT tokens FROM session_tokens WHERE key = ?", ada.key)[0][0]
    stolen.sql("UPDATE session_tokens SET tokens = ? WHERE key = ?", of_ada, other.key)
    await expect_no_tokens(stolen, other)
    assert await stolen.sessions.tokens(ada)


@pytest.mark.parametrize("change", ["substr(tokens, 1, length(tokens) - 1)", "substr(tokens, 2)", "x''", "record"])
async def test_damaged_tokens_are_no_tokens(stolen: Stolen, change: str) -> None:
    """Tokens cut short, shifted, emptied or put in clear are never handed out (SEC-169)."""
    _, ada = await stolen.sessions.begin(ADA, tokens=TOKENS)
    stolen.sql(
        f"UPDATE session_tokens SET tokens = (SELECT {change} FROM session WHERE session.key = session_tokens.key)"
    )
    await expect_no_tokens(stolen, ada)


async def test_clear_tokens_are_never_a_fallback(stolen: Stolen) -> None:
    """Tokens that an attacker writes unsealed are not taken for tokens (SEC-169)."""
    _, ada = await stolen.sessions.begin(ADA, tokens=TOKENS)
    stolen.sql("UPDATE session_tokens SET tokens = ?", TOKENS)
    await expect_no_tokens(stolen, ada)


async def test_a_row_of_the_attackers_own_is_no_session(stolen: Stolen) -> None:
    """Without a key of the ring nobody can write a row that any cookie opens (SEC-070, SEC-072)."""
    foreign = KeyRing.parse(generate())
    sessions = Sessions(stolen.store, sealer=Sealer(foreign), ring=foreign, clock=MovedClock())
    foreign_id, _ = await sessions.begin(ADA, tokens=b"")
    assert await sessions.load(foreign_id)
    assert await stolen.sessions.load(foreign_id) is None
