"""What a session's life promises, whichever store it is kept in."""

from dataclasses import replace
from datetime import timedelta

import pytest

from entrada.keyring import KeyRing, generate
from entrada.principal import User
from entrada.sessions.lifecycle import Sessions
from entrada.sessions.lifetimes import Lifetimes
from entrada.sessions.record import RequestFacts
from entrada.sessions.sealing import Sealer
from entrada.sessions.stores.store import SessionStore
from entrada.sessions.suffixes import GRACE
from tests.moved_clock import MovedClock

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ADA = User(
    issuer="https://login.microsoftonline.com/tenant/v2.0",
    subject="ada-sub",
    tenant_id="11111111-1111-4111-8111-111111111111",
    object_id="22222222-2222-4222-8222-222222222222",
    name="Ada Lovelace",
    email="ada@contoso.com",
    roles=frozenset({"Admin"}),
    amr=("pwd", "mfa"),
    sid="the-sid",
)
EVE = User(issuer=ADA.issuer, subject="eve-sub", sid="eves-sid")


def over(store: SessionStore, clock: MovedClock, ring: str | None = None, **lifetimes: timedelta) -> Sessions:
    keys = KeyRing.parse(ring or generate())
    return Sessions(store, sealer=Sealer(keys), ring=keys, clock=clock, lifetimes=Lifetimes(**lifetimes))


@pytest.fixture
def sessions(store: SessionStore, clock: MovedClock) -> Sessions:
    return over(store, clock)


async def test_a_session_remembers_who_and_since_when(sessions: Sessions, clock: MovedClock) -> None:
    """The person, the times and the facts of the sign-in come back as they were (SES-2)."""
    facts = RequestFacts(address="192.0.2.7", user_agent="Firefox")
    session_id, begun = await sessions.begin(ADA, tokens=b"tokens", facts=facts)
    session = await sessions.load(session_id)
    assert session == begun
    assert session.user == ADA
    assert session.record.facts == facts
    assert (session.created_at, session.last_seen_at) == (clock(), clock())
    assert (session.idle_expires_at, session.expires_at) == (clock() + HOUR, clock() + 7 * DAY)


async def test_ids_are_256_random_bits(sessions: Sessions) -> None:
    """Each id is 43 characters of base64url, and no two are the same (SEC-069, SES-1)."""
    ids = {(await sessions.begin(ADA, tokens=b""))[0] for _ in range(50)}
    assert len(ids) == 50
    assert {len(session_id) for session_id in ids} == {43}


@pytest.mark.parametrize(
    "session_id", ["", "x", "A" * 42, "A" * 44, "A" * 43, "A" * 42 + "é", "A" * 42 + "\n", "A" * 99999]
)
async def test_what_is_no_id_of_ours_is_no_session(sessions: Sessions, session_id: str) -> None:
    """An unknown or malformed id loads nothing, ends nothing and is no error (SEC-072)."""
    assert await sessions.load(session_id) is None
    await sessions.end(session_id)


async def test_an_idle_session_has_ended(sessions: Sessions, clock: MovedClock) -> None:
    """A session that is not used for its idle lifetime has ended, swept or not (SEC-073)."""
    session_id, _ = await sessions.begin(ADA, tokens=b"")
    clock.move(HOUR - timedelta(seconds=1))
    assert await sessions.load(session_id)
    clock.move(timedelta(seconds=1))
    assert await sessions.load(session_id) is None


async def test_activity_cannot_extend_the_absolute_lifetime(store: SessionStore, clock: MovedClock) -> None:
    """A session in constant use ends at its absolute lifetime all the same (SEC-073)."""
    sessions = over(store, clock, idle=HOUR, absolute=DAY)
    session_id, begun = await sessions.begin(ADA, tokens=b"")
    for _ in range(47):
        clock.move(HOUR / 2)
        session = await sessions.load(session_id)
        assert session
        assert await sessions.touch(session)
        assert session.expires_at == begun.expires_at
    clock.move(HOUR / 2)
    assert await sessions.load(session_id) is None


