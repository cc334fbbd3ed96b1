"""REL-005 to REL-008: the authority's documents change, vanish or turn to junk, while people use the application."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.authority_app import answer
from tests.browser import Browser
from tests.faults.broken_authority import JUNK_KEYS, KEYS, METADATA, Between, changed, status
from tests.faults.invariants import visitor, watching
from tests.faults.test_authority_fails import LOGIN, LONG_IDLE, session_of
from tests.faults.test_authority_fails import portal as portal  # noqa: PLC0414
from tests.front_door import BASE, SESSION, FrontDoor, running, walk_through
from tests.journeys.test_tokens import HOST


@pytest.fixture
async def two_workers(entra: Entra, tmp_path: Path) -> AsyncIterator[tuple[FrontDoor, FrontDoor, Between]]:
    """Two workers on one store, and one authority."""
    between = Between(entra.app)
    values = {"store": "sqlite:", **LONG_IDLE}
    async with (
        running(entra, tmp_path, hosts={LOGIN: between}, **values) as one,
        running(entra, tmp_path, hosts={LOGIN: between}, **values) as other,
    ):
        yield one, other, between


async def outcome(door: FrontDoor) -> int:
    """Return how a sign-in ends: 200 on the page that was asked for, or an error page's status."""
    browser: Browser = door.browser()
    page = await browser.open(f"{BASE}/private")
    if page.status == 200:
        page = await walk_through(browser)
    assert (page.status == 200) == (SESSION in browser.jar.of(HOST))
    return page.status


def later(door: FrontDoor, **by: float) -> None:
    door.entra.state.clock.move(timedelta(**by))


async def later_and_looked_at(door: FrontDoor, **by: float) -> None:
    """Let time pass, and the documents be fetched anew as their ages want it."""
    later(door, **by)
    await door.raw("GET", f"{BASE}/ready")


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://login.microsoftonline.com/11111111-2222-4333-8444-666666666666/v2.0"},
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": None},
    ],
)
async def test_rel_005_metadata_turn_bad(
    portal: tuple[FrontDoor, Between], caplog: pytest.LogCaptureFixture, change: dict[str, str | None]
) -> None:
    """REL-005, SEC-007: the old document serves until it is a day old, one alarm says why, then 503; nobody is out."""
    door, between = portal
    session = await session_of(door)
    async with watching([visitor(door)], living={session}):
        between.instead[METADATA] = changed(between, **change)
        for _ in range(23):
            later(door, hours=1)
        assert await outcome(door) == 200
        assert sum("authority_document_not_fetched" in line.getMessage() for line in caplog.records) == 1
        later(door, hours=2)
        assert await outcome(door) == 503
        between.instead.clear()
        later(door, seconds=10)
        assert await outcome(door) == 200


async def test_rel_005_metadata_go_away(portal: tuple[FrontDoor, Between]) -> None:
    """REL-005: gone after the start (404): as long as the old ones are young enough people sign in."""
    door, between = portal
    between.instead[METADATA] = status(404)
    later(door, hours=20)
    assert await outcome(door) == 200


async def test_rel_006_keys_are_down(portal: tuple[FrontDoor, Between]) -> None:
    """REL-006: down for 23 h sign-ins go on with the last good keys; after 25 h they are 503, not 401; then well."""
    door, between = portal
    session = await session_of(door)
    async with watching([visitor(door)], living={session}):
        between.instead[KEYS] = status(503)
        later(door, hours=23)
        assert await outcome(door) == 200
        later(door, hours=2)
        assert await outcome(door) == 503
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 503
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        between.instead.clear()
        later(door, seconds=10)
        assert await outcome(door) == 200


async def test_rel_006_keys_are_down_at_the_start(entra: Entra, tmp_path: Path) -> None:
    """REL-006: alive and not ready; the first token finds no keys and is 503; ready within seconds of their coming."""
    between = Between(entra.app)
    between.instead[KEYS] = status(503)
    async with running(entra, tmp_path, hosts={LOGIN: between}) as door:
        assert (await door.raw("GET", f"{BASE}/health")).status_code == 200
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 503
        assert await outcome(door) == 503
        between.instead.clear()
        later(door, seconds=3)
        assert (await door.raw("GET", f"{BASE}/ready")).status_code == 200
        assert await outcome(door) == 200


async def test_rel_007_keys_rotate(two_workers: tuple[FrontDoor, FrontDoor, Between]) -> None:
    """REL-007: before, between and during sign-ins, on both workers: nobody notices."""
    one, other, _ = two_workers
    session = await session_of(one)
    async with watching([visitor(one), visitor(other)], living={session}):
        for door in (one, other, one):
            later(one, minutes=6)  # the floor between fetches for a kid that nobody knows
            one.entra.state.keys.rotate()
            assert await outcome(door) == 200
        waiting = [door.browser() for door in (one, other)]
        for browser in waiting:
            await browser.open(f"{BASE}/private")
        later(one, minutes=6)
        one.entra.state.keys.rotate()
        for browser in waiting:
            assert (await walk_through(browser)).status == 200


async def test_rel_007_a_key_is_withdrawn_at_once(two_workers: tuple[FrontDoor, FrontDoor, Between]) -> None:
    """REL-007, SEC-062: the new key works at once on both workers; the withdrawn one is refused after 75 minutes."""
    one, other, between = two_workers
    session = await session_of(one)
    assert await outcome(other) == 200
    stolen = one.entra.state.keys.active
    async with watching([visitor(one), visitor(other)], living={session}):
        one.entra.state.keys.replace_at_once()
        for door in (one, other):
            assert await outcome(door) == 200
        fresh = one.entra.state.keys.active
        await later_and_looked_at(one, minutes=76)
        await later_and_looked_at(other)
        assert [await outcome(door) for door in (one, other)] == [200, 200]
        shown = await one.raw("GET", between.address[KEYS])
        between.instead[KEYS] = answer(shown.content)
        one.entra.state.keys.active = stolen
        assert [await outcome(door) for door in (one, other)] == [403, 403]
        one.entra.state.keys.active = fresh
        assert [await outcome(door) for door in (one, other)] == [200, 200]


async def test_rel_008_the_key_set_is_junk(portal: tuple[FrontDoor, Between], caplog: pytest.LogCaptureFixture) -> None:
    """REL-008: whatever it is, the last good set goes on serving, and one alarm is logged for each kind."""
    door, between = portal
    session = await session_of(door)
    async with watching([visitor(door)], living={session}):
        for kind, junk in JUNK_KEYS.items():
            caplog.clear()
            between.instead[KEYS] = junk
            for _ in range(4):
                later(door, hours=2)
                assert (kind, await outcome(door)) == (kind, 200)
            alarms = [line for line in caplog.records if "authority_document_not_fetched" in line.getMessage()]
            assert (kind, len(alarms)) == (kind, 1)
            between.instead.clear()
            later(door, hours=2)
            assert await outcome(door) == 200
