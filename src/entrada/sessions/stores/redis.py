"""Sessions in Redis or Valkey, for workers on any number of machines.

Every key expires by itself. What Redis cannot do in one step over several keys is done in the order that is safe when
it is cut short: a list names a session before it is there and until after it has gone, and every reader looks.
"""

import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.logs import log
from entrada.sessions.ended import EndedSessions
from entrada.sessions.stores import redis_scripts as scripts
from entrada.sessions.stores.redis_kept import KeptRecords
from entrada.sessions.stores.redis_line import LineLost, Lines
from entrada.sessions.stores.redis_parts import packed, unpacked
from entrada.sessions.stores.redis_servers import PATIENCE, RedisServers, Script
from entrada.sessions.stores.store import CLOCK_SLACK, Index, Resealed, Stored
from entrada.store_url import StoreUrl

LIST_GRACE = timedelta(days=1)  # a list outlives its sessions: a touch that is cut short must not lose one from it
DUE_LIFE = timedelta(days=90)
BATCH = 200
INSERT, REPLACE, REPLACE_TOKENS = (
    Script(scripts.INSERT),
    Script(scripts.REPLACE),
    Script(scripts.REPLACE_TOKENS),
)
INDEX, SPEND = Script(scripts.INDEX), Script(scripts.SPEND)
TAKE_LEASE, EXTEND_LEASE, DROP_LEASE = (
    Script(scripts.TAKE_LEASE),
    Script(scripts.EXTEND_LEASE),
    Script(scripts.DROP_LEASE),
)


