"""What must hold whatever fails, watched from outside: traffic while a fault is on, and a verdict at the end.

    async with watching([visitor(door)], living={session}) as watch:
        …the fault begins…
        watch.ends(other)            # a sign-out that was acknowledged: never again 200
        …the fault ends…
        await watch.recovered()      # I6
    assert_one_renewal_each(entra)   # I3

I1 an acknowledged change holds; I2 nothing half made can be used; I3 one renewal for an expired token; I4 nothing fails
open; I5 files and threads stay bounded; I6 service is back within 10 s by itself; I7 nobody is signed out needlessly.
"""

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from entrada_emulator.pytest_plugin import Entra

from entrada.clock import Clock, system_clock
from entrada.keyring import KeyRing
from entrada.sessions.census import Census, take_census
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from tests.front_door import AUTH, SESSION, FrontDoor

Visit = Callable[[str | None], Awaitable[int]]
"""Asks a page that needs somebody, with this session or with none; returns the status, 0 for no answer."""

BACK_WITHIN = 10.0  # seconds: I6
MOST_MORE = 64  # MiB by which a process may have grown: I5
PAUSE = 0.02
OK, UNAVAILABLE, NOBODY = 200, (0, 503), 401


def visitor(door: FrontDoor) -> Visit:
    """Return the way to the page `me` of an application in this process."""

    async def visit(session: str | None) -> int:
        headers = [("accept", "application/json")] + ([("cookie", f"{SESSION}={session}")] if session else [])
        try:
            return (await door.raw("GET", f"{AUTH}/me", headers=headers)).status_code
        except httpx2.TransportError:
            return 0

    return visit


@dataclass(slots=True)
class Watch:
    """The traffic, whom it is made of, and what went wrong."""

    visits: Sequence[Visit]
    living: set[str] = field(default_factory=set)
    """Sessions that were handed out: 200, or no answer while the fault is on."""
    ended: set[str] = field(default_factory=set)
    """Sessions whose end was acknowledged, and those that nobody was given."""
    breaches: list[str] = field(default_factory=list)
    answers: Counter[int] = field(default_factory=Counter)

    def begins(self, session: str) -> None:
        """From now on this session is somebody's (I1, I7)."""
        self.living.add(session)

    def is_ending(self, session: str) -> None:
        """From now on this session may be somebody's or nobody's: its end was asked for and not acknowledged yet."""
        self.living.discard(session)

    def ends(self, session: str) -> None:
        """From now on this session is nobody's (I1, I2). Requests on their way may have been answered before."""
        self.living.discard(session)
        self.ended.add(session)

    async def recovered(self, *, within: float = BACK_WITHIN) -> float:
        """Wait until each way serves each living session; return the seconds that took (I6, I7)."""
        began = time.monotonic()
        for visit in self.visits:
            for session in tuple(self.living):
                while (status := await visit(session)) != OK:
                    assert status != NOBODY, "I7: signed out who need not be"
                    assert time.monotonic() - began < within, f"I6: still {status} after {within} s"
                    await asyncio.sleep(PAUSE)
        return time.monotonic() - began

    async def round(self, visit: Visit) -> None:
        """Ask once for everybody, and for nobody."""
        for session in tuple(self.living):
            status = await visit(session)
            if session in self.living:  # still: or its end was told while the request was on its way
                self._allow(status, (OK, *UNAVAILABLE), "I1, I7: a living session")
        for session in tuple(self.ended):
            self._allow(await visit(session), (NOBODY, *UNAVAILABLE), "I1, I2: a session that ended or never was")
        self._allow(await visit(None), (NOBODY, *UNAVAILABLE), "I4: nobody")

    def _allow(self, status: int, allowed: tuple[int, ...], who: str) -> None:
        self.answers[status] += 1
        if status not in allowed:
            self.breaches.append(f"{who} was answered {status}")


@asynccontextmanager
async def watching(visits: Sequence[Visit], *, living: Iterable[str] = ()) -> AsyncIterator[Watch]:
    """Ask by each way, again and again, while the block lasts; then hold I1, I2, I4 and I7 against the answers."""
    watch, going = Watch(visits, set(living)), True

    async def keep_asking(visit: Visit) -> None:
        while going:
            await watch.round(visit)
            await asyncio.sleep(PAUSE)

    asking = [asyncio.get_running_loop().create_task(keep_asking(visit)) for visit in visits]
    try:
        yield watch
    finally:
        going = False
        await asyncio.gather(*asking)
    for visit in visits:
        await watch.round(visit)
    assert not watch.breaches, Counter(watch.breaches)
    assert watch.answers[OK] or not watch.living, "nothing was watched"


def assert_one_renewal_each(entra: Entra, *, unless_lost: int = 0) -> None:
    """I3: no refresh token was redeemed twice, but for so many whose answer was lost."""
    good = [one.form["refresh_token"] for one in entra.state.recorder.requests("token")
            if "refresh_token" in one.form and one.status == OK]  # fmt: skip
    again = sum(times - 1 for times in Counter(good).values())
    assert again <= unless_lost, f"I3: {again} renewals of a token that had been renewed"


async def assert_nothing_half_made(
    store: str, *, data_dir: Path, keys: Path | None = None, clock: Clock = system_clock
) -> Census:
    """I2: each session in the store has both its parts and opens with the ring; return who is there."""
    ring = KeyRing.parse((keys or data_dir / "keys").read_text())
    opened = open_store(store, data_dir=data_dir, clock=clock)
    try:
        await opened.prepare()
        census = await take_census(opened, sealer=Sealer(ring))
    finally:
        await opened.close()
    assert census.unreadable == 0, f"I2: {census.unreadable} sessions that nobody can open"
    return census


@dataclass(frozen=True, slots=True)
class Held:
    """What a process holds now (I5)."""

    files: int
    threads: int
    megabytes: int = 0
    """Of memory that is its own or shared, resident."""

    @classmethod
    def by(cls, pid: int) -> "Held":
        """Look at a process of this machine."""
        folder = Path("/proc") / str(pid)
        pages = int((folder / "statm").read_text().split()[1])
        return cls(
            files=len(list((folder / "fd").iterdir())),
            threads=len(list((folder / "task").iterdir())),
            megabytes=pages * os.sysconf("SC_PAGE_SIZE") // 2**20,
        )

    def assert_no_more_than(self, before: "Held", *, and_some: int = 10) -> None:
        """I5: a fault has left nothing behind."""
        assert self.files <= before.files + and_some, f"I5: {before.files} files became {self.files}"
        assert self.threads <= before.threads + and_some, f"I5: {before.threads} threads became {self.threads}"
        assert self.megabytes <= before.megabytes + MOST_MORE, f"I5: {before.megabytes} MiB became {self.megabytes}"
