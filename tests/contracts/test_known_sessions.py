"""What a worker that knows a session already promises: it sees what others did to it at the very next request."""

from datetime import timedelta
from pathlib import Path

from entrada.keyring import KeyRing, generate
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.reading import KEPT
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.opening import open_store
from entrada.sessions.stores.store import SessionStore
from tests.contracts.test_sessions import ADA, EVE, HOUR, MINUTE, over
from tests.moved_clock import MovedClock


async def test_the_end_elsewhere_is_the_end_here(store: SessionStore, clock: MovedClock) -> None:
    """A session that one worker ends is gone at the next request on a worker that has just served it (SEC-075)."""
    ring = generate()
    one, other = over(store, clock, ring), over(store, clock, ring)
    session_id, session = await one.begin(ADA, tokens=b"")
    for _ in range(3):
        assert await one.load(session_id) == await other.load(session_id) == session
    await other.end(session_id)
    assert await one.load(session_id) is None
    assert await one.visit(session_id) is None


async def test_a_change_elsewhere_is_seen_here(store: SessionStore, clock: MovedClock) -> None:
    """Data that one worker writes is read at the next request on a worker that has just read the session."""
    ring = generate()
    one, other = over(store, clock, ring), over(store, clock, ring)
    session_id, session = await one.begin(ADA, tokens=b"")
    for value in (b"1", b"2", b"3"):
        assert await one.load(session_id)
        await other.change_data(session, {"a": value})
        changed = await one.load(session_id)
        assert changed
        assert one.data(changed) == {"a": value}


async def test_a_known_session_still_ends_in_time(store: SessionStore, clock: MovedClock) -> None:
    """Knowing a session does not lengthen its life, idle or absolute (SEC-073)."""
    sessions = over(store, clock, idle=HOUR, absolute=timedelta(hours=2))
    session_id, session = await sessions.begin(ADA, tokens=b"")
    assert await sessions.load(session_id)
    clock.now = session.idle_expires_at - timedelta(seconds=1)
    assert await sessions.visit(session_id), "and this use is noted"
    clock.now = session.idle_expires_at
    assert await sessions.visit(session_id)
    clock.now = session.expires_at
    assert await sessions.visit(session_id) is None


async def test_a_withdrawn_key_ends_what_was_verified_by_it(store: SessionStore, clock: MovedClock) -> None:
    """A worker that is given a ring without a key forgets what it verified by that key (SEC-170)."""
    old, new = generate(), generate()
    both, ring = KeyRing.parse(f"{new},{old}"), KeyRing.parse(new)
    session_id, _ = await over(store, clock, old).begin(ADA, tokens=b"")
    sealer = Sealer(both)
    sessions = Sessions(store, sealer=sealer, ring=both, clock=clock)
    assert await sessions.load(session_id)
    sealer.use(ring)
    sessions.use(ring)
    assert await sessions.load(session_id) is None


async def test_visits_are_noted_once_a_minute(store: SessionStore, clock: MovedClock) -> None:
    """Of many requests in a minute one writes, and what it wrote is what the next one reads."""
    sessions = over(store, clock)
    session_id, begun = await sessions.begin(ADA, tokens=b"")
    clock.move(MINUTE)
    assert await sessions.visit(session_id) == begun
    noted = [await sessions.visit(session_id) for _ in range(3)]
    assert [(each.version, each.last_seen_at) for each in noted if each] == [(2, clock())] * 3


async def test_many_sessions_take_turns(clock: MovedClock, tmp_path: Path) -> None:
    """A worker that has seen more sessions than it keeps in mind gives each the right one (SEC-070)."""

    store = open_store("memory:", data_dir=tmp_path, clock=clock)
    sessions = over(store, clock)
    begun = [await sessions.begin((ADA, EVE)[number % 2], tokens=b"") for number in range(2 * KEPT + 10)]
    for session_id, session in [*begun, *begun[:20], *begun[-20:], *begun[::-97]]:
        assert await sessions.load(session_id) == session
    await store.close()
