"""What a rotation of the key ring promises, whichever store the sessions are kept in."""

from datetime import timedelta

import pytest

from entrada.sessions.census import take_census
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore
from tests.contracts.conftest import Rings
from tests.contracts.test_sessions import ADA, MINUTE, over
from tests.moved_clock import MovedClock


@pytest.mark.parametrize("step", [("before", "waiting"), ("waiting", "after")])
@pytest.mark.parametrize("order", [1, -1])
async def test_a_rolling_deploy_works_in_both_orders(
    store: SessionStore, clock: MovedClock, rings: Rings, step: tuple[str, str], order: int
) -> None:
    """Workers one step of a rotation apart read, touch and renew what the other wrote, forth and back (REL-072)."""
    one, other = (over(store, clock, getattr(rings, name).text()) for name in step[::order])
    session_id, _ = await one.begin(ADA, tokens=b"1")
    for number, worker in enumerate((other, one, other, one), 1):
        clock.move(MINUTE)
        session = await worker.load(session_id)
        assert session
        assert await worker.touch(session)
        held = await worker.tokens(session)
        assert held
        assert held.blob == str(number).encode()
        assert await worker.save_tokens(session, str(number + 1).encode(), version=held.version)
    await other.end(session_id)
    assert await one.load(session_id) is None


async def test_a_ring_is_taken_up_by_running_workers(store: SessionStore, clock: MovedClock, rings: Rings) -> None:
    """A worker that is given the next ring goes on with the sessions it had, and seals with the new key."""
    sealer = Sealer(rings.waiting)
    sessions = Sessions(store, sealer=sealer, ring=rings.waiting, clock=clock)
    old_id, _ = await sessions.begin(ADA, tokens=b"old")
    sealer.use(rings.after)
    sessions.use(rings.after)
    new_id, new = await sessions.begin(ADA, tokens=b"new")
    old = await sessions.load(old_id)
    assert old
    assert (await sessions.tokens(old)).blob == b"old"  # type: ignore[union-attr]
    assert await sessions.load(new_id) == new
    census = await take_census(store, sealer=sealer)
    assert census.found == {rings.before.active.id: 1, rings.after.active.id: 1}


async def test_use_seals_anew_and_the_census_says_what_is_left(
    store: SessionStore, clock: MovedClock, rings: Rings
) -> None:
    """A touch signs the record with the active key, a renewal seals the tokens; the look-up keeps its key (SEC-170)."""
    old, new = rings.before.active.id, rings.after.active.id
    session_id, begun = await over(store, clock, rings.before.text()).begin(ADA, tokens=b"tokens")
    rotated, sealer = over(store, clock, rings.after.text()), Sealer(rings.after)
    census = await take_census(store, sealer=sealer)
    assert (census.records, census.tokens, census.to_reseal(new)) == ({old: 1}, {old: 1}, (1, 1))
    clock.move(MINUTE)
    session = await rotated.load(session_id)
    assert session
    assert await rotated.touch(session)
    assert (await take_census(store, sealer=sealer)).to_reseal(new) == (0, 1)
    assert await rotated.save_tokens(session, b"renewed", version=1)
    census = await take_census(store, sealer=sealer)
    assert (census.found, census.records, census.tokens) == ({old: 1}, {new: 1}, {new: 1})
    assert census.needs(old)
    assert census.last[old] == begun.expires_at
    await rotated.end(session_id)
    assert not (await take_census(store, sealer=sealer)).needs(old)


async def test_the_applications_data_is_sealed_anew_by_use(
    store: SessionStore, clock: MovedClock, rings: Rings
) -> None:
    """Data sealed before a rotation is read after it, and opens without the old key once the session was used."""
    session_id, begun = await over(store, clock, rings.before.text()).begin(ADA, tokens=b"")
    await over(store, clock, rings.before.text()).change_data(begun, {"a": b"1"})
    rotated = over(store, clock, rings.after.text())
    clock.move(MINUTE)
    session = await rotated.load(session_id)
    assert session
    assert rotated.data(session) == {"a": b"1"}
    assert await rotated.touch(session)
    touched = await rotated.load(session_id)
    assert touched
    assert over(store, clock, rings.after.without(rings.before.active.id).text()).data(touched) == {"a": b"1"}


async def test_what_no_key_opens_is_counted_apart(store: SessionStore, clock: MovedClock, rings: Rings) -> None:
    """Sessions of a foreign ring are unreadable, the ended are not counted at all."""
    await over(store, clock).begin(ADA, tokens=b"")
    census = await take_census(store, sealer=Sealer(rings.after))
    assert (census.unreadable, census.found.total()) == (1, 0)
    clock.move(timedelta(hours=1))
    assert (await take_census(store, sealer=Sealer(rings.after))).unreadable == 0
