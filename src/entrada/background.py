"""What goes on beside the requests: tokens are renewed ahead of time, what is dead is swept, keys are taken up.

Each worker has the same chores. A lease lets one worker at a time do each; when that one is gone, the next takes over.
"""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

from entrada.errors import SettingsRefused, StoreUnavailable, Unavailable
from entrada.keyring import KeyRing
from entrada.logs import log
from entrada.meters import Counts
from entrada.sessions.ended import EndedSessions
from entrada.sessions.keyfile import KeyFile
from entrada.sessions.leases import Leases
from entrada.sessions.lifecycle import Sessions

SWEEP_EVERY = timedelta(minutes=5)  # what is dead is refused at once anyway; this only gives the room back
READ_ENDS_EVERY = timedelta(seconds=0.5)  # an end is known everywhere within a second, though the store forgot it
READ_KEYS_EVERY = timedelta(seconds=1)  # one look at a file; `entrada keys rotate` lets a key wait for a minute
BATCH = 500  # rows at a time, so that no request waits long behind a sweep
FIRST_PAUSE = 1.0  # seconds after a chore failed; doubled while it goes on failing
LONGEST_PAUSE = 300.0
MOST_DOUBLINGS = 16


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done now and then. `once` must bear to be cancelled, and to run in several workers at a time."""

    name: str
    every: timedelta
    once: Callable[[], Awaitable[None]]


class Chores:
    """Does chores as long as the application runs. One that fails is logged and tried again, later and later."""

    def __init__(self, chores: Sequence[Chore], *, chance: Callable[[], float]) -> None:
        self._chores = tuple(chores)
        self._chance = chance
        self._failing: set[str] = set()
        self.begun = False
        """Whether the application has ever been started: by its life span, which begins them."""
        self.names = tuple(chore.name for chore in chores)
        """What they are called."""
        self.done, self.failed = Counts(self.names), Counts(self.names)
        """How often each was done, and how often that failed."""

    @property
    def failing(self) -> tuple[str, ...]:
        """The names of those that failed when they were last done, in order."""
        return tuple(sorted(self._failing))

    def note(self, name: str, *, failing: bool) -> None:
        """Let `failing` name other work in the background too, or no longer."""
        (self._failing.add if failing else self._failing.discard)(name)

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Do them, each in a task of its own, while the block lasts."""
        self.begun = True
        tasks = [asyncio.get_running_loop().create_task(self._keep_up(chore)) for chore in self._chores]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_up(self, chore: Chore) -> None:
        failures = 0
        while True:
            await asyncio.sleep(self._pause(chore, failures=failures))
            failures = 0 if await self._done(chore) else failures + 1

    async def _done(self, chore: Chore) -> bool:
        try:
            await chore.once()
        except Unavailable as error:
            log.warning("chore_put_off", chore=chore.name, reason=str(error))
        except Exception:
            log.exception("chore_failed", chore=chore.name)
        else:
            self._failing.discard(chore.name)
            self.done.add(chore.name)
            return True
        self._failing.add(chore.name)
        self.failed.add(chore.name)
        return False

    def _pause(self, chore: Chore, *, failures: int) -> float:
        """Return the seconds to wait: workers that were started together do not go on together."""
        spread = 0.75 + self._chance() / 2
        if not failures:
            return chore.every.total_seconds() * spread
        return min(math.ldexp(FIRST_PAUSE, min(failures - 1, MOST_DOUBLINGS)), LONGEST_PAUSE) * spread


async def sweep(sessions: Sessions, leases: Leases) -> None:
    """Delete all that has expired, in batches, unless another worker is at it."""
    async with leases.taken(b"chore:sweep") as lease:
        while lease and await lease.is_ours() and await sessions.sweep(limit=BATCH) >= BATCH:
            pass


@asynccontextmanager
async def watching_ends(ended: EndedSessions | None, *, every: timedelta = READ_ENDS_EVERY) -> AsyncIterator[None]:
    """Know of each end that any worker has noted, as long as the block lasts; begin with all that there are."""
    if ended is None:
        yield
        return
    told = await _read_ends(ended, told=False)
    task = asyncio.get_running_loop().create_task(_keep_reading(ended, every, told))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _keep_reading(ended: EndedSessions, every: timedelta, told: bool) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        told = await _read_ends(ended, told=told)


async def _read_ends(ended: EndedSessions, *, told: bool) -> bool:
    """Read once; return whether it could not be done. That is told once, and not each half second."""
    try:
        await ended.refresh()
    except StoreUnavailable as error:
        if not told:
            log.warning("ends_not_read", reason=str(error))
        return True
    except Exception:  # whatever it is, what is noted from now on must be read all the same (REL-038)
        if not told:
            log.exception("ends_not_read")
        return True
    return False


@asynccontextmanager
async def watching_keys(
    file: KeyFile | None, use: Callable[[KeyRing], None], *, chores: Chores, every: timedelta = READ_KEYS_EVERY
) -> AsyncIterator[None]:
    """Take up the ring of the file whenever it changes, as long as the block lasts; `chores` says when that fails."""
    if file is None:
        yield
        return
    task = asyncio.get_running_loop().create_task(_watch(file, use, chores, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(file: KeyFile, use: Callable[[KeyRing], None], chores: Chores, every: timedelta) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            ring = file.changed()
            if ring is None:
                continue
            use(ring)
        except SettingsRefused as refused:
            log.error("keys_not_taken_up", reason=str(refused))  # the ring that we have goes on serving (REL-076)
            chores.note("keys", failing=True)
        except Exception:
            log.exception("chore_failed", chore="keys")
            chores.note("keys", failing=True)
        else:
            log.info("keys_taken_up", active=ring.active.id, keys=len(ring.keys))
            chores.note("keys", failing=False)
