"""What every session store promises."""

from datetime import timedelta

import anyio

from entrada.sessions.stores.store import NOT_INDEXED, Index, Resealed, SessionStore
from tests.moved_clock import MovedClock

KEY, OTHER = b"k" * 32, b"o" * 32
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
ADA, EVE, SID = b"a" * 32, b"e" * 32, b"s" * 32
OF_ADA = Index(user=ADA, sid=None, due_at=None)
AT_ONCE = 8  # each opens a connection within the second that a store has: many more are too many on a busy machine


async def insert(
    store: SessionStore,
    clock: MovedClock,
    key: bytes = KEY,
    *,
    index: Index = OF_ADA,
    replacing: tuple[bytes, ...] = (),
    lifetime: timedelta = HOUR,
) -> None:
    await store.insert(
        key, record=b"record", tokens=b"tokens", expires_at=clock() + lifetime, index=index, replacing=replacing
    )


async def test_both_parts_come_back_as_they_were_put(store: SessionStore, clock: MovedClock) -> None:
    """What was inserted is read back byte for byte, at version 1."""
    everything = bytes(range(256))
    await store.insert(KEY, record=everything, tokens=everything[::-1], expires_at=clock() + HOUR, index=OF_ADA)
    assert await store.get(KEY) == (everything, 1)
    assert await store.get_tokens(KEY) == (everything[::-1], 1)


async def test_an_unknown_key_is_nothing(store: SessionStore) -> None:
    """A key that was never inserted gives None for both parts, and can be neither replaced nor missed."""
    assert await store.get(KEY) is None
    assert await store.get_tokens(KEY) is None
    await store.delete([KEY])


async def test_a_replacement_raises_the_version(store: SessionStore, clock: MovedClock) -> None:
    """Each replacement of a part raises the version of that part by one, and leaves the other part alone."""
    await insert(store, clock)
    assert await store.replace(KEY, record=b"second", version=1, expires_at=clock() + HOUR)
    assert await store.get(KEY) == (b"second", 2)
    assert await store.get_tokens(KEY) == (b"tokens", 1)
    assert await store.replace_tokens(KEY, tokens=b"renewed", version=1, due_at=None)
    assert await store.get_tokens(KEY) == (b"renewed", 2)
    assert await store.get(KEY) == (b"second", 2)


async def test_a_stale_writer_loses(store: SessionStore, clock: MovedClock) -> None:
    """A replacement that names an old version does nothing and says so (SES-6)."""
    await insert(store, clock)
    assert await store.replace(KEY, record=b"first to come", version=1, expires_at=clock() + HOUR)
    assert not await store.replace(KEY, record=b"stale", version=1, expires_at=clock() + HOUR)
    assert await store.get(KEY) == (b"first to come", 2)
    assert await store.replace_tokens(KEY, tokens=b"first to come", version=1, due_at=None)
    assert not await store.replace_tokens(KEY, tokens=b"stale", version=1, due_at=None)
    assert await store.get_tokens(KEY) == (b"first to come", 2)


async def test_of_many_writers_of_one_version_one_wins(store: SessionStore, clock: MovedClock) -> None:
    """Of eight concurrent replacements of the same version exactly one is done."""
    await insert(store, clock)
    won: list[bytes] = []

    async def write(number: int) -> None:
        record = str(number).encode()
        if await store.replace(KEY, record=record, version=1, expires_at=clock() + HOUR):
            won.append(record)

    async with anyio.create_task_group() as group:
        for number in range(AT_ONCE):
            group.start_soon(write, number)
    assert len(won) == 1
    assert await store.get(KEY) == (won[0], 2)


async def test_deleted_is_gone_and_stays_gone(store: SessionStore, clock: MovedClock) -> None:
    """After a delete both parts are gone, and no late replacement brings them back (SEC-075)."""
    await insert(store, clock)
    await store.delete([KEY])
    assert not await store.replace(KEY, record=b"late", version=1, expires_at=clock() + HOUR)
    assert not await store.replace_tokens(KEY, tokens=b"late", version=1, due_at=None)
    assert await store.get(KEY) is None
    assert await store.get_tokens(KEY) is None


async def test_insert_ends_those_it_replaces(store: SessionStore, clock: MovedClock) -> None:
    """An insert deletes the sessions that it replaces, and only those."""
    third = b"3" * 32
    await insert(store, clock, KEY)
    await insert(store, clock, third)
    await insert(store, clock, OTHER, replacing=(KEY, b"never there"))
    assert await store.get(KEY) is None
    assert await store.get_tokens(KEY) is None
    assert await store.get(OTHER) == (b"record", 1)
    assert await store.get(third) == (b"record", 1)


