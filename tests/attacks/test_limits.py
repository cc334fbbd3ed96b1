"""Floods of strangers: they are told to wait, and whoever is signed in notices nothing."""

import tracemalloc
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.rates import Rate
from entrada.web.guards.address_limits import AddressLimit
from tests.access_tokens import user_token
from tests.front_door import SESSION, FrontDoor, running
from tests.journeys.test_bearer import orders
from tests.visitor import HOST, visit

JSON = {"accept": "application/json"}
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}
LIMITS = {"limit_strangers": "5/hour 8/day", "limit_sign_in": "3/minute", "limit_failures": "2/minute",
          "limit_people": "20/minute"}  # fmt: skip


@pytest.fixture
async def limited(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application with limits that are soon reached."""
    async with running(entra, tmp_path, **LIMITS) as door:
        yield door


async def used_up(door: FrontDoor, path: str = "/", *, address: str = "192.0.2.1", **headers: str) -> int:
    """Ask until the answer is 429, and return how often it was another."""
    for number in range(100):
        if (await visit(door.app, path, address=address, headers=JSON | headers)).status == 429:
            return number
    raise AssertionError("never refused")


async def cookie_of(door: FrontDoor) -> dict[str, str]:
    return {"cookie": f"{SESSION}={(await door.signed_in()).jar.of(HOST)[SESSION]}"}


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/open/file.css", {}),
        ("/open/", {}),
        ("/robots.txt", {}),
        ("/open", None),
        ("/robots.txt/", None),
        ("/robots.txt.html", None),
        ("/x/open/", None),
        ("/OPEN/x", None),
        ("/", {"query": b"/open/"}),
        ("/", {"headers": {"x-original-url": "/open/", "x-forwarded-uri": "/robots.txt"}}),
        ("/", {"headers": {"user-agent": "kube-probe/1.29", "referer": "https://portal.birch.example/open/"}}),
    ],
)
async def test_paths_without_a_limit(entra: Entra, tmp_path: Path, path: str, asked: dict[str, Any] | None) -> None:
    """SEC-130: which they are is told by the decoded path as a whole, and by nothing else of a request."""
    without = asked == {}
    async with running(entra, tmp_path, **LIMITS, limits_exempt="/open/ /robots.txt") as door:
        answers = [await visit(door.app, path, **(asked or {})) for _ in range(6)]
    assert [each.status == 429 for each in answers] == [False] * 5 + [not without]
    assert {"ratelimit" in each.headers for each in answers} == {not without}


async def test_strangers_are_counted_by_address(limited: FrontDoor) -> None:
    """SEC-R, SEC-152: the sixth of an hour is 429 with Retry-After and RateLimit; another address is not concerned."""
    first = await visit(limited.app, "/", headers=JSON)
    assert first.headers["ratelimit-policy"] == '"strangers-hour";q=5;w=3600, "strangers-day";q=8;w=86400'
    assert first.headers["ratelimit"].startswith('"strangers-hour";r=4;t=')
    assert await used_up(limited) == 4
    refused = await visit(limited.app, "/", headers=JSON)
    assert refused.headers["content-type"] == "application/problem+json"
    assert 1 <= int(refused.headers["retry-after"]) <= 2 * 3600
    assert '"strangers-hour";r=0' in refused.headers["ratelimit"]
    assert (await visit(limited.app, "/", address="192.0.2.2", headers=JSON)).status == 200
    page = await visit(limited.app, "/", headers=PAGE)
    assert page.status == 429
    assert b"Too many requests" in page.body


async def test_time_heals_and_the_day_counts(limited: FrontDoor) -> None:
    """SEC-R: when Retry-After has passed the next is let through, until the day's number is reached."""
    await used_up(limited)
    wait = int((await visit(limited.app, "/", headers=JSON)).headers["retry-after"])
    limited.entra.state.clock.move(timedelta(seconds=wait))
    assert (await visit(limited.app, "/", headers=JSON)).status == 200
    limited.entra.state.clock.move(timedelta(hours=2))
    assert await used_up(limited) == 2


async def test_one_client_however_it_is_written(limited: FrontDoor) -> None:
    """SEC-154: IPv6 counts by /64, in every way to write it, and an IPv4 address within IPv6 is that address."""
    ways = ["2001:db8::1", "2001:DB8:0:0::2", "2001:0db8:0000:0000:ffff::", "2001:db8::3%eth0", "2001:db8::4"]
    assert [(await visit(limited.app, "/", address=way, headers=JSON)).status for way in ways] == [200] * 5
    assert (await visit(limited.app, "/", address="2001:db8::5", headers=JSON)).status == 429
    assert (await visit(limited.app, "/", address="2001:db8:0:1::1", headers=JSON)).status == 200
    await used_up(limited, address="198.51.100.7")
    assert (await visit(limited.app, "/", address="::ffff:198.51.100.7", headers=JSON)).status == 429


async def test_an_exhausted_address_locks_nobody_out(limited: FrontDoor) -> None:
    """SEC-152, REL-050: behind the same address, whoever is signed in goes on, and signing in is counted apart."""
    known, unseen = await cookie_of(limited), await cookie_of(limited)
    assert (await visit(limited.app, "/", headers=JSON | known)).status == 200
    await used_up(limited)
    await used_up(limited, "/api/auth/login")
    for cookie in (known, unseen):  # one that this worker has seen, one that it must look up first
        answer = await visit(limited.app, "/private", headers=JSON | cookie)
        assert answer.status == 200
        assert "ratelimit" not in answer.headers
    assert (await visit(limited.app, "/api/auth/login", headers=PAGE, address="192.0.2.9")).status == 302


async def test_a_cookie_that_is_nobodys_is_a_stranger(limited: FrontDoor) -> None:
    """SEC-152: invented and ended sessions do not get round the limit."""
    invented = {"cookie": f"{SESSION}={'A' * 43}"}
    assert await used_up(limited, **invented) == 5
    browser = await limited.signed_in("ada@birch.example")
    ended = {"cookie": f"{SESSION}={browser.jar.of(HOST)[SESSION]}"}
    assert (await visit(limited.app, "/", headers=JSON | ended)).status == 200
    await browser.press("Sign out")
    assert await used_up(limited, address="192.0.2.3", **ended) <= 6


async def test_people_have_a_limit_of_their_own(limited: FrontDoor) -> None:
    """SEC-152: a session that asks without end waits, alone: another session of the same address does not."""
    mine, other = await cookie_of(limited), await cookie_of(limited)
    assert 18 <= await used_up(limited, **mine) <= 20  # it has signed in, too
    answer = await visit(limited.app, "/", headers=JSON | mine)
    assert 1 <= int(answer.headers["retry-after"]) <= 61
    assert (await visit(limited.app, "/", headers=JSON | other)).status == 200
    limited.entra.state.clock.move(timedelta(seconds=61))
    assert (await visit(limited.app, "/", headers=JSON | mine)).status == 200


async def test_a_finished_sign_in_is_given_back(limited: FrontDoor) -> None:
    """SEC-152: an office behind one address signs in one after the other; only what leads nowhere adds up."""
    for person in ("mia@birch.example", "ada@birch.example", "mia@birch.example"):
        await limited.signed_in(person)


async def test_refused_tokens(limited: FrontDoor) -> None:
    """SEC-152, SEC-159: bearer tokens that are refused are 429 after the second, whatever the route makes of them."""
    assert await used_up(limited, authorization="Bearer aa.bb.cc") == 2
    assert (await visit(limited.app, "/", headers=JSON)).status == 200


async def test_clients_are_counted_by_whom_they_name(entra: Entra, tmp_path: Path) -> None:
    """SEC-152: who calls by token is limited as who they are, with whichever token; others, and strangers, are not."""
    async with orders(entra, tmp_path, limit_clients="5/minute") as door:
        mine = {"authorization": f"Bearer {user_token(entra)['access_token']}"}
        again = {"authorization": f"Bearer {user_token(entra)['access_token']}"}
        other = {"authorization": f"Bearer {user_token(entra, 'ada@birch.example')['access_token']}"}
        assert [(await visit(door.app, "/either", headers=JSON | mine)).status for _ in range(4)] == [200] * 4
        assert await used_up(door, "/either", **again) <= 2
        assert (await visit(door.app, "/either", headers=JSON | mine, address="198.51.100.1")).status == 429
        assert (await visit(door.app, "/either", headers=JSON | other)).status == 200
        assert (await visit(door.app, "/health", headers=JSON)).status == 200
        entra.state.clock.move(timedelta(seconds=61))
        assert (await visit(door.app, "/either", headers=JSON | mine)).status == 200


async def test_how_much_of_ipv6_is_one_client(entra: Entra, tmp_path: Path) -> None:
    """SEC-154: a network as long as the setting says is one client."""
    async with running(entra, tmp_path, **LIMITS, limit_ipv6_prefix=48) as door:
        await used_up(door, address="2001:db8:1:1::1")
        neighbour, stranger = "2001:db8:1:ffff::1", "2001:db8:2:1::1"
        found = [(await visit(door.app, "/", headers=JSON, address=each)).status for each in (neighbour, stranger)]
        assert found == [429, 200]


async def test_what_is_never_limited(limited: FrontDoor) -> None:
    """SEC-187: health checks, our stylesheet and the authority's word of a sign-out are answered without end."""
    await used_up(limited)
    for path in ("/health", "/ready", "/static/logo.svg", "/favicon.ico", "/api/auth/frontchannel-logout"):
        assert {(await visit(limited.app, path, headers=JSON)).status for _ in range(12)} & {429} == set(), path


async def test_off(entra: Entra, tmp_path: Path) -> None:
    """SEC-R: one setting turns the limits off."""
    async with running(entra, tmp_path, limits=False, limit_strangers="1/day") as door:
        answers = [await visit(door.app, "/", headers=JSON) for _ in range(5)]
        assert [answer.status for answer in answers] == [200] * 5
        assert "ratelimit" not in answers[0].headers


async def test_a_million_addresses(limited: FrontDoor) -> None:
    """SEC-156, REL-050: however many addresses come, memory is bounded, and who is signed in goes on."""
    known = await cookie_of(limited)
    limit = AddressLimit("strangers", (Rate.parse("50/hour"), Rate.parse("200/day")), now=lambda: 1e9, most=2000)
    for number in range(4000):
        await limit.spend(number.to_bytes(8, "big"))
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(10_000, 50_000):
        await limit.spend(number.to_bytes(8, "big"))
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert len(limit) <= 4000
    assert grown < 2_500_000, f"{grown} bytes more: the entries of 4 000 clients were made anew, and no more"
    for number in range(300):
        await visit(limited.app, "/api/auth/login", address=f"198.51.{number // 256}.{number % 256}", headers=PAGE)
    assert (await visit(limited.app, "/private", headers=JSON | known)).status == 200


@pytest.mark.long
async def test_a_million_addresses_indeed() -> None:
    """SEC-156, REL-050: the same with a million addresses and the memory that is really given to them."""
    limit = AddressLimit("strangers", (Rate.parse("50/hour"), Rate.parse("200/day")), now=lambda: 1e9)
    tracemalloc.start()
    for number in range(1_000_000):
        await limit.spend(number.to_bytes(8, "big"))
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(limit) <= 50_000
    assert held < 30_000_000
