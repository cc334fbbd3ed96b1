"""LOG-5: the store is lost while somebody signs in: the attempt is in the browser, sealed, and the sign-in goes on."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.attacks.test_state import HOST, NAVIGATE, is_refused, stopped_at_callback
from tests.browser import Browser
from tests.front_door import BASE, SESSION, FrontDoor, running, walk_through
from tests.servers import RedisServer, redis_server

PRIVATE = f"{BASE}/private"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that keeps nothing on disk: killed and started again, it is empty."""
    with redis_server(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def pair(entra: Entra, tmp_path: Path, redis: RedisServer) -> AsyncIterator[list[FrontDoor]]:
    """Two workers that share it."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(entra, tmp_path / "app", store=redis.url)) for _ in range(2)]


async def lost(redis: RedisServer, pair: list[FrontDoor]) -> None:
    """Lose all that the store held, and wait until both workers have found it again."""
    redis.kill()
    await started(redis, pair)


async def started(redis: RedisServer, pair: list[FrontDoor]) -> None:
    """Start it, empty, and wait for both workers."""
    await asyncio.to_thread(redis.start)
    async with asyncio.timeout(10):
        for door in pair:
            while (await door.raw("GET", f"{BASE}/ready")).status_code != 200:
                await asyncio.sleep(0.05)


def cookies_of(browser: Browser) -> dict[str, str]:
    """Return the headers of a navigation with all that this browser holds."""
    return NAVIGATE | {"cookie": "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())}


async def test_between_start_and_callback(pair: list[FrontDoor], redis: RedisServer) -> None:
    """LOG-5, REL-011: begun before the loss, finished after it, at another worker: signed in, on the page asked for."""
    first, second = pair
    browser, url = await stopped_at_callback(first)
    await lost(redis, pair)
    first.internet.hosts[HOST] = second.app
    page = await browser.open(url)
    assert (page.url, page.status) == (PRIVATE, 200)
    assert [await door.reuse(browser.jar.of(HOST)[SESSION]) for door in pair] == [200, 200]


async def test_begun_without_a_store(pair: list[FrontDoor], redis: RedisServer) -> None:
    """LOG-5: to begin takes no store at all; it need only be back when the authority's answer comes."""
    door = pair[0]
    redis.kill()
    browser = door.browser()
    page = await browser.open(f"{BASE}/api/auth/login?return_to=/private")
    assert page.url.startswith("https://login.microsoftonline.com/"), page.text
    await started(redis, pair)
    await walk_through(browser)
    assert (browser.page.url, browser.page.status) == (PRIVATE, 200)


async def test_still_bound_to_the_browser(pair: list[FrontDoor], redis: RedisServer) -> None:
    """LOG-5, SEC-003: after the loss as before it, the answer is of no use in a browser that did not begin."""
    _, url = await stopped_at_callback(pair[0])
    await lost(redis, pair)
    stranger = pair[1].browser()
    assert (await stranger.open(url)).status == 400
    assert SESSION not in stranger.jar.of(HOST)
    assert pair[0].calls("/token") + pair[1].calls("/token") == 0


async def test_still_used_once(pair: list[FrontDoor], redis: RedisServer) -> None:
    """LOG-5, SEC-014: of eight callbacks at two workers after the loss one redeems the code."""
    browser, url = await stopped_at_callback(pair[0])
    await lost(redis, pair)
    sent = [door.browser().fetch(url, headers=cookies_of(browser)) for door in pair * 4]
    assert sorted(map(is_refused, await asyncio.gather(*sent))) == [False] + [True] * 7
    assert sum(door.calls("/token") for door in pair) == 1


async def test_what_was_used_is_not_used_again(pair: list[FrontDoor], redis: RedisServer) -> None:
    """LOG-5, SEC-014: the store has forgotten that the attempt was spent; the authority's code is of one use too."""
    browser, url = await stopped_at_callback(pair[0])
    held = cookies_of(browser)
    assert not is_refused(await pair[0].browser().fetch(url, headers=held))
    await lost(redis, pair)
    assert is_refused(await pair[1].browser().fetch(url, headers=held))
