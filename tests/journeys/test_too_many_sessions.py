"""One person has so many sessions at once, and no more."""

from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.browser import Browser
from tests.front_door import AUTH, running

MINUTE = timedelta(minutes=1)


async def me(browser: Browser) -> int:
    return (await browser.fetch(f"{AUTH}/me")).status_code


@pytest.mark.parametrize("store", ["memory:", "sqlite:"])
async def test_a_sign_in_beyond_the_limit_ends_the_longest_unused(entra: Entra, tmp_path: Path, store: str) -> None:
    """The newest always gets in; who was not seen for longest is out, whoever signed in first (SEC-077)."""
    async with running(entra, tmp_path, store=store, most_sessions=2) as door:
        first = await door.signed_in()
        entra.state.clock.move(2 * MINUTE)
        second = await door.signed_in()
        entra.state.clock.move(2 * MINUTE)
        assert await me(first) == 200
        entra.state.clock.move(2 * MINUTE)
        third = await door.signed_in()
        assert [await me(browser) for browser in (first, second, third)] == [200, 401, 200]
        ended = [(event.name, event.reason) for event in door.events if event.name != "sign_in"]
        assert ended == [("session_ended", "too_many_sessions")]


async def test_other_people_do_not_count(entra: Entra, tmp_path: Path) -> None:
    """The limit is each person's own, and a browser that signs in again takes no second place."""
    async with running(entra, tmp_path, most_sessions=1) as door:
        ada, mia = await door.signed_in("ada@birch.example"), await door.signed_in()
        for _ in range(3):
            await mia.open(f"{AUTH}/login")
        assert (await me(ada), await me(mia)) == (200, 200)
        assert [event.name for event in door.events if event.name != "sign_in"] == []
