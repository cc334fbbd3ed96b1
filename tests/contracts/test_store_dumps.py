"""What somebody gets who copies a whole store: no cookie, no token, no key (SEC-070, SEC-168)."""

import base64
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis, RedisCluster

from entrada.keyring import KeyRing, generate
from entrada.sessions.held import Step
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.record import RequestFacts
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore
from entrada.store_url import parse
from tests.contracts.test_sessions import ADA, HOUR
from tests.moved_clock import MovedClock

FACTS = RequestFacts(address="192.0.2.7", user_agent="Firefox")
TOKENS = b'{"refresh_token": "the-refresh-token", "access_token": "the-access-token"}'


async def dump(url: str, data: Path) -> bytes:
    """Return everything that the store's server gives to whoever may read it."""
    if url == "sqlite:":
        return b"".join(file.read_bytes() for file in sorted(data.iterdir()))
    if url.startswith("postgresql"):
        connection = await asyncpg.connect(url)
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        rows = [row for (name,) in names for row in await connection.fetch(f"SELECT * FROM {name}")]
        await connection.close()
        return b"".join(value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row)
    return await redis_dump(url)


async def redis_dump(url: str) -> bytes:
    address = parse(url)
    host, port = address.hosts[0]
    client = RedisCluster(host=host, port=port) if address.kind == "cluster" else Redis(host=host, port=port)
    prefix = address.options["prefix"].encode()
    found = b""
    async for key in client.scan_iter(match=prefix + b":*"):
        kind = await client.type(key)
        read = {b"hash": client.hgetall, b"zset": lambda key: client.zrange(key, 0, -1), b"string": client.get}[kind]
        value = await read(key)
        parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value
        found += key + (b"".join(parts) if isinstance(parts, list) else parts)
    await client.aclose()
    return found


@pytest.mark.parametrize("store_url", ["sqlite:", "redis", "cluster", "postgresql"], indirect=True)
async def test_a_dump_is_of_no_use(store: SessionStore, store_url: str, tmp_path: Path, clock: MovedClock) -> None:
    """Neither session id, token, data, transaction nor key is in it, in any spelling; nor is its own key a cookie.

    The attempt to sign in is in no store: the browser keeps it, sealed. SQLite's files are read while they are in use.
    """
    ring = KeyRing.parse(generate())
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    session_id, session = await sessions.begin(ADA, tokens=TOKENS, due_at=clock() + HOUR, facts=FACTS)
    assert await sessions.save_tokens(session, TOKENS + b" renewed", version=1, due_at=clock() + HOUR)
    await sessions.change_data(session, {"basket": b'"the-basket"'})
    held = await sessions.tokens(session)
    assert held
    assert await sessions.want_step(session, held, Step(("User.Read",), '{"the-claims":1}'))
    await sessions.spend_once("the-transaction", lifetime=HOUR)
    lease = await store.take_lease(b"renewal:" + session.key, holder=b"the-holder", lifetime=HOUR)
    assert lease
    found = await dump(store_url, tmp_path / "data")
    assert ADA.object_id, "the dump is the one that is written to"
    assert (ADA.object_id or "").encode() in found
    raw = base64.urlsafe_b64decode(session_id + "=")
    tokens = (b"the-refresh-token", b"the-access-token", b" renewed", b"the-claims", b"the-basket")
    secrets = (session_id.encode(), raw, *tokens, b"the-transaction")
    for hidden in (*secrets, ring.active.secret):
        for spelt in (hidden, base64.b64encode(hidden).rstrip(b"="), hidden.hex().encode()):
            assert spelt not in found
    assert b"Firefox" in found, "where a session was begun is no secret, and the dump shows that it was written"
    for cookie in (base64.urlsafe_b64encode(session.key).decode().rstrip("="), session.key.hex()):
        assert await sessions.load(cookie) is None
