"""Work beside the requests that nobody waits for: so many pieces at a time, and so many in waiting."""

import asyncio
from collections.abc import Awaitable, Callable

from entrada.logs import log


class Errands:
    """Does one kind of work. `at_the_end` is how many seconds a stopping application waits for what is under way."""

    def __init__(self, name: str, *, at_once: int, most_waiting: int, at_the_end: float) -> None:
        self._name = name
        self._places = asyncio.Semaphore(at_once)
        self._most_waiting = most_waiting
        self._at_the_end = at_the_end
        self._under_way: set[asyncio.Task[None]] = set()

    def begin(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Have this done; False when too much is waiting already, and then it is not done."""
        if len(self._under_way) >= self._most_waiting:
            return False
        task = asyncio.get_running_loop().create_task(self._do(work))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return True

    async def aclose(self) -> None:
        """Let what is under way end, or stop it."""
        if not self._under_way:
            return
        _, late = await asyncio.wait(self._under_way, timeout=self._at_the_end)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _do(self, work: Callable[[], Awaitable[None]]) -> None:
        async with self._places:
            try:
                await work()
            except Exception:
                log.exception("errand_failed", errand=self._name)
