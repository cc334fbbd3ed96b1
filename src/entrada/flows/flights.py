"""One piece of work for each key at a time in this process, and its outcome for all who asked meanwhile.

The work belongs to nobody's request: a browser that goes away ends its own waiting, not the work.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
class _Flight(Generic[T]):
    """The work, and what those who wait for it now are told: its outcome, unless that takes too long."""

    task: "asyncio.Task[T]"
    told: "asyncio.Future[T]"


class Flights(Generic[T]):
    """The work that is going on."""

    def __init__(self) -> None:
        self._flying: dict[object, _Flight[T]] = {}

    def __contains__(self, key: object) -> bool:
        return key in self._flying

    async def join(self, key: object, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Return what `work` returns, or raise what it raises; joined when it is going on for this key already."""
        loop = asyncio.get_running_loop()
        flight = self._flying.get(key)
        if flight is None:
            flight = self._flying[key] = _Flight(loop.create_task(work()), loop.create_future())
            flight.task.add_done_callback(partial(self._landed, key))
        elif flight.told.done():
            flight.told = loop.create_future()
        return await asyncio.shield(flight.told)

    def excuse(self, error: Exception) -> None:
        """Send those away who wait for the work that calls this; it goes on, for whoever joins from now on."""
        for flight in self._flying.values():
            if flight.task is asyncio.current_task() and not flight.told.done():
                flight.told.set_exception(error)
                flight.told.exception()

    async def land(self, *, within: float) -> None:
        """Wait until all work is done, but no longer than so many seconds; then end what is left."""
        if not self._flying:
            return
        _, late = await asyncio.wait([flight.task for flight in self._flying.values()], timeout=within)
        for task in late:
            task.cancel()
        if late:
            with suppress(asyncio.CancelledError):
                await asyncio.wait(late)

    def _landed(self, key: object, task: "asyncio.Task[T]") -> None:
        told = self._flying.pop(key).told
        if task.cancelled():
            told.cancel()
        elif error := task.exception():
            if not told.done():
                told.set_exception(error)
                told.exception()  # looked at: whoever waits gets it, and perhaps nobody does
        elif not told.done():
            told.set_result(task.result())
