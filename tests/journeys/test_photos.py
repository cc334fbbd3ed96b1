"""A person's picture comes from Graph after a sign-in, and goes when it is gone there (USR-1)."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from entrada.users.photos import Photo
from tests.authority_app import answer
from tests.faults.broken_authority import status
from tests.front_door import AUTH, FrontDoor
from tests.journeys.conftest import GRAPH, Portal
from tests.journeys.test_people_change import house_of
from tests.journeys.test_profiles import FOREVER, ME, graph_says, mia

PHOTO = "/v1.0/me/photos/96x96/$value"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


async def photo_of_mia(door: FrontDoor, holds: Callable[[Photo | None], bool]) -> Photo | None:
    """Return her picture as soon as this holds of it."""
    photos = house_of(door.app).people.photos
    async with asyncio.timeout(FOREVER):
        while not holds(photo := await photos.of((await mia(door)).id)):
            await asyncio.sleep(0.02)
    return photo


async def asked(door: FrontDoor, times: int) -> None:
    """Return once Graph has been asked for pictures so often."""
    async with asyncio.timeout(FOREVER):
        while sum(PHOTO in url for _, url in door.internet.calls) < times:
            await asyncio.sleep(0.02)


async def test_the_picture_follows_graphs(portal: Portal) -> None:
    """USR-1: it is there after the first sign-in, another takes its place, and none is kept of who has none."""
    door, between = portal
    await door.signed_in()
    assert await photo_of_mia(door, bool) == Photo("image/jpeg", door.entra.user().photo or b"")
    first = (await mia(door)).photo
    between.instead[PHOTO] = answer(PNG, content_type="text/html")
    await door.signed_in()
    assert await photo_of_mia(door, lambda photo: photo is not None and photo.data == PNG) == Photo("image/png", PNG)
    assert (await mia(door)).photo not in {None, first}
    between.instead[PHOTO] = status(404)
    await door.signed_in()
    await photo_of_mia(door, lambda photo: photo is None)
    assert (await mia(door)).photo is None


NO_PICTURE: dict[str, Any] = {
    "503": status(503),
    "403": status(403),
    "a page": answer(b"<script>alert(1)</script>", content_type="image/jpeg"),
    "a drawing with scripts": answer(b"<svg/>", content_type="image/svg+xml"),
    "a wall poster": answer(b"\xff\xd8\xff" + bytes(64 * 1024)),
    "nothing": answer(b""),
}


@pytest.mark.parametrize("fault", NO_PICTURE)
async def test_rel_003_graph_sends_no_picture(portal: Portal, fault: str) -> None:
    """REL-003, USR-1: whatever Graph sends instead, the person is signed in, and the picture that was known stays."""
    door, between = portal
    await door.signed_in()
    before = await photo_of_mia(door, bool)
    between.instead[PHOTO] = NO_PICTURE[fault]
    browser = await door.signed_in()
    assert (await browser.fetch(f"{AUTH}/me")).status_code == 200
    await asked(door, 2)
    await house_of(door.app).people.profiles.aclose()
    assert await photo_of_mia(door, bool) == before


async def test_nobody_gets_anothers_picture(portal: Portal) -> None:
    """SEC-032: where the profile is somebody else's, their picture is not asked for."""
    door, between = portal
    between.instead[ME] = graph_says(door, id="00000000-0000-4000-8000-000000000000")
    await door.signed_in()
    async with asyncio.timeout(FOREVER):
        while not any(f"{GRAPH}{ME}?" in url for _, url in door.internet.calls):
            await asyncio.sleep(0.02)
    await house_of(door.app).people.profiles.aclose()
    assert not any(PHOTO in url for _, url in door.internet.calls)