async def test_the_expired_gives_no_tokens_and_takes_no_writes(store: SessionStore, clock: MovedClock) -> None:
    """From its expiry on a session's tokens are not read, and it can no longer be extended."""
    await insert(store, clock)
    clock.move(HOUR)
    assert await store.get_tokens(KEY) is None
    assert not await store.replace(KEY, record=b"late", version=1, expires_at=clock() + HOUR)
    assert not await store.replace_tokens(KEY, tokens=b"late", version=1, due_at=None)


async def test_a_replacement_moves_the_expiry(store: SessionStore, clock: MovedClock) -> None:
    """The expiry that a replacement names counts from then on."""
    await insert(store, clock)
    assert await store.replace(KEY, record=b"used", version=1, expires_at=clock() + 2 * HOUR)
    clock.move(HOUR)
    assert await store.delete_expired(limit=10) == 0
    assert await store.get_tokens(KEY) == (b"tokens", 1)


async def test_a_transaction_is_spent_once(store: SessionStore, clock: MovedClock) -> None:
    """Of eight concurrent callers exactly one adds a key that is absent (SEC-014)."""
    outcomes: list[bool] = []

    async def spend() -> None:
        outcomes.append(await store.add_if_absent(KEY, lifetime=HOUR))

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(spend)
    assert sorted(outcomes) == [False] * (AT_ONCE - 1) + [True]
    assert await store.add_if_absent(OTHER, lifetime=HOUR)


async def test_a_spent_key_is_remembered_for_its_lifetime(store: SessionStore, clock: MovedClock) -> None:
    """A key is absent again only when its lifetime is over, swept or not."""
    assert await store.add_if_absent(KEY, lifetime=HOUR)
    clock.move(HOUR - timedelta(seconds=1))
    await store.delete_expired(limit=10)
    assert not await store.add_if_absent(KEY, lifetime=HOUR)
    clock.move(timedelta(seconds=1))
    assert await store.add_if_absent(KEY, lifetime=HOUR)
    assert not await store.add_if_absent(KEY, lifetime=HOUR)


async def test_the_sweep_takes_the_expired_only_and_in_batches(
    store: SessionStore, clock: MovedClock, forgets_by_itself: bool
) -> None:
    """A sweep deletes at most `limit` expired sessions and as many spent keys, never a living one.

    Where the store's own expiry does it there is nothing to sweep, and what has expired is of no use until then.
    """
    for number in range(5):
        await insert(store, clock, bytes([number]) * 32)
        await store.add_if_absent(bytes([number]) * 32, lifetime=HOUR)
    clock.move(HOUR / 2)
    await insert(store, clock, KEY)
    await store.add_if_absent(KEY, lifetime=HOUR)
    assert await store.delete_expired(limit=3) == 0
    clock.move(HOUR / 2)
    swept = [await store.delete_expired(limit=3) for _ in range(3)]
    assert swept == ([0, 0, 0] if forgets_by_itself else [6, 4, 0])
    assert await store.get(KEY) == (b"record", 1)
    assert forgets_by_itself or await store.get(bytes(32)) is None
    assert await store.get_tokens(bytes(32)) is None
    assert await store.add_if_absent(bytes(32), lifetime=HOUR)
    assert not await store.add_if_absent(KEY, lifetime=HOUR)


async def test_a_scan_gives_each_living_session_once(store: SessionStore, clock: MovedClock) -> None:
    """Key, record and tokens of all that live, however many batches that takes; nothing of the expired."""
    await insert(store, clock, bytes(32))
    clock.move(HOUR)
    keys = [number.to_bytes(32, "big") for number in range(1, 450)]
    for key in keys:
        await insert(store, clock, key)
    assert sorted([row async for row in store.scan()]) == [(key, (b"record", 1), (b"tokens", 1)) for key in keys]


async def test_another_seal_changes_nothing_else(store: SessionStore, clock: MovedClock) -> None:
    """Parts put in place of their own version keep it, their index and when they are due; other versions lose."""
    await insert(store, clock, index=Index(user=ADA, sid=SID, due_at=clock()))
    await store.reseal([Resealed(KEY, (b"signed anew", 1), (b"sealed anew", 1)), Resealed(OTHER, (b"", 1), None)])
    assert (await store.get(KEY), await store.get_tokens(KEY)) == ((b"signed anew", 1), (b"sealed anew", 1))
    assert await store.get(OTHER) is None
    assert (await store.by_sid(SID), await store.due(before=clock() + SECOND, limit=1)) == ([KEY], [KEY])
    assert await store.replace(KEY, record=b"touched", version=1, expires_at=clock() + HOUR)
    assert await store.replace_tokens(KEY, tokens=b"renewed", version=1, due_at=None)
    await store.reseal([Resealed(KEY, (b"late", 1), (b"late", 1))])
    assert (await store.get(KEY), await store.get_tokens(KEY)) == ((b"touched", 2), (b"renewed", 2))
    await store.reseal([Resealed(KEY, None, (b"sealed anew", 2)), Resealed(OTHER, None, None)])
    assert (await store.get(KEY), await store.get_tokens(KEY)) == ((b"touched", 2), (b"sealed anew", 2))