async def test_the_remembered_end_at_their_absolute_lifetime(store: SessionStore, clock: MovedClock) -> None:
    """Unused or used each day, a remembered session ends at its own absolute lifetime, to the second (SEC-074)."""
    sessions = over(store, clock, idle=HOUR, absolute=DAY, remembered=3 * DAY)
    unused, begun = await sessions.begin(ADA, tokens=b"", remember=True)
    used, _ = await sessions.begin(ADA, tokens=b"", remember=True)
    assert (begun.remembered, begun.idle_expires_at, begun.expires_at) == (True, clock() + 3 * DAY, clock() + 3 * DAY)
    for _ in range(5):
        clock.move(DAY / 2)
        session = await sessions.load(used)
        assert session
        assert await sessions.touch(session)
    clock.move(DAY / 2 - timedelta(seconds=1))
    assert await sessions.load(unused)
    clock.move(timedelta(seconds=1))
    assert await sessions.load(unused) is None
    assert await sessions.load(used) is None


async def test_a_renewal_cannot_extend_any_lifetime(sessions: Sessions, clock: MovedClock) -> None:
    """New tokens leave the expiry of the session as it was (SEC-073)."""
    session_id, session = await sessions.begin(ADA, tokens=b"old")
    clock.move(HOUR - timedelta(seconds=1))
    assert await sessions.save_tokens(session, b"new", version=1)
    clock.move(timedelta(seconds=1))
    assert await sessions.load(session_id) is None
    assert await sessions.tokens(session) is None


async def test_a_touch_is_written_once_a_minute(sessions: Sessions, clock: MovedClock) -> None:
    """Within a minute of the last one a touch writes nothing; after it, it moves last seen and the idle expiry."""
    session_id, session = await sessions.begin(ADA, tokens=b"")
    clock.move(MINUTE - timedelta(seconds=1))
    assert not await sessions.touch(session)
    clock.move(timedelta(seconds=1))
    assert await sessions.touch(session)
    touched = await sessions.load(session_id)
    assert touched
    assert (touched.last_seen_at, touched.idle_expires_at) == (clock(), clock() + HOUR)
    assert not await sessions.touch(touched)


async def test_short_idle_lifetimes_are_touched_oftener(store: SessionStore, clock: MovedClock) -> None:
    """With an idle lifetime of a minute a session in use lives on, touched each second."""
    sessions = over(store, clock, idle=MINUTE)
    session_id, session = await sessions.begin(ADA, tokens=b"")
    clock.move(timedelta(seconds=1))
    assert await sessions.touch(session)
    clock.move(timedelta(seconds=59))
    assert await sessions.load(session_id)


async def test_a_new_id_at_sign_in_and_the_old_one_dies(sessions: Sessions) -> None:
    """Beginning a session gives a new id and ends the one it replaces (SEC-071)."""
    old_id, old = await sessions.begin(ADA, tokens=b"old")
    new_id, _ = await sessions.begin(ADA, tokens=b"new", replacing=old_id)
    assert new_id != old_id
    assert await sessions.load(old_id) is None
    assert await sessions.tokens(old) is None
    assert await sessions.load(new_id)


async def test_an_ended_session_is_never_brought_back(sessions: Sessions, clock: MovedClock) -> None:
    """What a request that was already under way writes after the end is lost (SEC-075)."""
    session_id, session = await sessions.begin(ADA, tokens=b"old")
    clock.move(2 * MINUTE)
    await sessions.end(session_id)
    assert not await sessions.touch(session)
    assert not await sessions.save_tokens(session, b"late", version=1)
    assert await sessions.load(session_id) is None
    assert await sessions.tokens(session) is None


async def test_ending_is_idempotent_and_hits_one(sessions: Sessions) -> None:
    """Ending twice is no error, and other sessions of the same person go on (REL-034)."""
    first, _ = await sessions.begin(ADA, tokens=b"")
    second, _ = await sessions.begin(ADA, tokens=b"")
    await sessions.end(first)
    await sessions.end(first)
    assert await sessions.load(first) is None
    assert await sessions.load(second)


