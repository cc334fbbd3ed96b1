"""Records as they were read from Redis, kept for as long as it is known that nobody has changed them.

On a line of our own Redis tells which of the keys read there have changed (client tracking). It may also fall silent:
ten times a second it is asked for something that only a primary that takes writes does, and what is kept is used only
while an answer shows that all changes until 0.4 s ago have been heard of. Otherwise each look-up asks, as without.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence
from contextvars import Context
from typing import Any

from hiredis import ReplyError
from redis.exceptions import RedisError

from entrada.errors import StoreUnavailable
from entrada.logs import log
from entrada.sessions.stores.redis_line import Line, LineLost, LineRefused, Lines, Place
from entrada.sessions.stores.redis_parts import unpacked
from entrada.sessions.stores.redis_servers import RedisServers
from entrada.sessions.stores.store import Stored

MOST_KEPT = 4096  # records of about 600 bytes
BEAT = 0.1  # seconds between two questions
TRUE_FOR = 0.4  # seconds from a question that was answered
MOST_OWED = 4  # answers; a line that owes more is opened anew
OPENING = 1.0  # seconds to connect, sign in and see a change told
PAUSE = 0.5  # seconds before a lost line is opened anew
LONG_PAUSE = 30.0  # seconds before a server is asked again that does not tell of changes
PASSING = frozenset({"LOADING", "BUSY", "MASTERDOWN", "READONLY", "NOREPLICAS", "MISCONF", "OOM"})
"""Errors of a server that will do it later."""


class KeptRecords:
    """What one worker has read of one Redis, and the line that tells what of it is still true."""

    def __init__(self, servers: RedisServers, lines: Lines, *, prefix: bytes) -> None:
        """Connect to nothing yet; `prefix` is before everything that is ours in this Redis."""
        self._servers, self._lines = servers, lines
        self._session, self._beat, self._probe = prefix + b"session:", prefix + b"beat", prefix + b"probe:"
        self._records: dict[bytes, Stored] = {}
        self._true_until = 0.0
        self._own_writes = 0
        self._line: Line | None = None
        self._told: dict[bytes, asyncio.Event] = {}
        self._task: asyncio.Task[None] | None = None
        self._refused = False

    def get(self, key: bytes) -> Stored | None:
        """Return the record as it is, or was until 0.4 s ago at most; None when Redis must be asked."""
        return self._records.get(key) if time.monotonic() < self._true_until else None

    @property
    def reading(self) -> bool:
        """Whether `read` can be called. The first time this is asked a line is opened, for later."""
        if self._task is None:
            # in a context of its own: not this request's, whose number its log lines would bear
            self._task = asyncio.get_running_loop().create_task(self._watch(), context=Context())
        return time.monotonic() < self._true_until

    async def read(self, key: bytes) -> Stored | None:
        """Read a record on the line, and keep it; LineLost when Redis must be asked otherwise."""
        found: asyncio.Future[Stored | None] = asyncio.get_running_loop().create_future()
        own_writes = self._own_writes

        def answered(answer: Any) -> None:
            """Keep it before the next word on the line is heard, which may be that it has changed."""
            if isinstance(answer, Exception):
                _settle(found, LineLost())
                return
            try:
                stored = None if answer is None else unpacked(answer)
            except StoreUnavailable as error:
                _settle(found, error)
                return
            if stored and own_writes == self._own_writes:
                self._keep(key, stored)
            _settle(found, stored)

        if self._line is None:
            raise LineLost
        self._line.send("HGET", self._session + key.hex().encode(), "r", answered=answered)
        return await found

    def forget(self, *keys: bytes) -> None:
        """Forget what this worker has itself written: an answer that is still on its way may be from before."""
        self._own_writes += 1
        for key in keys:
            self._records.pop(key, None)

    async def close(self) -> None:
        """Let go of the line."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._lost()

    async def _watch(self) -> None:
        """Have a line whenever there can be one."""
        while True:
            line = Line(changed=self._changed, lost=self._lost)
            pause = PAUSE
            try:
                async with asyncio.timeout(OPENING):
                    place = await self._open(line)
                _leave_if_cancelled()
                self._line, self._refused = line, False
                await self._keep_proving(line, place)
            except LineRefused as refused:
                if str(refused) not in PASSING:
                    pause = LONG_PAUSE
                    self._say_once(str(refused))
            except (OSError, LineLost, RedisError, StoreUnavailable):  # TimeoutError is an OSError
                pass
            finally:
                self._line = None
                line.give_up()
            _leave_if_cancelled()
            await asyncio.sleep(pause)

    async def _open(self, line: Line) -> Place:
        """Open the line to where the commands go, and see that a change made there is told here."""
        place = await self._servers.primary()
        await self._lines.open(place, line)
        probe = self._probe + secrets.token_hex(8).encode()
        told = self._told[probe] = asyncio.Event()
        try:
            await line.ask("GET", probe)
            await self._servers.run(lambda client: client.set(probe, b"1", px=1000))
            async with asyncio.timeout(OPENING / 2):
                await told.wait()
        except TimeoutError:
            raise LineRefused("SILENT") from None
        finally:
            del self._told[probe]
        return place

    async def _keep_proving(self, line: Line, place: Place) -> None:
        """Ask again and again, until an answer is owed for too long, or the commands go elsewhere."""
        owed = 0

        def ask() -> None:
            asked_at = time.monotonic()

            def answered(answer: Any) -> None:
                nonlocal owed
                owed -= 1
                if isinstance(answer, ReplyError):
                    line.give_up()
                elif line is self._line and not isinstance(answer, LineLost):
                    self._true_until = asked_at + TRUE_FOR

            # of a key that is never there: nothing is done, but a replica, or who lost its replicas, refuses
            line.send("DEL", self._beat, answered=answered)

        while line.open and owed <= MOST_OWED and not self._servers.moved(place):
            owed += 1
            ask()
            await asyncio.sleep(BEAT)

    def _keep(self, key: bytes, stored: Stored) -> None:
        if len(self._records) >= MOST_KEPT:
            del self._records[next(iter(self._records))]
        self._records[key] = stored

    def _changed(self, names: Sequence[bytes] | None) -> None:
        """Forget what Redis says has changed: these keys, or all of them."""
        if names is None:
            self._records.clear()
            return
        for name in names:
            if name in self._told:
                self._told[name].set()
            elif name.startswith(self._session):
                self._records.pop(bytes.fromhex(name[len(self._session) :].decode()), None)

    def _lost(self) -> None:
        self._true_until = 0.0
        self._records.clear()

    def _say_once(self, reason: str) -> None:
        if not self._refused:
            mend = "Redis 6 or later, and a user that may use HELLO and CLIENT TRACKING; without, each look-up asks"
            log.warning("sessions_not_kept", reason=reason, mend=mend)
        self._refused = True


def _leave_if_cancelled() -> None:
    """Leave though redis-py may have swallowed the word, as `asyncio.wait_for` does before Python 3.12."""
    task = asyncio.current_task()
    if task and task.cancelling():
        raise asyncio.CancelledError


def _settle(found: "asyncio.Future[Stored | None]", answer: Stored | StoreUnavailable | LineLost | None) -> None:
    if found.done():  # whoever asked has gone
        return
    if isinstance(answer, Exception):
        found.set_exception(answer)
    else:
        found.set_result(answer)
