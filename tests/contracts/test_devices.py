"""Devices are known again when sessions are long over, in each database (issue 3, SES-8)."""

from datetime import timedelta
from secrets import token_urlsafe

import pytest

from entrada.keyring import KeyRing, generate
from entrada.users.database import Database
from entrada.users.devices import KEPT, MOST, Devices
from entrada.users.directory import Directory
from tests.contracts.databases import said
from tests.contracts.test_directory import ADA
from tests.moved_clock import MovedClock

LAPTOP, PHONE = "l" * 22, "p" * 22


@pytest.fixture
def ring() -> KeyRing:
    return KeyRing.parse(generate())


@pytest.fixture
async def devices(database: Database, ring: KeyRing, clock: MovedClock) -> Devices:
    await Directory(database).signed_in(ADA, clock())
    return Devices(database, ring)


async def test_the_first_device_is_compared_with_nothing_and_the_second_is_new(
    devices: Devices, clock: MovedClock
) -> None:
    """First, then new, and from then on both are known."""
    saw = [await devices.seen(ADA, each, user_agent=None, at=clock()) for each in (LAPTOP, PHONE, LAPTOP, PHONE)]
    assert saw == ["first", "new", "known", "known"]


async def test_a_device_is_known_through_a_rotation_of_keys(devices: Devices, ring: KeyRing, clock: MovedClock) -> None:
    """Found under the older key it is written under the newer one; when both are gone it is new."""
    newer, third = KeyRing.parse(generate()), KeyRing.parse(generate())
    await devices.seen(ADA, LAPTOP, user_agent=None, at=clock())
    devices.use(KeyRing((*newer.keys, *ring.keys)))
    assert await devices.seen(ADA, LAPTOP, user_agent=None, at=clock()) == "known"
    devices.use(newer)
    assert await devices.seen(ADA, LAPTOP, user_agent=None, at=clock()) == "known"
    devices.use(third)
    assert await devices.seen(ADA, LAPTOP, user_agent=None, at=clock()) == "new"


async def test_the_table_holds_no_cookie(
    devices: Devices,
    database: Database,
    clock: MovedClock,
) -> None:
    """SEC-070: what lies there is a hash under our key, another for each person."""
    await devices.seen(ADA, LAPTOP, user_agent="Firefox", at=clock())
    ((name, agent),) = await said(database, "SELECT name, user_agent FROM entrada_device")
    assert LAPTOP not in name
    assert agent == "Firefox"


async def test_what_nobody_comes_back_with_is_forgotten(
    devices: Devices,
    database: Database,
    clock: MovedClock,
) -> None:
    """After 400 days, when no browser has the cookie any more, and beyond a hundred the longest unseen."""
    await devices.seen(ADA, LAPTOP, user_agent=None, at=clock())
    clock.move(KEPT + timedelta(seconds=1))
    for _ in range(MOST + 2):
        clock.move(timedelta(minutes=1))
        await devices.seen(ADA, token_urlsafe(16), user_agent=None, at=clock())
    assert await said(database, "SELECT count(*) FROM entrada_device") == [(MOST,)]
    assert await devices.seen(ADA, LAPTOP, user_agent=None, at=clock()) == "new"