async def test_tokens_come_back_and_are_replaced_by_version(sessions: Sessions) -> None:
    """Of two renewals of the same tokens the first is kept; a touch in between makes neither lose (SES-6)."""
    _, session = await sessions.begin(ADA, tokens=b"old")
    opened = await sessions.tokens(session)
    assert opened
    assert (opened.blob, opened.version) == (b"old", 1)
    assert await sessions.save_tokens(session, b"first", version=1)
    assert not await sessions.save_tokens(session, b"second", version=1)
    again = await sessions.tokens(session)
    assert again
    assert (again.blob, again.version) == (b"first", 2)


async def test_a_touch_does_not_make_a_renewal_lose(sessions: Sessions, clock: MovedClock) -> None:
    """Record and tokens have versions of their own."""
    _, session = await sessions.begin(ADA, tokens=b"old")
    clock.move(MINUTE)
    assert await sessions.touch(session)
    assert await sessions.save_tokens(session, b"new", version=1)


async def test_sessions_outlive_a_rotation_of_the_ring(store: SessionStore, clock: MovedClock) -> None:
    """Old sessions load and renew under a ring with a new key in front; without their key they are gone (SEC-170)."""
    old, new = generate(), generate()
    session_id, _ = await over(store, clock, old).begin(ADA, tokens=b"tokens")
    rotated = over(store, clock, f"{new},{old}")
    session = await rotated.load(session_id)
    assert session
    clock.move(MINUTE)
    assert await rotated.touch(session)
    assert await rotated.load(session_id)
    tokens = await rotated.tokens(session)
    assert tokens
    assert tokens.blob == b"tokens"
    assert await over(store, clock, new).load(session_id) is None
    await rotated.end(session_id)
    assert await rotated.load(session_id) is None


async def test_a_transaction_is_spent_once_even_while_keys_rotate(store: SessionStore, clock: MovedClock) -> None:
    """Workers with different rings agree that a transaction is used (SEC-014)."""
    assert await over(store, clock).spend_once("transaction", lifetime=HOUR)
    assert not await over(store, clock).spend_once("transaction", lifetime=HOUR)
    assert await over(store, clock).spend_once("another", lifetime=HOUR)


async def test_the_sweep_removes_what_has_ended(sessions: Sessions, clock: MovedClock, forgets_by_itself: bool) -> None:
    """Ended sessions leave the store, living ones stay."""
    await sessions.begin(ADA, tokens=b"")
    clock.move(HOUR)
    living, _ = await sessions.begin(ADA, tokens=b"")
    assert await sessions.sweep() == (0 if forgets_by_itself else 1)
    assert await sessions.sweep() == 0
    assert await sessions.load(living)


async def test_a_person_finds_their_sessions(sessions: Sessions, clock: MovedClock) -> None:
    """A person's living sessions are listed, the last used first; those of others never (SES-7)."""
    begun = []
    for _ in range(3):
        begun.append((await sessions.begin(ADA, tokens=b""))[1])
        clock.move(MINUTE)
    await sessions.begin(EVE, tokens=b"")
    assert await sessions.touch(begun[0])
    assert [session.key for session in await sessions.by_user(ADA)] == [begun[n].key for n in (0, 2, 1)]
    assert len(await sessions.by_user(ADA, limit=2)) == 2


async def test_a_handle_names_one_of_the_persons_sessions(store: SessionStore, clock: MovedClock) -> None:
    """A page's handle finds the session among its person's, also after a rotation, and nobody else's (SES-7)."""
    old, new = generate(), generate()
    sessions = over(store, clock, old)
    _, first = await sessions.begin(ADA, tokens=b"")
    _, second = await sessions.begin(ADA, tokens=b"")
    handle = sessions.handle(first)
    assert len(handle) == 22
    assert handle != sessions.handle(second)
    for ring in (old, f"{new},{old}"):
        assert await over(store, clock, ring).by_handle(ADA, handle) == first
        assert await over(store, clock, ring).by_handle(EVE, handle) is None
    for other in ("", "x", first.key.hex(), "\ud800" * 22):
        assert await sessions.by_handle(ADA, other) is None
    await sessions.end_sessions([first.key])
    assert await sessions.by_handle(ADA, handle) is None


