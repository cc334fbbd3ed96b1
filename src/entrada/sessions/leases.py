"""A lease: one holder of a name at a time, among all workers and hosts that share a store.

It ends by itself, so a worker that was killed holds nobody up for longer than its lifetime. A worker that was stopped
and goes on may believe in a lease that has passed on: what it then writes must be fenced, as tokens are by version.
"""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from entrada.errors import Unavailable
from entrada.sessions.stores.store import SessionStore

LIFETIME = timedelta(seconds=12)  # longer than the longest call to the authority, which is given up after ten (SEC-107)
HOLDER_BYTES = 16
NOTED_FOR = timedelta(seconds=30)  # longer than a callback: two calls to the authority at most, and the databases
NOBODY = b"note"


class Lease:
    """A name that is held. It extends itself as long as its holder's event loop turns."""

    def __init__(self, store: SessionStore, name: bytes, *, lifetime: timedelta) -> None:
        self._store = store
        self._name = name
        self._lifetime = lifetime
        self._holder = secrets.token_bytes(HOLDER_BYTES)
        self._sure_until = 0.0

    async def take(self) -> bool:
        """Take it; False when somebody else holds it."""
        asked = time.monotonic()
        fence = await self._store.take_lease(self._name, holder=self._holder, lifetime=self._lifetime)
        return self._held_since(asked) if fence is not None else False

    async def is_ours(self) -> bool:
        """Say whether it is still held; to be asked right before what must not be done twice.

        It costs nothing while it cannot have ended, by a clock that nobody sets.
        """
        return time.monotonic() < self._sure_until or await self._extend()

    async def keep(self) -> None:
        """Extend it again and again, until it is lost."""
        held = True
        while held:
            await asyncio.sleep(self._lifetime.total_seconds() / 3)
            with suppress(Unavailable):
                held = await self._extend()

    async def drop(self) -> None:
        """Let go of it, unless it has passed on."""
        with suppress(Unavailable):  # then it ends by itself
            await self._store.drop_lease(self._name, holder=self._holder)

    async def _extend(self) -> bool:
        asked = time.monotonic()
        if not await self._store.extend_lease(self._name, holder=self._holder, lifetime=self._lifetime):
            self._sure_until = 0.0
            return False
        return self._held_since(asked)

    def _held_since(self, asked: float) -> bool:
        self._sure_until = asked + self._lifetime.total_seconds()
        return True


class Leases:
    """Gives leases on one store."""

    def __init__(self, store: SessionStore, *, lifetime: timedelta = LIFETIME) -> None:
        self._store = store
        self._lifetime = lifetime

    @asynccontextmanager
    async def taken(self, name: bytes) -> AsyncIterator[Lease | None]:
        """Hold `name` while the block lasts; None when somebody else holds it, in this process or any other."""
        lease = Lease(self._store, name, lifetime=self._lifetime)
        if not await lease.take():
            yield None
            return
        keeping = asyncio.get_running_loop().create_task(lease.keep())
        try:
            yield lease
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])
            await lease.drop()


class Notes:
    """Names that all workers find for half a minute: leases that nobody has, and that end by themselves."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store

    async def leave(self, name: bytes) -> None:
        """Let the others find this name."""
        await self._store.take_lease(name, holder=NOBODY, lifetime=NOTED_FOR)

    async def found(self, name: bytes) -> bool:
        """Say whether somebody has left this name within the last half minute; nothing is left by asking."""
        return await self._store.extend_lease(name, holder=NOBODY, lifetime=NOTED_FOR)
