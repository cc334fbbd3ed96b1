"""The writer of the log: whatever comes while one commit is under way goes into the next one, all of it at once."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from entrada.audit.appending import Written, append, was_written
from entrada.audit.chain import ChainKeys
from entrada.clock import Clock
from entrada.errors import StoreUnavailable
from entrada.events import Event
from entrada.keyring import KeyRing
from entrada.logs import log
from entrada.users.database import Database

AT_ONCE = 500  # events of one commit
MOST_WAITING = 10_000  # events, a few MB, that wait for a database that does not answer
FIRST_PAUSE = 0.1  # seconds until a database that failed is asked again; doubled up to
LONGEST_PAUSE = 5.0
FAREWELL = 5.0  # seconds that a process which stops waits for its last rows


@dataclass(slots=True)
class _Waiting:
    event: Event
    required: bool
    """Whether it is given up when it cannot be written now: what it tells of does not happen then."""
    done: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class AuditTrail:
    """Writes events into the log of one users' database."""

    def __init__(self, database: Database, ring: KeyRing, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._queue: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._attempt: Written | None = None
        self._doubtful: tuple[Written, Sequence[_Waiting]] | None = None
        self.lost = 0
        """How many events found no room since the last one that was written."""
        self.ever_lost = 0
        """How many were lost since the start."""
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Sign with this ring's active key from now on."""
        self.keys = ChainKeys(ring)

    @property
    def oldest(self) -> datetime | None:
        """When the event happened that has waited longest to be written; None when none waits."""
        batch = self._doubtful[1] if self._doubtful else self._queue
        return batch[0].event.at if batch else None

    @property
    def waiting(self) -> int:
        """How many events are not written yet."""
        return len(self._queue) + (len(self._doubtful[1]) if self._doubtful else 0)

    async def require(self, event: Event) -> None:
        """Return once the event is written for good; StoreUnavailable when it is not and will not be."""
        await self._put(event, required=True)

    async def record(self, event: Event, *, patience: float) -> bool:
        """Write the event, now or when the database answers again; say whether it was done within `patience` seconds.

        When too many wait already, this one is lost: that is counted, said in the log, and a row of its own later.
        """
        with suppress(TimeoutError, StoreUnavailable):
            await asyncio.wait_for(asyncio.shield(self._put(event, required=False)), patience)
            return True
        return False

    async def append(self, connection: AsyncConnection, events: Sequence[Event]) -> None:
        """Write events together with what else this unit of work does: both or neither."""
        await connection.run_sync(append, events, keys=self.keys)

    async def aclose(self) -> None:
        """Write what still waits, as far as the database lets us within five seconds."""
        if self._writer is None:
            return
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._writer, FAREWELL)
        if self.waiting:
            log.error("audit_entries_lost", entries=self.waiting)

    def _put(self, event: Event, *, required: bool) -> "asyncio.Future[None]":
        waiting = _Waiting(event, required)
        if len(self._queue) >= MOST_WAITING:
            self._lose(waiting)
            return waiting.done
        self._queue.append(waiting)
        if self._writer is None or self._writer.done():
            self._writer = asyncio.get_running_loop().create_task(self._write_all())
        return waiting.done

    def _lose(self, waiting: _Waiting) -> None:
        waiting.done.set_exception(StoreUnavailable("too many entries of the audit log wait for the database"))
        if not waiting.required:
            self.lost += 1
            self.ever_lost += 1
            event = waiting.event
            log.error("audit_entry_lost", action=event.name, user_key=event.user_key, reason=event.reason)

    async def _write_all(self) -> None:
        pause = FIRST_PAUSE
        while self._queue or self._doubtful:
            try:
                await self._clear_up()
                await self._write_some()
                pause = FIRST_PAUSE
            except StoreUnavailable as error:
                log.warning("audit_log_not_written", entries=len(self._queue), reason=str(error))
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _clear_up(self) -> None:
        """Find out about a commit whose answer was lost, so that nothing is written twice or not at all."""
        if self._doubtful is None:
            return
        written, batch = self._doubtful
        async with self._database.unit_of_work(read_only=True) as connection:
            came_through = await connection.run_sync(was_written, written)
        self._doubtful = None
        if came_through:
            _settle(batch, None)
        else:
            self._queue.extendleft(reversed(batch))

    async def _write_some(self) -> None:
        batch = [self._queue.popleft() for _ in range(min(AT_ONCE, len(self._queue)))]
        if not batch:
            return
        try:
            await self._write([waiting.event for waiting in batch])
        except StoreUnavailable as error:
            self._put_back(batch, error)
            raise
        except asyncio.CancelledError:
            self._queue.extendleft(reversed(batch))
            raise
        except Exception as error:
            log.exception("audit_entries_lost", entries=len(batch))
            self.lost += len(batch)
            self.ever_lost += len(batch)
            _settle(batch, StoreUnavailable(f"the audit log: {type(error).__name__}"))
        else:
            _settle(batch, None)

    async def _write(self, events: list[Event]) -> None:
        lost, self._attempt = self.lost, None
        if lost:
            events.append(Event("audit_gap", at=self._clock(), reason="lost", details={"entries": lost}))

        def work(connection: Connection) -> None:
            self._attempt = append(connection, events, keys=self.keys)

        await self._database.run_at_once(work)
        self.lost -= lost

    def _put_back(self, batch: Sequence[_Waiting], error: StoreUnavailable) -> None:
        """Keep what can wait, in its order; give up what its doer waits for."""
        kept = [waiting for waiting in batch if not waiting.required]
        if self._attempt is None:
            self._queue.extendleft(reversed(kept))
        elif kept:
            self._doubtful = self._attempt, kept
        _settle([waiting for waiting in batch if waiting.required], error)


def _settle(batch: Sequence[_Waiting], error: Exception | None) -> None:
    for waiting in batch:
        if waiting.done.done():
            continue
        if error is None:
            waiting.done.set_result(None)
        else:
            waiting.done.set_exception(error)
            waiting.done.exception()  # whoever went away does not have it told as never looked at
