"""What goes on beside the requests: sweeping what is dead."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from entrada.errors import Unavailable
from entrada.logs import log
from entrada.sessions.lifecycle import Sessions

SWEEP_EVERY = timedelta(minutes=5)  # what is dead is refused at once anyway; this only gives the room back
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