async def test_all_but_one_end(sessions: Sessions) -> None:
    """Ending all others leaves the one and other people's; ending all leaves none (SES-7, OUT-4)."""
    begun = [await sessions.begin(ADA, tokens=b"") for _ in range(4)]
    eves, _ = await sessions.begin(EVE, tokens=b"")
    assert await sessions.end_all_of(ADA, but=begun[1][1]) == 3
    assert [bool(await sessions.load(session_id)) for session_id, _ in begun] == [False, True, False, False]
    assert await sessions.end_all_of(ADA) == 1
    assert await sessions.load(begun[1][0]) is None
    assert await sessions.load(eves)


async def test_the_authority_ends_by_sid(sessions: Sessions) -> None:
    """Every session of a `sid` is found and ends, of that issuer only; none without one is hit (SEC-098)."""
    first, _ = await sessions.begin(ADA, tokens=b"")
    second, _ = await sessions.begin(ADA, tokens=b"")
    eves, _ = await sessions.begin(EVE, tokens=b"")
    assert await sessions.by_sid("https://other.example", "the-sid") == []
    assert await sessions.by_sid(ADA.issuer, "") == []
    await sessions.end_sessions([session.key for session in await sessions.by_sid(ADA.issuer, "the-sid")])
    assert await sessions.load(first) is None
    assert await sessions.load(second) is None
    assert await sessions.load(eves)


async def test_a_sid_of_many_tenants(store: SessionStore, clock: MovedClock) -> None:
    """SEC-100: where issuers are many a `sid` is enough; sessions of an older release are found by their issuer."""
    ring = KeyRing.parse(generate())
    before = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock)
    now = Sessions(store, sealer=Sealer(ring), ring=ring, clock=clock, sids_under="{tenantid}")
    await before.begin(ADA, tokens=b"")
    await now.begin(ADA, tokens=b"")
    await now.begin(replace(ADA, issuer="https://other.example"), tokens=b"")
    assert len(await now.by_sid(None, "the-sid")) == 2
    assert len(await now.by_sid(ADA.issuer, "the-sid")) == 2
    assert len(await now.by_sid("https://other.example", "the-sid")) == 1
    assert await now.by_sid(None, "another") == []


async def test_people_are_found_across_a_rotation(store: SessionStore, clock: MovedClock) -> None:
    """Sessions of before and after a rotation of the ring are listed and ended together (SEC-170)."""
    old, new = generate(), generate()
    await over(store, clock, old).begin(ADA, tokens=b"")
    rotated = over(store, clock, f"{new},{old}")
    await rotated.begin(ADA, tokens=b"")
    assert len(await rotated.by_user(ADA)) == 2
    assert len(await rotated.by_sid(ADA.issuer, "the-sid")) == 2
    assert await rotated.end_all_of(ADA) == 2


async def test_the_due_are_opened_without_a_cookie(sessions: Sessions, clock: MovedClock) -> None:
    """Sessions whose tokens want renewal are found by time and opened by their key; postponed ones wait (TOK-3)."""
    _, session = await sessions.begin(ADA, tokens=b"old", due_at=clock())
    _, other = await sessions.begin(EVE, tokens=b"old", due_at=clock() + HOUR)
    assert await sessions.due(before=clock() + MINUTE, limit=5) == [session.key]
    assert await sessions.by_key(session.key) == session
    await sessions.postpone(session, due_at=clock() + MINUTE)
    assert await sessions.due(before=clock() + MINUTE, limit=5) == []
    assert await sessions.save_tokens(session, b"new", version=1, due_at=None)
    assert await sessions.due(before=clock() + 2 * HOUR, limit=5) == [other.key]
    await sessions.end_sessions([session.key])
    assert await sessions.by_key(session.key) is None


async def test_nothing_prints_a_session(sessions: Sessions) -> None:
    """The text of a session shows neither its person nor its key nor its tokens."""
    session_id, session = await sessions.begin(ADA, tokens=b"a-token")
    shown = f"{session!r} {session} {await sessions.tokens(session)!r}"
    for secret in (session_id, repr(session.key), "a-token", "Ada", "the-sid"):
        assert secret not in shown


