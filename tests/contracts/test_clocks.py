"""REL-046, REL-047: clocks that are wrong, are set back, or have gone past 2038."""

from datetime import UTC, datetime, timedelta

import pytest

from entrada.clock import Corrected, Steady
from entrada.keyring import KeyRing, generate
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore
from tests.contracts.test_sessions import ADA, HOUR, MINUTE, over
from tests.moved_clock import MovedClock

LEASE = timedelta(seconds=12)
NAME = b"renewal:of-somebody"


def by_servers_time(store_url: str) -> bool:
    """Whether leases go by the clock of the store's server, which this test cannot move."""
    return store_url.startswith(("redis", "postgresql"))


async def test_a_clock_set_back_holds_nobody_up(store: SessionStore, store_url: str, clock: MovedClock) -> None:
    """REL-046: after a step back of an hour a lease of before is lapsed, not an hour longer; a server's is its own."""
    assert await store.take_lease(NAME, holder=b"one", lifetime=LEASE)
    clock.move(-timedelta(milliseconds=900))
    assert await store.take_lease(NAME, holder=b"two", lifetime=LEASE) is None
    clock.move(-HOUR)
    taken = await store.take_lease(NAME, holder=b"two", lifetime=LEASE)
    assert (taken is None) == by_servers_time(store_url)
    if taken:
        assert not await store.extend_lease(NAME, holder=b"one", lifetime=LEASE)
        assert await store.extend_lease(NAME, holder=b"two", lifetime=LEASE)
        assert await store.take_lease(NAME, holder=b"one", lifetime=LEASE) is None


async def test_a_holder_whose_clock_steps_keeps_its_lease(store: SessionStore, clock: MovedClock) -> None:
    """REL-046: who holds a lease extends it across a step back, as long as nobody has taken it."""
    assert await store.take_lease(NAME, holder=b"one", lifetime=LEASE)
    clock.move(-HOUR)
    assert await store.extend_lease(NAME, holder=b"one", lifetime=LEASE)
    assert await store.take_lease(NAME, holder=b"two", lifetime=LEASE) is None


@pytest.mark.parametrize("off", [10 * MINUTE, -10 * MINUTE])
async def test_one_worker_ten_minutes_off(store: SessionStore, clock: MovedClock, off: timedelta) -> None:
    """REL-046: what a worker whose clock is ten minutes off begins, touches and renews, the others go on with."""
    ring = KeyRing.parse(generate())
    right = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    wrong = Sessions(store, sealer=Sealer(ring), ring=ring, clock=lambda: clock() + off)
    for begins, other in ((right, wrong), (wrong, right)):
        session_id, _ = await begins.begin(ADA, tokens=b"1")
        for worker in (other, begins, other):
            clock.move(2 * MINUTE)
            session = await worker.load(session_id)
            assert session
            await worker.touch(session)
            held = await worker.tokens(session)
            assert held
            assert await worker.save_tokens(session, b"2", version=held.version)
        clock.move(HOUR + 10 * MINUTE)
        assert await right.load(session_id) is None


async def test_a_clock_that_is_days_ahead_hides_nobodys_sessions(store: SessionStore, clock: MovedClock) -> None:
    """REL-046: who signs in at a worker that is two days ahead is signed out everywhere elsewhere, all the same."""
    clock.now = datetime.now(UTC)  # Redis looks at its own clock, too
    sessions = over(store, clock)
    living, _ = await sessions.begin(ADA, tokens=b"1")
    clock.move(timedelta(days=2))
    await sessions.begin(ADA, tokens=b"2")
    clock.move(-timedelta(days=2))
    await sessions.end_all_of(ADA)
    assert await sessions.load(living) is None


async def test_another_identifier_where_clocks_are_apart(store: SessionStore, clock: MovedClock) -> None:
    """REL-046: a worker five minutes behind hears of it first; what left with the one before is answered elsewhere."""
    ring = KeyRing.parse(generate())
    right = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    behind = Sessions(store, sealer=Sealer(ring), ring=ring, clock=lambda: clock() - 5 * MINUTE)
    before, _ = await right.begin(ADA, tokens=b"1")
    await right.regrant_all_of(ADA, frozenset({"Editor"}))
    session = await right.visit(before)
    assert session
    assert await behind.visit(right.next_id(session, before) or "")
    clock.move(MINUTE - timedelta(seconds=1))
    assert await right.visit(before)