class RedisStore:
    """A SessionStore in Redis. What it has acknowledged is as safe as that Redis keeps it; but an end stays an end."""

    def __init__(
        self, url: StoreUrl, *, clock: Clock, ended: EndedSessions | None = None, patience: float = PATIENCE
    ) -> None:
        """Connect to nothing yet; without `ended`, an end that Redis loses is no end.

        `patience` is how many seconds a call waits for the servers, whatever becomes of them meanwhile.
        """
        self._servers = RedisServers(url, patience=patience)
        self._clock = clock
        self._ended = ended
        prefix = url.options.get("prefix", "entrada").encode() + b":"
        self._session, self._user, self._sid = prefix + b"session:", prefix + b"user:", prefix + b"sid:"
        self._kept = None if url.kind == "cluster" else KeptRecords(self._servers, Lines(url), prefix=prefix)
        self._spent, self._lease, self._due = prefix + b"spent:", prefix + b"lease:", prefix + b"due"

    async def prepare(self) -> None:
        """Look at the servers; SettingsRefused when they may throw sessions away."""
        await self._servers.prepare()

    async def get(self, key: bytes) -> Stored | None:
        """Return the record, or None when there is none; what nobody has changed is not read again."""
        if self._ended and self._ended.has(key):
            return None
        if self._kept and (kept := self._kept.get(key)):
            return kept
        return await self._servers.run(lambda client: self._read(client, key))

    async def get_tokens(self, key: bytes) -> Stored | None:
        """Return the tokens of a session that is there and has not expired."""
        if self._ended and self._ended.has(key):
            return None
        name = self._session + key.hex().encode()
        held, ends = await self._servers.run(lambda client: client.hmget(name, "t", "e"))
        return unpacked(held) if self._living(ends) else None

    async def insert(
        self,
        key: bytes,
        *,
        record: bytes,
        tokens: bytes,
        expires_at: datetime,
        index: Index,
        replacing: Sequence[bytes] = (),
    ) -> None:
        """Let the lists name the session, add it with both parts at version 1, and then delete those it replaces.

        In this order, for a full server refuses what is new and goes on deleting.
        """
        await self._servers.each(self._entries(key, index.user, index.sid or b"", expires_at))
        await self._servers.script(
            INSERT,
            self._session + key.hex().encode(),
            packed(record, 1),
            packed(tokens, 1),
            expires_at.timestamp(),
            index.user,
            index.sid or b"",
            self._left(expires_at),
        )
        if index.due_at:
            await self._let_be_due(key, index.due_at)
        await self.delete(replacing)

    async def replace(self, key: bytes, *, record: bytes, version: int, expires_at: datetime) -> bool:
        """Put a new record in place of `version`; False when that is not the present one."""
        times = self._now(), expires_at.timestamp(), self._left(expires_at)
        values = version.to_bytes(8, "big"), packed(record, version + 1), *times
        with self._writing(key):
            found_by = await self._servers.script(REPLACE, self._session + key.hex().encode(), *values)
        if found_by is None:
            return False
        user, sid = found_by
        await self._servers.each(self._entries(key, user, sid, expires_at))
        return True

    async def replace_tokens(self, key: bytes, *, tokens: bytes, version: int, due_at: datetime | None) -> bool:
        """Put new tokens in place of `version`; False when that is not the present one."""
        values = (version.to_bytes(8, "big"), packed(tokens, version + 1), self._now())
        if not await self._servers.script(REPLACE_TOKENS, self._session + key.hex().encode(), *values):
            return False
        try:
            await self._let_be_due(key, due_at)
        except StoreUnavailable as error:  # the tokens are stored, and that is what counts: one look too many at worst
            log.warning("due_not_moved", reason=str(error))
        return True

    async def reseal(self, rows: Sequence[Resealed]) -> None:
        """Put these parts in place of those of the same versions."""
        parts = [(row.key, name, part) for row in rows for name, part in (("r", row.record), ("t", row.tokens)) if part]
        with self._writing(*(row.key for row in rows)):
            await self._servers.each(
                [
                    ("EVAL", scripts.RESEAL, 1, self._session + key.hex().encode(), name, packed(*part))
                    for key, name, part in parts
                ]
            )

    async def delete(self, keys: Sequence[bytes]) -> None:
        """Delete these sessions, both parts, note their end, and take their names from the lists."""
        names = [self._session + key.hex().encode() for key in keys]
        before = await self._fields(keys, "u", "s", "e")
        with self._writing(*keys):
            deleted = await self._servers.each([("EVAL", scripts.DELETE, 1, name) for name in names])
        # asked once more after a lost answer, Redis says that there was nothing
        found = [now if now[2] else then for then, now in zip(before, deleted, strict=True)]
        if self._ended:
            ends = {key: _time(ends) for key, (_, _, ends) in zip(keys, found, strict=True) if ends}
            await self._ended.note(ends)
        await self._servers.each(
            [
                ("ZREM", list_name, key)
                for key, (user, sid, _) in zip(keys, found, strict=True)
                for list_name in (*self._lists(user, sid), self._due)
            ]
        )

    async def index(self, indexes: Mapping[bytes, Index]) -> None:
        """Let these sessions be found by this."""
        for key, index in indexes.items():
            values = (index.user, index.sid or b"")
            held = await self._servers.script(INDEX, self._session + key.hex().encode(), *values)
            if held is None:
                continue
            ends = datetime.fromtimestamp(float(held[2]), self._clock().tzinfo)
            stale = set(self._lists(held[0], held[1])) - set(self._lists(*values))
            await self._servers.each(self._entries(key, *values, expires_at=ends))
            await self._servers.each([("ZREM", name, key) for name in stale])
            await self._let_be_due(key, index.due_at)

    async def by_user(self, user: bytes, *, limit: int) -> list[tuple[bytes, Stored]]:
        """Return key and record of at most `limit` living sessions of this user."""
        found: list[tuple[bytes, Stored]] = []
        start = 0
        while keys := await self._named(self._user + user.hex().encode(), start):
            rows = zip(keys, await self._fields(keys, "r", "e", "u"), strict=True)
            found += [(key, unpacked(r)) for key, (r, ends, of) in rows if of == user and self._there(key, ends)]
            if len(found) >= limit:
                break
            start += len(keys)
        return found[:limit]

    async def by_sid(self, sid: bytes) -> list[bytes]:
        """Return the keys of the living sessions of this `sid`."""
        found: list[bytes] = []
        start = 0
        while keys := await self._named(self._sid + sid.hex().encode(), start):
            rows = zip(keys, await self._fields(keys, "e", "s"), strict=True)
            found += [key for key, (ends, of) in rows if of == sid and self._there(key, ends)]
            start += len(keys)
        return found

    async def due(self, *, before: datetime, limit: int) -> list[bytes]:
        """Return the keys of at most `limit` living sessions due before then, soonest first; forget what has ended."""
        found: list[bytes] = []
        until = f"({before.timestamp()}"
        while len(found) < limit:
            asked = ("ZRANGEBYSCORE", self._due, "-inf", until, "LIMIT", len(found), max(limit - len(found), BATCH))
            keys = await self._asked(*asked)
            if not keys:
                break
            rows = list(zip(keys, await self._fields(keys, "e"), strict=True))
            dead = [key for key, (ends,) in rows if not self._there(key, ends)]
            found += [key for key, (ends,) in rows if self._there(key, ends)]
            await self._servers.each([("ZREM", self._due, *dead)] if dead else [])
        return found[:limit]

    async def postpone(self, key: bytes, *, due_at: datetime | None) -> None:
        """Let a session that is there be due then."""
        (ends,) = (await self._fields([key], "e"))[0]
        if self._living(ends):
            await self._let_be_due(key, due_at)

    async def take_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> int | None:
        """Hold `name` alone for `lifetime` by the server's clock; None when somebody else does."""
        key, values = self._lease + name.hex().encode(), (holder, _ms(lifetime), _ms(lifetime + LIST_GRACE))
        fence = await self._servers.script(TAKE_LEASE, key, *values, _ms(CLOCK_SLACK))
        return None if fence is None else int(fence)

    async def extend_lease(self, name: bytes, *, holder: bytes, lifetime: timedelta) -> bool:
        """Hold it for `lifetime` from now; False when it was lost."""
        key, values = self._lease + name.hex().encode(), (holder, _ms(lifetime), _ms(lifetime + LIST_GRACE))
        return bool(await self._servers.script(EXTEND_LEASE, key, *values))

    async def drop_lease(self, name: bytes, *, holder: bytes) -> None:
        """Let go of a lease, if this holder has it; its fence is remembered for a day."""
        await self._servers.script(DROP_LEASE, self._lease + name.hex().encode(), holder)

    async def add_if_absent(self, key: bytes, *, lifetime: timedelta) -> bool:
        """Remember `key` for `lifetime`; True for exactly one caller, on whichever worker, until it is forgotten."""
        until = (self._clock() + lifetime).timestamp()
        values = (self._now(), until, secrets.token_hex(8), _ms(lifetime))
        return bool(await self._servers.script(SPEND, self._spent + key.hex().encode(), *values))

    async def delete_expired(self, *, limit: int) -> int:  # noqa: ARG002 the protocol's
        """Nothing is left to do: Redis forgets what has expired."""
        return 0

    async def scan(self) -> AsyncIterator[tuple[bytes, Stored, Stored]]:
        """Give key, record and tokens of each living session."""
        async with self._servers.everything(self._session + b"*") as names:
            batch: list[bytes] = []
            async for name in names:
                batch.append(bytes.fromhex(name.removeprefix(self._session).decode()))
                if len(batch) == BATCH:
                    for row in await self._whole(batch):
                        yield row
                    batch.clear()
            for row in await self._whole(batch):
                yield row

    async def close(self) -> None:
        """Let go of all connections."""
        if self._kept:
            await self._kept.close()
        await self._servers.close()

    async def _read(self, client: Any, key: bytes) -> Stored | None:
        if self._kept and self._kept.reading:
            try:
                return await self._kept.read(key)
            except LineLost:
                pass
        held = await client.hget(self._session + key.hex().encode(), "r")
        return None if held is None else unpacked(held)

    @contextmanager
    def _writing(self, *keys: bytes) -> Iterator[None]:
        """Forget what was read of these before the write is acknowledged, however it ends."""
        try:
            yield
        finally:
            if self._kept:
                self._kept.forget(*keys)

    async def _whole(self, keys: list[bytes]) -> list[tuple[bytes, Stored, Stored]]:
        rows = zip(keys, await self._fields(keys, "r", "t", "e"), strict=True)
        return [(key, unpacked(r), unpacked(t)) for key, (r, t, ends) in rows if self._living(ends)]

    async def _fields(self, keys: Sequence[bytes], *fields: str) -> list[Any]:
        return await self._servers.each([("HMGET", self._session + key.hex().encode(), *fields) for key in keys])

    async def _named(self, list_name: bytes, start: int) -> list[bytes]:
        """Return a batch of what a list names, the longest living first."""
        return await self._asked("ZREVRANGE", list_name, start, start + BATCH - 1)

    async def _asked(self, *command: Any) -> list[bytes]:
        keys: list[bytes] = await self._servers.run(lambda client: client.execute_command(*command))
        return keys

    def _lists(self, user: bytes | None, sid: bytes | None) -> list[bytes]:
        """Return the names of the lists that a session of these is in."""
        lists = [(self._user, user), (self._sid, sid)]
        return [prefix + found_by.hex().encode() for prefix, found_by in lists if found_by]

    def _entries(self, key: bytes, user: bytes, sid: bytes, expires_at: datetime) -> list[tuple[Any, ...]]:
        """Return the commands that let the lists name a session as long as it lives, and forget who died long ago."""
        values = expires_at.timestamp(), key, self._left(expires_at) + _ms(LIST_GRACE)
        forget = self._now(), LIST_GRACE.total_seconds()
        return [("EVAL", scripts.ENTER, 1, name, *values, *forget) for name in self._lists(user, sid)]

    async def _let_be_due(self, key: bytes, due_at: datetime | None) -> None:
        if due_at is None:
            await self._servers.each([("ZREM", self._due, key)])
        else:
            await self._servers.each([("EVAL", scripts.ENTER, 1, self._due, due_at.timestamp(), key, _ms(DUE_LIFE))])

    def _now(self) -> float:
        return self._clock().timestamp()

    def _left(self, expires_at: datetime) -> int:
        """Return how many milliseconds are left until then, at least one."""
        return max(1, _ms(expires_at - self._clock()))

    def _there(self, key: bytes, ends: bytes | None) -> bool:
        return self._living(ends) and not (self._ended and self._ended.has(key))

    def _living(self, ends: bytes | None) -> bool:
        try:
            return ends is not None and float(ends) > self._now()
        except ValueError:
            raise StoreUnavailable("session store: Redis: a value is not ours") from None


def _time(ends: bytes) -> datetime:
    return datetime.fromtimestamp(float(ends), UTC)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