async def test_another_identifier_after_a_change_of_roles(sessions: Sessions, clock: MovedClock) -> None:
    """SES-3, SEC-071: a grant brings another identifier; the one before is good until it was taken up, and a while."""
    before, begun = await sessions.begin(ADA, tokens=b"tokens")
    assert sessions.next_id(begun, before) is None
    await sessions.regrant_all_of(ADA, frozenset({"Editor"}))
    clock.move(HOUR / 2)
    sent_together = [await sessions.visit(before) for _ in range(3)]
    given = {sessions.next_id(session, before) for session in sent_together if session}
    (after,) = given
    assert after
    assert after != before
    assert await sessions.load(before), "an answer may be lost"
    taken_up = await sessions.visit(after)
    assert taken_up
    assert sessions.next_id(taken_up, after) is None
    assert taken_up.key == begun.key, "whoever renews its tokens finds it"
    clock.move(GRACE - timedelta(seconds=1))
    late = await sessions.visit(before)
    assert late
    assert sessions.next_id(late, before) is None, "what left before is answered, and given nothing"
    clock.move(timedelta(seconds=1))
    assert await sessions.visit(before) is None
    for invented in (f"{before}{'A' * 22}2", after[:-1], after + "0", f"{after[:-1]}2", before + "é" * 22, after + "²"):
        assert await sessions.visit(invented) is None
    assert await sessions.load(after)
    await sessions.end(before)
    assert await sessions.load(after) is None, "it is signed out by any that it had"


async def test_each_change_brings_another_identifier(sessions: Sessions, clock: MovedClock) -> None:
    """Granted, taken back and granted again: each time another; changes nobody has met yet share one."""
    called = [(await sessions.begin(ADA, tokens=b""))[0]]
    for granted in ({"Editor"}, set[str](), {"Editor", "Reader"}):
        await sessions.regrant_all_of(ADA, frozenset(granted))
        await sessions.regrant_all_of(ADA, frozenset({*granted, "Clerk"}))
        session = await sessions.visit(called[-1])
        assert session
        called.append(sessions.next_id(session, called[-1]) or "")
        assert await sessions.visit(called[-1])
        clock.move(GRACE)
        assert [bool(await sessions.load(each)) for each in called] == [False] * (len(called) - 1) + [True]
    assert len(set(called)) == 4
    await sessions.regrant_all_of(ADA, frozenset({"Editor", "Reader", "Clerk"}))
    same = await sessions.visit(called[-1])
    assert same
    assert sessions.next_id(same, called[-1]) is None, "nothing has changed"


async def test_it_goes_by_its_identifier_after_a_rotation_of_keys(store: SessionStore, clock: MovedClock) -> None:
    """REL-072: an identifier that was given under the key before is good under the next, and in both directions."""
    oldest, newest = generate(), generate()
    session_id, _ = await over(store, clock, oldest).begin(ADA, tokens=b"")
    rotated = over(store, clock, f"{newest},{oldest}")
    await rotated.regrant_all_of(ADA, frozenset({"Editor"}))
    session = await rotated.visit(session_id)
    assert session
    after = rotated.next_id(session, session_id)
    assert after
    assert await over(store, clock, oldest).load(session_id) is None, "whose record it cannot read"
    assert await over(store, clock, f"{oldest},{newest}").visit(after)
    assert await rotated.visit(after)
    assert await rotated.begin(ADA, tokens=b"", replacing=session_id)
    assert await rotated.load(after) is None, "a sign-in ends what it replaces, however it was called"


async def test_a_store_that_forgets_the_change_signs_nobody_out(
    store: SessionStore, sessions: Sessions, clock: MovedClock
) -> None:
    """SEC-071, REL: an identifier that we gave is good although the store is back to what was before we gave it."""
    before, begun = await sessions.begin(ADA, tokens=b"")
    written = await store.get(begun.key)
    await sessions.regrant_all_of(ADA, frozenset({"Editor"}))
    session = await sessions.visit(before)
    assert session
    after = sessions.next_id(session, before) or ""
    assert written
    assert await store.replace(
        begun.key, record=written[0], version=session.version, expires_at=session.idle_expires_at
    )
    assert await sessions.visit(after)
    clock.move(GRACE)
    assert await sessions.visit(before) is None
    await sessions.regrant_all_of(ADA, frozenset({"Editor"}))
    again = await sessions.visit(after)
    assert again
    assert sessions.next_id(again, after) not in {None, before, after}
