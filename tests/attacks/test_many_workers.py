"""What must hold although the next request reaches another worker."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

from entrada_emulator.pytest_plugin import Entra

from tests.attacks.test_state import HOST, NAVIGATE, is_refused, stopped_at_callback
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running


async def workers(stack: AsyncExitStack, entra: Entra, data_dir: Path, number: int) -> list[FrontDoor]:
    """Start several applications on one data directory, as the workers of one server are."""
    return [await stack.enter_async_context(running(entra, data_dir, store="sqlite:")) for _ in range(number)]


async def test_one_answer_at_many_workers(entra: Entra, tmp_path: Path) -> None:
    """SEC-014: of twelve identical callbacks at four workers at once exactly one redeems the code."""
    async with AsyncExitStack() as stack:
        doors = await workers(stack, entra, tmp_path, 4)
        browser, url = await stopped_at_callback(doors[0])
        cookies = "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())
        sent = [door.browser().fetch(url, headers=NAVIGATE | {"cookie": cookies}) for door in doors * 3]
        answers = await asyncio.gather(*sent)
        assert sorted(map(is_refused, answers)) == [False] + [True] * 11
        assert sum(door.calls("/token") for door in doors) == 1


async def test_each_request_at_another_worker(entra: Entra, tmp_path: Path) -> None:
    """REL-074: sign-in begun at one worker ends at the next; the session holds at a third, and its end everywhere."""
    async with AsyncExitStack() as stack:
        first, second, third = await workers(stack, entra, tmp_path, 3)
        browser, url = await stopped_at_callback(first)
        portal = first.internet.hosts[HOST]
        first.internet.hosts[HOST] = second.app
        await browser.open(url)
        assert "Hello Mia Member" in browser.page.text
        session = browser.jar.of(HOST)[SESSION]
        assert await third.reuse(session) == 200
        first.internet.hosts[HOST] = third.app
        await browser.fetch(f"{AUTH}/logout", method="POST", headers={"x-csrf": "1"})
        first.internet.hosts[HOST] = portal
        assert [await door.reuse(session) for door in (first, second, third)] == [401, 401, 401]
        await browser.open(f"{BASE}/private")
        assert "/authorize" in browser.visited[2]
