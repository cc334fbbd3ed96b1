"""What a request on hold promises, whichever store keeps it."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.errors import NotSignedIn
from entrada.flows.renewing.schedule import Schedule
from entrada.flows.stepping_up.interruptions import MOST_HELD, Interruptions
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.session import Session
from entrada.sessions.stores.store import SessionStore
from tests.contracts.test_sessions import ADA, EVE, over
from tests.contracts.token_peers import OidcAtEmulator
from tests.moved_clock import MovedClock

Made = Callable[[Sessions], Interruptions]


@pytest.fixture
def made(entra: Entra, clock: MovedClock) -> Made:
    client = OidcAtEmulator(entra).client()
    schedule = Schedule(client, scopes=(), spread=timedelta(minutes=5), clock=clock, chance=lambda: 0.5)
    return lambda sessions: Interruptions(sessions, schedule, clock=clock)


async def held(on_hold: Interruptions, session: Session, body: bytes = b"a=1") -> str:
    return await on_hold.hold(session, address="/pay?x", content_type="text/plain", body=body)


async def test_one_of_many_workers_takes_it(store: SessionStore, clock: MovedClock, made: Made) -> None:
    """BEY-3, SEC-021: of twenty who take it at once, on two workers, one gets it, as it was given."""
    sessions = over(store, clock)
    _, session = await sessions.begin(ADA, tokens=b"t")
    body = bytes(range(256)) * 256
    number = await held(made(sessions), session, body)
    workers = [made(sessions), made(sessions)]
    taken = await asyncio.gather(*[workers[each % 2].take(session, number) for each in range(20)])
    (request,) = [each for each in taken if each]
    assert (request.address, request.content_type, request.body) == ("/pay?x", "text/plain", body)
    assert await workers[0].look(session, number) is None
    tokens = await sessions.tokens(session)
    assert tokens
    assert tokens.blob == b"t"


async def test_it_goes_along_with_its_person_only(store: SessionStore, clock: MovedClock, made: Made) -> None:
    """BEY-3, SEC-136: the same person's next session has it, another's has not, and the one before has ended."""
    sessions = over(store, clock)
    on_hold = made(sessions)
    first_id, first = await sessions.begin(ADA, tokens=b"1")
    number = await held(on_hold, first)
    second_id, second = await sessions.begin(ADA, tokens=b"2", replacing=first_id)
    assert await on_hold.look(second, number)
    with pytest.raises(NotSignedIn):
        await on_hold.take(first, number)
    _, eves = await sessions.begin(EVE, tokens=b"3", replacing=second_id)
    assert await on_hold.look(eves, number) is None
    with pytest.raises(NotSignedIn):
        await on_hold.look(second, number)


async def test_it_has_its_time_and_place(store: SessionStore, clock: MovedClock, made: Made) -> None:
    """The latest three wait; after ten minutes none is given out any more."""
    sessions = over(store, clock)
    on_hold = made(sessions)
    _, session = await sessions.begin(ADA, tokens=b"t")
    numbers = [await held(on_hold, session, b"%d" % each) for each in range(MOST_HELD + 1)]
    found = [await on_hold.look(session, number) for number in numbers]
    assert [each and each.body for each in found] == [None, b"1", b"2", b"3"]
    clock.move(timedelta(minutes=10))
    assert [await on_hold.take(session, number) for number in numbers] == [None] * 4


async def test_a_renewal_meanwhile_loses_nothing(store: SessionStore, clock: MovedClock, made: Made) -> None:
    """SEC-108: notes of a failed renewal keep what waits; what waits keeps the notes, and when they are due."""
    sessions = over(store, clock)
    on_hold = made(sessions)
    _, session = await sessions.begin(ADA, tokens=b"t", due_at=clock())
    tokens = await sessions.tokens(session)
    assert tokens
    until = clock() + timedelta(minutes=2)
    number = await held(on_hold, session)
    assert not await sessions.pause_renewal(session, tokens, until=until)  # the form came between
    tokens = await sessions.tokens(session)
    assert tokens
    assert await sessions.pause_renewal(session, tokens, until=until)
    assert await on_hold.take(session, number)
    after = await sessions.tokens(session)
    assert after
    assert (after.failures, after.retry_at >= until) == (1, True)
    assert await sessions.due(before=until + timedelta(seconds=2), limit=9) == [session.key]
