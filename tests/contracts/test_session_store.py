"""What every session store promises."""

from datetime import timedelta

import anyio

from entrada.sessions.store import SessionStore
from tests.moved_clock import MovedClock

KEY, OTHER = b"k" * 32, b"o" * 32
HOUR = timedelta(hours=1)


async def insert(
    store: SessionStore, clock: MovedClock, key: bytes = KEY, *, replacing: tuple[bytes, ...] = ()
) -> None:
    await store.insert(key, record=b"record", tokens=b"tokens", expires_at=clock() + HOUR, replacing=replacing)


async def test_both_parts_come_back_as_they_were_put(store: SessionStore, clock: MovedClock) -> None:
    """What was inserted is read back byte for byte, at version 1."""
    everything = bytes(range(256))
    await store.insert(KEY, record=everything, tokens=everything[::-1], expires_at=clock() + HOUR)
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
    assert await store.replace_tokens(KEY, tokens=b"renewed", version=1)
    assert await store.get_tokens(KEY) == (b"renewed", 2)
    assert await store.get(KEY) == (b"second", 2)


async def test_a_stale_writer_loses(store: SessionStore, clock: MovedClock) -> None:
    """A replacement that names an old version does nothing and says so (SES-6)."""
    await insert(store, clock)
    assert await store.replace(KEY, record=b"first to come", version=1, expires_at=clock() + HOUR)
    assert not await store.replace(KEY, record=b"stale", version=1, expires_at=clock() + HOUR)
    assert await store.get(KEY) == (b"first to come", 2)
    assert await store.replace_tokens(KEY, tokens=b"first to come", version=1)
    assert not await store.replace_tokens(KEY, tokens=b"stale", version=1)
    assert await store.get_tokens(KEY) == (b"first to come", 2)


async def test_of_many_writers_of_one_version_one_wins(store: SessionStore, clock: MovedClock) -> None:
    """Of twenty concurrent replacements of the same version exactly one is done."""
    await insert(store, clock)
    won: list[bytes] = []

    async def write(number: int) -> None:
        record = str(number).encode()
        if await store.replace(KEY, record=record, version=1, expires_at=clock() + HOUR):
            won.append(record)

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(write, number)
    assert len(won) == 1
    assert await store.get(KEY) == (won[0], 2)


async def test_deleted_is_gone_and_stays_gone(store: SessionStore, clock: MovedClock) -> None:
    """After a delete both parts are gone, and no late replacement brings them back (SEC-075)."""
    await insert(store, clock)
    await store.delete([KEY])
    assert not await store.replace(KEY, record=b"late", version=1, expires_at=clock() + HOUR)
    assert not await store.replace_tokens(KEY, tokens=b"late", version=1)
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
    assert not await store.replace_tokens(KEY, tokens=b"late", version=1)


async def test_a_replacement_moves_the_expiry(store: SessionStore, clock: MovedClock) -> None:
    """The expiry that a replacement names counts from then on."""
    await insert(store, clock)
    assert await store.replace(KEY, record=b"used", version=1, expires_at=clock() + 2 * HOUR)
    clock.move(HOUR)
    assert await store.delete_expired(limit=10) == 0
    assert await store.get_tokens(KEY) == (b"tokens", 1)


async def test_a_transaction_is_spent_once(store: SessionStore, clock: MovedClock) -> None:
    """Of fifty concurrent callers exactly one adds a key that is absent (SEC-014)."""
    outcomes: list[bool] = []

    async def spend() -> None:
        outcomes.append(await store.add_if_absent(KEY, lifetime=HOUR))

    async with anyio.create_task_group() as group:
        for _ in range(50):
            group.start_soon(spend)
    assert sorted(outcomes) == [False] * 49 + [True]
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


async def test_the_sweep_takes_the_expired_only_and_in_batches(store: SessionStore, clock: MovedClock) -> None:
    """A sweep deletes at most `limit` expired sessions and as many spent keys, never a living one."""
    for number in range(5):
        await insert(store, clock, bytes([number]) * 32)
        await store.add_if_absent(bytes([number]) * 32, lifetime=HOUR)
    clock.move(HOUR / 2)
    await insert(store, clock, KEY)
    await store.add_if_absent(KEY, lifetime=HOUR)
    assert await store.delete_expired(limit=3) == 0
    clock.move(HOUR / 2)
    assert [await store.delete_expired(limit=3) for _ in range(3)] == [6, 4, 0]
    assert await store.get(KEY) == (b"record", 1)
    assert await store.get(bytes(32)) is None
    assert not await store.add_if_absent(KEY, lifetime=HOUR)


async def test_a_scan_gives_each_living_session_once(store: SessionStore, clock: MovedClock) -> None:
    """Key, record and tokens of all that live, however many batches that takes; nothing of the expired."""
    await insert(store, clock, bytes(32))
    clock.move(HOUR)
    keys = [number.to_bytes(32, "big") for number in range(1, 450)]
    for key in keys:
        await insert(store, clock, key)
    assert sorted([row async for row in store.scan()]) == [(key, b"record", b"tokens") for key in keys]
