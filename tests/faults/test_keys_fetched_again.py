"""When keys are fetched again: each hour, for a kid that is new, and never as often as strangers like."""

import asyncio
import json

import pytest

from entrada.errors import AuthorityUnavailable, TokenRefused
from entrada.provider.discovery import MOST_SEEKING, Discovery
from tests.authority_app import answer, jwk
from tests.faults.discovered_world import FAULTS, World, silent


async def test_sec_062_keys_are_refreshed_in_the_background_each_hour():
    """SEC-062: after an hour the caller gets its key at once and a new set is fetched meanwhile."""
    world = World()
    await world.discovery.key("one")
    world.app.keys = [jwk("two"), jwk("three")]
    world.clock.move(minutes=59)
    assert await world.known("one") == {"one"}
    assert world.fetches == (1, 1)
    world.clock.move(minutes=2)
    assert (await world.discovery.key("one")).id == "one"
    await world.settle()
    assert world.fetches == (1, 2)
    assert await world.known("two", "three") == {"two", "three"}


async def test_sec_062_a_withdrawn_key_is_refused_within_the_hour_and_its_grace():
    """SEC-062, REL-007: after the hour and a quarter a withdrawn key is refused at the first token."""
    world = World()
    await world.discovery.key("one")
    world.app.keys = [jwk("two")]
    world.clock.move(hours=1, minutes=15)
    assert await world.known("one") == set()


async def test_sec_062_workers_do_not_refresh_in_step():
    """SEC-062: the hour differs by up to a tenth between workers."""
    world = World()
    early, late = (
        Discovery(
            world.discovery.authority, world.discovery._egress, world.clock, production=True, jitter=lambda j=j: j
        )
        for j in (0.0, 1.0)
    )
    await early.key("one")
    await late.key("one")
    world.clock.move(minutes=55)
    await late.key("one")
    assert world.fetches[1] == 2
    await early.key("one")
    await early._keys.in_flight()
    assert world.fetches[1] == 3


async def test_rel_007_a_key_rotated_just_before_signing_is_found():
    """REL-007: a token signed with a key of a second ago is accepted after the one fetch that its kid is worth."""
    world = World()
    await world.discovery.key("one")
    world.app.keys.append(jwk("three"))
    found = await asyncio.gather(*(world.discovery.key("three") for _ in range(50)))
    assert ({key.id for key in found}, world.fetches) == ({"three"}, (1, 2))


async def test_sec_061_a_flood_of_unknown_kids_costs_one_fetch_per_five_minutes():
    """SEC-061, REL-009: 5 000 invented kids cost one fetch; known keys are served all the while."""
    world = World()
    await world.discovery.key("one")

    async def invented(number: int) -> None:
        with pytest.raises(TokenRefused):
            await world.discovery.key(f"invented-{number}")

    for start in range(0, 5000, 500):
        await asyncio.gather(*(invented(number) for number in range(start, start + 500)), world.discovery.key("one"))
    assert world.fetches == (1, 2)
    world.clock.move(minutes=4, seconds=59)
    await invented(1)
    assert world.fetches == (1, 2)
    world.clock.move(seconds=1)
    await invented(1)
    assert world.fetches == (1, 3)


@pytest.mark.parametrize("status", [404, 410])
async def test_rel_005_keys_that_have_moved_are_found(status: int):
    """REL-005, SEC-059: once their old address is gone the metadata say where they are, hours before their time."""
    world = World()
    await world.discovery.key("one")
    world.app.metadata["jwks_uri"] += "-of-today"
    gone, here = answer(b"<h1>Gone</h1>", status=status), answer(json.dumps({"keys": [jwk("three")]}).encode())

    async def moved(scope, receive, send):
        await (gone if scope["path"].endswith("/keys") else here)(scope, receive, send)

    world.app.answers["keys"] = moved
    world.clock.move(hours=1, minutes=15)
    assert await world.known("one", "three") == {"three"}
    assert world.fetches[0] == 2


async def test_rel_005_keys_move_to_no_other_host():
    """SEC-007, SEC-059: nor does the metadata lead them to where the authority is not."""
    world = World()
    await world.discovery.key("one")
    world.app.metadata["jwks_uri"] = "https://evil.example/keys"
    world.app.answers["keys"] = FAULTS["404"]
    world.clock.move(hours=1, minutes=15)
    assert await world.known("one") == {"one"}
    assert not any("evil" in url for _, url in world.internet.calls)


async def test_sec_061_a_clock_that_was_set_back_hides_no_new_key():
    """REL-046, SEC-061: the five minutes after a stranger's kid are not an hour longer for a clock set back."""
    world = World()
    await world.discovery.key("one")
    assert await world.known("invented") == set()
    world.app.keys.append(jwk("three"))
    world.clock.move(hours=-1)
    assert await world.known("three") == {"three"}


async def test_sec_061_the_floor_holds_when_the_fetch_fails():
    """SEC-061: a fetch that failed counts too; an unknown kid is then unavailable, and known keys work."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = FAULTS["503"]
    for number in range(200):
        with pytest.raises(AuthorityUnavailable):
            await world.discovery.key(f"invented-{number}")
    assert world.fetches == (1, 2)
    assert await world.known("one") == {"one"}


async def test_rel_009_a_known_key_does_not_wait_for_a_fetch():
    """REL-009: while a fetch for an unknown kid hangs, tokens with known kids are checked at once."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = silent
    waiting = asyncio.create_task(world.discovery.key("invented"))
    await asyncio.sleep(0)
    async with asyncio.timeout(0.1):
        assert (await world.discovery.key("one")).id == "one"
    with pytest.raises(AuthorityUnavailable):
        await waiting


async def test_rel_009_the_queue_for_unknown_kids_has_an_end():
    """REL-009, SEC-028: while the authority hangs, only so many tokens wait; the others are told at once."""
    world = World()
    await world.discovery.key("one")
    world.app.answers["keys"] = silent
    waiting = [asyncio.create_task(world.discovery.key(f"invented-{number}")) for number in range(MOST_SEEKING)]
    await asyncio.sleep(0)
    with pytest.raises(AuthorityUnavailable, match="too many"):
        await world.discovery.key("one-more")
    assert (await world.discovery.key("one")).id == "one"
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {AuthorityUnavailable}
    assert world.fetches == (1, 2)


async def test_a_clock_set_back_does_not_freeze_the_keys():
    """Keys fetched "tomorrow", by a clock since put right, are fetched anew."""
    world = World()
    await world.discovery.key("one")
    world.app.keys = [jwk("two")]
    world.clock.move(days=-1)
    assert await world.known("one", "two") == {"two"}