@pytest.mark.parametrize("kind", [Steady, Corrected])
def test_a_steady_clock_is_not_set_back(kind: type[Steady]) -> None:
    """REL-046: it follows forward steps, and goes on by itself while the machine's clock is behind."""
    wall, passed = MovedClock(), [0.0]
    clock = kind(wall, monotonic=lambda: passed[0])
    start = wall()
    wall.move(MINUTE)
    assert clock() == start + MINUTE
    wall.move(-HOUR)
    passed[0] += 30
    assert clock() == start + MINUTE + timedelta(seconds=30)
    wall.move(2 * HOUR)
    assert clock() == wall()


@pytest.mark.parametrize("jumps", [[HOUR], [24 * HOUR], [HOUR, 24 * HOUR]])
def test_a_jump_ahead_that_is_taken_back(jumps: list[timedelta]) -> None:
    """REL-046: a clock that was wrong for a minute is right again afterwards; no other step back is followed."""
    wall, passed = MovedClock(), [0.0]
    clock = Corrected(wall, monotonic=lambda: passed[0])
    start = wall()
    for jump in jumps:
        wall.move(jump)
        assert clock() == wall()
    passed[0] += 60
    wall.move(MINUTE - sum(jumps, timedelta()))
    assert clock() == start + MINUTE
    wall.move(-HOUR)
    passed[0] += 60
    assert clock() == start + 2 * MINUTE


async def test_a_jump_ahead_signs_nobody_out_afterwards(store: SessionStore, clock: MovedClock) -> None:
    """REL-046: a worker whose clock was a day ahead finds the sessions of the others again when it is put right."""
    ring, passed = KeyRing.parse(generate()), [0.0]
    others = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    session_id, _ = await others.begin(ADA, tokens=b"")
    off = [timedelta(0)]
    corrected = Corrected(lambda: clock() + off[0], monotonic=lambda: passed[0])
    jumped = Sessions(store, sealer=Sealer(ring), ring=ring, clock=corrected)
    off[0] = 24 * HOUR
    assert await jumped.load(session_id) is None
    off[0] = timedelta(0)
    assert await jumped.load(session_id)


@pytest.mark.parametrize("behind", [HOUR, 24 * HOUR])
async def test_a_slow_clock_signs_nobody_out(store: SessionStore, clock: MovedClock, behind: timedelta) -> None:
    """REL-046: a machine that slept serves somebody by its old time; for the others their session goes on as it was."""
    ring = KeyRing.parse(generate())
    right = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    slow = Sessions(store, sealer=Sealer(ring), ring=ring, clock=lambda: clock() - behind)
    session_id, begun = await right.begin(ADA, tokens=b"")
    clock.move(2 * MINUTE)
    assert await slow.visit(session_id)
    found = await right.load(session_id)
    assert found
    assert (found.idle_expires_at, found.expires_at) == (begun.idle_expires_at, begun.expires_at)


async def test_a_step_back_lengthens_no_session(store: SessionStore, clock: MovedClock) -> None:
    """REL-046: an hour's idle life ends after an hour of real time, although the clock was set back meanwhile."""
    passed = [0.0]
    ring = KeyRing.parse(generate())
    steadied = Corrected(clock, monotonic=lambda: passed[0])
    sessions = Sessions(store, sealer=Sealer(ring), ring=ring, clock=steadied)
    session_id, _ = await sessions.begin(ADA, tokens=b"")
    clock.move(-HOUR)
    passed[0] += 59 * 60
    assert await sessions.load(session_id)
    passed[0] += 60
    assert await sessions.load(session_id) is None


@pytest.mark.parametrize("store_url", ["memory:", "sqlite:", "postgresql"], indirect=True)
@pytest.mark.parametrize("year", [2038, 2039, 2107])
async def test_after_2038(store: SessionStore, clock: MovedClock, year: int) -> None:
    """REL-047: seconds beyond 2^31 and 2^32 are kept, compared and swept like any others."""
    clock.now = datetime(year, 1, 19, 3, 14, 7, tzinfo=UTC)
    sessions = over(store, clock)
    session_id, begun = await sessions.begin(ADA, tokens=b"", due_at=clock() + MINUTE)
    clock.move(30 * MINUTE)
    session = await sessions.load(session_id)
    assert session
    assert (session.created_at, session.expires_at) == (begun.created_at, begun.created_at + timedelta(days=7))
    assert await sessions.touch(session)
    assert await sessions.due(before=clock(), limit=5) == [session.key]
    assert await sessions.spend_once("once", lifetime=HOUR)
    clock.move(HOUR - MINUTE)
    assert await sessions.load(session_id)
    clock.move(2 * MINUTE)
    assert await sessions.load(session_id) is None
    assert await sessions.sweep() == 2