async def users_keys(store: SessionStore, user: bytes, *, limit: int = 100) -> list[bytes]:
    return sorted(key for key, _ in await store.by_user(user, limit=limit))


async def test_sessions_are_found_by_their_user(store: SessionStore, clock: MovedClock) -> None:
    """Key and record of each living session of one user are found, no more than asked for, and of nobody else."""
    for number in range(5):
        await insert(store, clock, bytes([number]) * 32)
    await insert(store, clock, KEY, index=Index(user=EVE, sid=None, due_at=None))
    assert await users_keys(store, ADA) == [bytes([number]) * 32 for number in range(5)]
    assert await store.by_user(EVE, limit=5) == [(KEY, (b"record", 1))]
    assert len(await store.by_user(ADA, limit=3)) == 3
    assert await store.by_user(NOT_INDEXED, limit=5) == []


async def test_what_has_ended_is_not_found(store: SessionStore, clock: MovedClock) -> None:
    """Deleted, replaced and expired sessions are found by nothing, swept or not."""
    index = Index(user=ADA, sid=SID, due_at=clock())
    first, second, third = b"1" * 32, b"2" * 32, b"3" * 32
    for key in (first, second, third):
        await insert(store, clock, key, index=index)
    await store.delete([first])
    await insert(store, clock, KEY, index=index, replacing=(second,), lifetime=2 * HOUR)
    later = clock() + 9 * HOUR
    assert await users_keys(store, ADA) == [third, KEY]
    assert sorted(await store.by_sid(SID)) == [third, KEY]
    assert sorted(await store.due(before=later, limit=9)) == [third, KEY]
    clock.move(HOUR)
    for _ in range(2):
        assert await users_keys(store, ADA) == [KEY]
        assert await store.by_sid(SID) == [KEY]
        assert await store.due(before=later, limit=9) == [KEY]
        await store.delete_expired(limit=9)


async def test_a_session_in_use_stays_found(store: SessionStore, clock: MovedClock) -> None:
    """What replaces a part and moves the expiry leaves the session found by what it was found by."""
    await insert(store, clock, index=Index(user=ADA, sid=SID, due_at=clock() + HOUR))
    assert await store.replace(KEY, record=b"used", version=1, expires_at=clock() + 3 * HOUR)
    clock.move(2 * HOUR)
    assert await store.by_user(ADA, limit=5) == [(KEY, (b"used", 2))]
    assert await store.by_sid(SID) == [KEY]
    assert await store.due(before=clock(), limit=5) == [KEY]


async def test_a_session_is_indexed_anew(store: SessionStore, clock: MovedClock) -> None:
    """A new index takes the place of the old one; a session that is not there is not made."""
    await insert(store, clock, index=Index(user=ADA, sid=SID, due_at=clock()))
    index = Index(user=EVE, sid=b"t" * 32, due_at=None)
    await store.index({KEY: index, OTHER: index})
    assert await users_keys(store, ADA) == []
    assert await store.by_sid(SID) == []
    assert await store.due(before=clock() + HOUR, limit=5) == []
    assert await users_keys(store, EVE) == [KEY]
    assert await store.by_sid(b"t" * 32) == [KEY]
    assert await store.get(OTHER) is None


async def test_the_due_come_soonest_first(store: SessionStore, clock: MovedClock) -> None:
    """Of the living sessions those due before a time are given, soonest first and at most so many; others never."""
    for number in (3, 1, 2, 5):
        await insert(store, clock, bytes([number]) * 32, index=Index(ADA, None, clock() + number * SECOND))
    await insert(store, clock, KEY)
    assert await store.due(before=clock() + 5 * SECOND, limit=9) == [bytes([number]) * 32 for number in (1, 2, 3)]
    assert await store.due(before=clock() + 5 * SECOND, limit=2) == [bytes([number]) * 32 for number in (1, 2)]
    assert await store.due(before=clock() + SECOND, limit=9) == []


async def test_the_expired_do_not_stand_before_the_living(store: SessionStore, clock: MovedClock) -> None:
    """However many expired sessions were due sooner, the living one that is due is among the first."""
    for number in range(20):
        await insert(store, clock, bytes([number]) * 32, index=Index(ADA, None, clock()))
    await insert(store, clock, index=Index(ADA, None, clock() + SECOND), lifetime=2 * HOUR)
    clock.move(HOUR)
    assert await store.due(before=clock(), limit=1) == [KEY]
    assert await store.by_user(ADA, limit=1) == [(KEY, (b"record", 1))]


