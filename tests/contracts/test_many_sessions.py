"""REL-071: what many sessions need is done a part at a time, and nobody waits behind it."""

from datetime import timedelta

import anyio
import anyio.lowlevel

from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import Index, SessionStore
from tests.moved_clock import MovedClock

HOUR = timedelta(hours=1)
DEAD, LIVING, BATCH = 120, 20, 25
ADA = b"a" * 32


def key(number: int) -> bytes:
    return number.to_bytes(32, "big")


async def filled(store: SessionStore, clock: MovedClock, numbers: range, *, lifetime: timedelta) -> None:
    index = Index(user=ADA, sid=None, due_at=None)
    for number in numbers:
        await store.insert(key(number), record=b"r", tokens=b"t", expires_at=clock() + lifetime, index=index)


async def test_look_ups_go_on_while_it_is_swept(
    store: SessionStore, clock: MovedClock, forgets_by_itself: bool
) -> None:
    """However many have expired, no step deletes more than it was told, and living sessions are found all the time."""
    await filled(store, clock, range(DEAD), lifetime=HOUR)
    await filled(store, clock, range(DEAD, DEAD + LIVING), lifetime=3 * HOUR)
    clock.move(2 * HOUR)
    steps: list[int] = []
    seen: list[int] = []

    async def sweep() -> None:
        while not steps or steps[-1]:
            steps.append(await store.delete_expired(limit=BATCH))
            answered = len(seen)
            while steps[-1] and len(seen) == answered:
                await anyio.lowlevel.checkpoint()

    async def look_up() -> None:
        while not steps or steps[-1]:
            number = DEAD + len(seen) % LIVING
            assert await store.get(key(number)) == (b"r", 1)
            seen.append(len(steps))
            await anyio.lowlevel.checkpoint()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(sweep)
            group.start_soon(look_up)
    assert max(steps) <= BATCH
    if not forgets_by_itself:
        assert sum(steps) == DEAD
        assert len(steps) > DEAD // BATCH, "the sweep was one step, so look-ups waited for its end"
    assert len(await store.by_user(ADA, limit=1000)) == LIVING


async def test_lists_are_bounded(store: SessionStore, clock: MovedClock) -> None:
    """Whoever asks for so many gets so many, of however many there are."""
    await filled(store, clock, range(60), lifetime=HOUR)
    assert len(await store.by_user(ADA, limit=25)) == 25
    assert len({found for found, _ in await store.by_user(ADA, limit=1000)}) == 60


async def test_a_bounded_list_has_the_last_used(store: SessionStore, clock: MovedClock) -> None:
    """Of more sessions of one person than are shown, those shown are the last used, the last one first."""
    ring, ada = KeyRing.parse(generate()), User(issuer="https://issuer.example", subject="ada")
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    begun = []
    for _ in range(30):
        begun.append((await sessions.begin(ada, tokens=b""))[1].key)
        clock.move(timedelta(seconds=1))
    assert [session.key for session in await sessions.by_user(ada, limit=10)] == begun[:-11:-1]
