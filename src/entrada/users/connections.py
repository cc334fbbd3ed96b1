"""The connections of one engine, each opened to its end, whoever goes away meanwhile."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine


class Connections:
    """Gives connections. SQLAlchemy forgets one whose opening is cancelled, and it is open until it is collected."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._left = set[asyncio.Task[None]]()  # they open what nobody waits for any more, and close it

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncConnection]:
        """Have one for the block."""
        connection = self._engine.connect()
        opening = asyncio.create_task(connection.start())
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._leave(opening)
            raise
        async with AsyncExitStack() as stack:
            stack.push_async_exit(connection)
            yield connection

    async def close(self) -> None:
        """Let go of them all."""
        await asyncio.gather(*self._left)
        await self._engine.dispose()

    def _leave(self, opening: asyncio.Task[AsyncConnection]) -> None:
        task = asyncio.create_task(_closed(opening))
        self._left.add(task)
        task.add_done_callback(self._left.discard)


async def _closed(opening: asyncio.Task[AsyncConnection]) -> None:
    with suppress(SQLAlchemyError, OSError):
        await (await opening).close()