async def test_new_tokens_are_due_anew(store: SessionStore, clock: MovedClock) -> None:
    """Tokens that are replaced set when the session is due, a stale writer does not; None: never again."""
    await insert(store, clock, index=Index(ADA, None, clock()))
    later = clock() + HOUR
    assert await store.replace_tokens(KEY, tokens=b"new", version=1, due_at=clock() + 2 * SECOND)
    assert not await store.replace_tokens(KEY, tokens=b"stale", version=1, due_at=clock())
    assert await store.due(before=clock() + 2 * SECOND, limit=5) == []
    assert await store.due(before=later, limit=5) == [KEY]
    assert await store.replace_tokens(KEY, tokens=b"newer", version=2, due_at=None)
    assert await store.due(before=later, limit=5) == []


async def test_what_is_due_can_wait(store: SessionStore, clock: MovedClock) -> None:
    """A postponed session is due at its new time, its parts untouched; one that is not there is not made."""
    await insert(store, clock, index=Index(ADA, None, clock()))
    await store.postpone(KEY, due_at=clock() + 2 * SECOND)
    await store.postpone(OTHER, due_at=clock())
    assert await store.due(before=clock() + SECOND, limit=5) == []
    assert await store.due(before=clock() + HOUR, limit=5) == [KEY]
    assert await store.get_tokens(KEY) == (b"tokens", 1)
    await store.postpone(KEY, due_at=None)
    assert await store.due(before=clock() + HOUR, limit=5) == []


LEASE = timedelta(seconds=0.4)


async def pass_the_lease(clock: MovedClock) -> None:
    """Let a lease run out, for stores that ask our clock and for those that ask their server's."""
    clock.move(LEASE)
    await anyio.sleep(LEASE.total_seconds() + 0.05)


async def test_a_lease_has_one_holder(store: SessionStore) -> None:
    """Of eight that want a lease at once exactly one gets it; another name is another lease."""
    fences: list[int | None] = []

    async def take(number: int) -> None:
        fences.append(await store.take_lease(KEY, holder=str(number).encode(), lifetime=HOUR))

    async with anyio.create_task_group() as group:
        for number in range(AT_ONCE):
            group.start_soon(take, number)
    assert fences.count(None) == AT_ONCE - 1
    assert await store.take_lease(OTHER, holder=b"other", lifetime=HOUR) is not None


async def test_fences_only_grow(store: SessionStore, clock: MovedClock) -> None:
    """Each time a lease is taken its fence is greater: by its holder again, after it was dropped, after it ran out."""
    fences = [await store.take_lease(KEY, holder=b"one", lifetime=HOUR) for _ in range(2)]
    await store.drop_lease(KEY, holder=b"one")
    fences.append(await store.take_lease(KEY, holder=b"two", lifetime=LEASE))
    await pass_the_lease(clock)
    await store.delete_expired(limit=5)
    fences.append(await store.take_lease(KEY, holder=b"three", lifetime=HOUR))
    given = [fence for fence in fences if fence is not None]
    assert len(given) == 4
    assert given == sorted(set(given))


async def test_a_lease_runs_out(store: SessionStore, clock: MovedClock) -> None:
    """A lease that is not extended is another's to take; who held it can neither extend it nor drop the other's."""
    assert await store.take_lease(KEY, holder=b"one", lifetime=LEASE)
    assert await store.take_lease(KEY, holder=b"two", lifetime=HOUR) is None
    await pass_the_lease(clock)
    assert not await store.extend_lease(KEY, holder=b"one", lifetime=HOUR)
    assert await store.take_lease(KEY, holder=b"two", lifetime=HOUR)
    assert not await store.extend_lease(KEY, holder=b"one", lifetime=HOUR)
    await store.drop_lease(KEY, holder=b"one")
    assert await store.take_lease(KEY, holder=b"one", lifetime=HOUR) is None


async def test_a_lease_is_extended(store: SessionStore, clock: MovedClock) -> None:
    """A lease that its holder extends outlives its first lifetime; one that was never taken cannot be extended."""
    assert not await store.extend_lease(KEY, holder=b"one", lifetime=HOUR)
    assert await store.take_lease(KEY, holder=b"one", lifetime=LEASE)
    assert await store.extend_lease(KEY, holder=b"one", lifetime=HOUR)
    await pass_the_lease(clock)
    assert await store.take_lease(KEY, holder=b"two", lifetime=HOUR) is None
    await store.drop_lease(KEY, holder=b"one")
    assert await store.take_lease(KEY, holder=b"two", lifetime=HOUR)
