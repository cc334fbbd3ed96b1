"""What goes on beside the requests: sweeping what is dead, and taking up new keys."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from entrada.errors import SettingsRefused, Unavailable
from entrada.keyring import KeyRing
from entrada.logs import log
from entrada.sessions.keyfile import KeyFile
from entrada.sessions.lifecycle import Sessions

SWEEP_EVERY = timedelta(minutes=5)  # what is dead is refused at once anyway; this only gives the room back
READ_KEYS_EVERY = timedelta(seconds=1)  # one look at a file; `entrada keys rotate` lets a key wait for a minute
BATCH = 500  # rows at a time, so that no request waits long behind a sweep


@asynccontextmanager
async def sweeping(sessions: Sessions, *, every: timedelta = SWEEP_EVERY) -> AsyncIterator[None]:
    """Delete expired sessions and spent attempts now and then, as long as the block lasts."""
    task = asyncio.get_running_loop().create_task(_sweep(sessions, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _sweep(sessions: Sessions, every: timedelta) -> None:
    while True:
        try:
            while await sessions.sweep(limit=BATCH) >= BATCH:
                pass
        except Unavailable as error:
            log.warning("not_swept", reason=str(error))
        await asyncio.sleep(every.total_seconds())


@asynccontextmanager
async def watching_keys(
    file: KeyFile | None, use: Callable[[KeyRing], None], *, every: timedelta = READ_KEYS_EVERY
) -> AsyncIterator[None]:
    """Take up the ring of the file whenever it changes, as long as the block lasts."""
    if file is None:
        yield
        return
    task = asyncio.get_running_loop().create_task(_watch(file, use, every))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _watch(file: KeyFile, use: Callable[[KeyRing], None], every: timedelta) -> None:
    while True:
        await asyncio.sleep(every.total_seconds())
        try:
            ring = file.changed()
        except SettingsRefused as refused:
            log.error("keys_not_taken_up", reason=str(refused))  # the ring that we have goes on serving (REL-076)
            continue
        if ring:
            use(ring)
            log.info("keys_taken_up", active=ring.active.id, keys=len(ring.keys))
