"""Where settings bind sessions to an address range or a device, a cookie from elsewhere is nobody's (SES-8)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada import Event
from entrada.sessions.record import RequestFacts
from entrada.web.binding import Binding
from tests.browser import Browser
from tests.front_door import AUTH, BASE, FrontDoor, running

HOST = "portal.birch.example"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:146.0) Gecko/20100101 Firefox/146.0"
FIREFOX_LATER = FIREFOX.replace("146.0", "147.0")
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"


class Elsewhere:
    """The line to the application: whose address and user agent it shows can be changed."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.address, self.user_agent = "192.0.2.7", FIREFOX

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        given = [header for header in scope["headers"] if header[0] != b"user-agent"]
        headers = [*given, (b"user-agent", self.user_agent.encode())]
        await self.app({**scope, "client": (self.address, 4711), "headers": headers}, receive, send)


@asynccontextmanager
async def bound(entra: Entra, tmp_path: Path, **values: Any) -> AsyncIterator[tuple[FrontDoor, Elsewhere, list[Event]]]:
    """Run the portal with a binding; gives the line to it, and what listeners for refused sessions hear."""
    heard: list[Event] = []
    async with running(entra, tmp_path, **values) as door:
        line = Elsewhere(door.app)
        door.internet.hosts[HOST] = line
        door.entrada.on("session_refused")(heard.append)
        yield door, line, heard


async def me(browser: Browser) -> int:
    return (await browser.fetch(f"{AUTH}/me")).status_code


@pytest.mark.parametrize(
    ("binding", "moved", "reason"),
    [
        ("address", {"address": "198.51.100.9"}, "other_address"),
        ("device", {"user_agent": CHROME}, "other_device"),
        ("address device", {"user_agent": CHROME}, "other_device"),
    ],
)
async def test_a_cookie_from_elsewhere_is_nobodys_and_the_session_goes_on(
    entra: Entra, tmp_path: Path, binding: str, moved: dict[str, str], reason: str
) -> None:
    """401 for scripts, the sign-in for a person; listeners get the reason; its owner keeps cookie and session."""
    async with bound(entra, tmp_path, session_binding=tuple(binding.split())) as (door, line, heard):
        browser = await door.signed_in()
        at_home = {name: getattr(line, name) for name in moved}
        for name, value in moved.items():
            setattr(line, name, value)
        refused = await browser.fetch(f"{AUTH}/me")
        assert refused.status_code == 401
        assert "set-cookie" not in refused.headers
        page = await browser.fetch(f"{BASE}/private", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
        assert page.headers["location"] == "/api/auth/login?return_to=%2Fprivate"
        assert [(event.reason, event.user_key) for event in heard] == [(reason, heard[0].user_key)] * 2
        for name, value in at_home.items():
            setattr(line, name, value)
        assert await me(browser) == 200


@pytest.mark.parametrize(
    ("home", "near", "far"),
    [("192.0.2.7", "192.0.99.1", "192.1.2.7"), ("2001:db8:1:1::7", "2001:db8:1:ff::1", "2001:db8:2:1::7")],
)
async def test_the_range_is_the_settings(entra: Entra, tmp_path: Path, home: str, near: str, far: str) -> None:
    """SES-8: who moves within the network that the setting gives its length is at home; beyond it is elsewhere."""
    values = {"session_binding": ("address",), "binding_ipv4_prefix": 16, "binding_ipv6_prefix": 48}
    async with bound(entra, tmp_path, **values) as (door, line, _):
        line.address = home
        browser = await door.signed_in()
        line.address = near
        assert await me(browser) == 200
        line.address = far
        assert await me(browser) == 401


async def test_use_from_elsewhere_keeps_no_session_alive(entra: Entra, tmp_path: Path) -> None:
    """SEC-073: an hour unused by its owner, it has ended, however often somebody else has knocked."""
    async with bound(entra, tmp_path, session_binding=("address",)) as (door, line, _):
        browser = await door.signed_in()
        line.address = "198.51.100.9"
        for _ in range(2):
            entra.state.clock.move(timedelta(minutes=40))
            assert await me(browser) == 401
        line.address = "192.0.2.7"
        assert await me(browser) == 401


async def test_by_default_nothing_is_bound(entra: Entra, tmp_path: Path) -> None:
    """People move between networks; without the setting their sessions move with them."""
    async with bound(entra, tmp_path) as (door, line, heard):
        browser = await door.signed_in()
        line.address, line.user_agent = "198.51.100.9", CHROME
        assert await me(browser) == 200
        assert not heard


BOTH = Binding(address=True, device=True)


@pytest.mark.parametrize(
    ("begun", "now", "said"),
    [
        (("192.0.2.7", FIREFOX), ("192.0.2.250", FIREFOX_LATER), None),
        (("192.0.2.7", FIREFOX), ("192.0.3.7", FIREFOX), "other_address"),
        (("::ffff:192.0.2.7", FIREFOX), ("192.0.2.8", FIREFOX), None),
        (("2001:db8:1:100::1", FIREFOX), ("2001:db8:1:1ff:2::9", FIREFOX), None),
        (("2001:db8:1:100::1", FIREFOX), ("2001:db8:1:200::1", FIREFOX), "other_address"),
        (("fe80::1%eth0", FIREFOX), ("fe80::2%eth1", FIREFOX), None),
        (("192.0.2.7", FIREFOX), (None, FIREFOX), "other_address"),
        ((None, FIREFOX), (None, FIREFOX), None),
        (("192.0.2.7", FIREFOX), ("192.0.2.7", CHROME), "other_device"),
        (("192.0.2.7", FIREFOX), ("192.0.2.7", None), "other_device"),
    ],
)
def test_what_counts_as_elsewhere(
    begun: tuple[str | None, str | None], now: tuple[str | None, str | None], said: str | None
) -> None:
    """A /24, a /56 and the family of the browser on its system; updates of the browser are no other device."""
    before, after = (RequestFacts(address=address, user_agent=agent) for address, agent in (begun, now))
    assert BOTH.broken(before, after) == said
