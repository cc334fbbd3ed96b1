"""One piece of work for each key at a time in this process, and its outcome for all who asked meanwhile.

The work belongs to nobody's request: a browser that goes away ends its own waiting, not the work.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flights(Generic[T]):
    """The work that is going on."""

    def __init__(self) -> None:
        self._flying: dict[object, asyncio.Task[T]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._flying

    async def join(self, key: object, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what `work` returns, or raise what it raises; joined when it is going on for this key already."""
        task = self._flying.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(work())
            self._flying[key] = task
            task.add_done_callback(partial(self._landed, key))
        return await asyncio.shield(task)

    async def land(self, *, within: float) -> None:
        """Wait until all work is done, but no longer than so many seconds; then end what is left."""
        if not self._flying:
            return
        _, late = await asyncio.wait(list(self._flying.values()), timeout=within)
        for task in late:
            task.cancel()
        if late:
            with suppress(asyncio.CancelledError):
                await asyncio.wait(late)

    def _landed(self, key: object, task: "asyncio.Task[T]") -> None:
        del self._flying[key]
        if not task.cancelled():
            task.exception()  # looked at: whoever waited has got it, and perhaps nobody did
