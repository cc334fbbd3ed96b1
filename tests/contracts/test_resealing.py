"""What sealing a store anew promises, whichever store it is."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from entrada.keyring import KeyRing, generate
from entrada.sessions.census import take_census
from entrada.sessions.resealing import Progress, reseal
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore
from tests.contracts.conftest import Rings
from tests.contracts.test_sessions import ADA, EVE, HOUR, MINUTE, over
from tests.journeys.test_keys_command import keys
from tests.moved_clock import MovedClock


def silent(_: Progress) -> None:
    pass


async def sealed_anew(store: SessionStore, ring: KeyRing) -> Progress:
    return await reseal(store, sealer=Sealer(ring), told=silent)


async def test_afterwards_nothing_is_sealed_with_the_old_key(
    store: SessionStore, clock: MovedClock, rings: Rings
) -> None:
    """Record, data and tokens of all who live are under the active key; a second run finds nothing to do (SEC-170)."""
    old, new = rings.before.active.id, rings.after.active.id
    before = over(store, clock, rings.before.text())
    begun = [await before.begin(user, tokens=user.subject.encode(), due_at=clock() + HOUR) for user in (ADA, EVE)]
    await before.change_data(begun[0][1], {"a": b"1"})
    done = await sealed_anew(store, rings.after)
    assert (done.sessions, done.records, done.tokens, done.unreadable) == (2, 2, 2, 0)
    census = await take_census(store, sealer=Sealer(rings.after))
    assert (census.records, census.tokens, census.found) == ({new: 2}, {new: 2}, {old: 2})
    after = over(store, clock, rings.after.text())
    for (session_id, _), user in zip(begun, (ADA, EVE), strict=True):
        session = await after.load(session_id)
        assert session
        assert (session.user, (await after.tokens(session)).blob) == (user, user.subject.encode())  # type: ignore[union-attr]
    found = await after.load(begun[0][0])
    assert found
    assert after.data(found) == {"a": b"1"}
    assert len(await after.due(before=clock() + 2 * HOUR, limit=9)) == 2
    again = await sealed_anew(store, rings.after)
    assert (again.sessions, again.records, again.tokens) == (2, 0, 0)


async def test_what_no_key_opens_stays(store: SessionStore, clock: MovedClock, rings: Rings) -> None:
    """A foreign session is counted and left alone; the others are sealed anew all the same."""
    foreign = over(store, clock)
    session_id, _ = await foreign.begin(EVE, tokens=b"theirs")
    await over(store, clock, rings.before.text()).begin(ADA, tokens=b"ours")
    done = await sealed_anew(store, rings.after)
    assert (done.sessions, done.records, done.tokens, done.unreadable) == (2, 1, 1, 1)
    assert await foreign.load(session_id)


async def test_it_is_safe_beside_workers(
    store: SessionStore, opened: Callable[[], SessionStore], clock: MovedClock, rings: Rings
) -> None:
    """While workers touch, renew and sign out, nothing they wrote is lost and nothing ended comes back (REL-035)."""
    before, other = over(store, clock, rings.before.text()), opened()
    begun = [await before.begin(ADA, tokens=b"0") for _ in range(450)]
    worker, stop = over(store, clock, rings.after.text()), asyncio.Event()
    clock.move(MINUTE)

    async def work() -> dict[str, int]:
        renewed: dict[str, int] = {}
        while not stop.is_set():
            for session_id, _ in begun[::15]:
                await asyncio.sleep(0)
                session = await worker.load(session_id)
                assert session
                await worker.touch(session)
                held = await worker.tokens(session)
                assert held
                assert held.blob == str(renewed.get(session_id, 0)).encode()
                renewed[session_id] = renewed.get(session_id, 0) + 1
                assert await worker.save_tokens(session, str(renewed[session_id]).encode(), version=held.version)
        return renewed

    working = asyncio.create_task(work())
    try:
        await worker.end(begun[1][0])
        runs = await asyncio.gather(sealed_anew(store, rings.after), sealed_anew(other, rings.after))
    finally:
        stop.set()
        renewed = await working
    await other.close()
    assert sum(run.unreadable for run in runs) == 0
    assert len(renewed) == 30
    assert await worker.load(begun[1][0]) is None
    census = await take_census(store, sealer=Sealer(rings.after))
    assert census.to_reseal(rings.after.active.id) == (0, 0)
    for session_id, count in renewed.items():
        session = await worker.load(session_id)
        assert session
        assert (await worker.tokens(session)).blob == str(count).encode()  # type: ignore[union-attr]


@pytest.mark.parametrize("store_url", ["sqlite:"], indirect=True)
async def test_a_run_that_was_cut_short_is_taken_up(store: SessionStore, clock: MovedClock, rings: Rings) -> None:
    """Stopped after a batch, every session opens; the next run does only what is left (REL-035)."""
    before = over(store, clock, rings.before.text())
    begun = [await before.begin(ADA, tokens=b"t") for _ in range(250)]

    class Stopped(Exception):
        pass

    def stop(_: Progress) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        await reseal(store, sealer=Sealer(rings.after), told=stop)
    for ring in (rings.waiting, rings.after):
        worker = over(store, clock, ring.text())
        assert all([await worker.load(session_id) for session_id, _ in begun])
    rest = await sealed_anew(store, rings.after)
    assert (rest.sessions, rest.records, rest.tokens) == (250, 50, 50)


@pytest.mark.parametrize("store_url", ["redis", "cluster", "postgresql"], indirect=True)
async def test_the_command(
    store: SessionStore, store_url: str, clock: MovedClock, rings: Rings, tmp_path: Path
) -> None:
    """`entrada keys reseal` does it on a server's store too, and drops the old key when its last session has ended."""
    clock.now = datetime.now(UTC)
    old, ring = rings.before.active.id, tmp_path / "ring"
    ring.write_text(rings.after.text())
    ring.chmod(0o600)
    session_id, _ = await over(store, clock, rings.before.text()).begin(ADA, tokens=b"t")
    environment = {"ENTRADA_KEYS_FILE": str(ring), "ENTRADA_STORE": store_url, "ENTRADA_DATA_DIR": str(tmp_path / "d")}
    said = await anyio.to_thread.run_sync(lambda: keys("reseal", **environment))
    assert "1 sessions: 1 records and 1 tokens sealed anew" in said
    after = over(store, clock, rings.after.text())
    assert await after.load(session_id)
    refused = await anyio.to_thread.run_sync(lambda: keys("drop", old, code=1, **environment))
    assert "sessions need it" in refused
    await after.end(session_id)
    await anyio.to_thread.run_sync(lambda: keys("drop", old, **environment))
    assert old not in ring.read_text()


def test_a_ring_with_a_waiting_key_seals_with_the_active_one() -> None:
    """The key that waits seals nothing, not even here: workers may not know it yet."""
    ring = KeyRing.parse(generate()).with_waiting(KeyRing.parse(generate()).active)
    sealer = Sealer(ring)
    sealed = sealer.seal(b"plain", purpose="session-tokens", bound_to=(b"k",))
    assert sealer.resealed(sealed, purpose="session-tokens", bound_to=(b"k",)) is sealed
