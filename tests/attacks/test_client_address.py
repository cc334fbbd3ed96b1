"""Who the client is, behind proxies: only what our own proxies wrote counts (SEC-153, SEC-154)."""

from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request
from starlette.types import Receive, Scope, Send

from entrada import Settings
from entrada.errors import SettingsRefused
from tests.front_door import running, settings
from tests.visitor import HOST, visit

CLIENT = "203.0.113.9"
INNER = {"trusted_proxies": "10.0.0.0/8 192.168.7.1 fd00::/8"}


def telling(app: FastAPI) -> None:
    @app.get("/who")
    async def who(request: Request) -> dict[str, str | None]:
        return {"address": request.client.host if request.client else None}


async def seen(door_app: FastAPI, peer: str | None, *lines: str, header: str = "x-forwarded-for") -> str | None:
    given = [("accept", "application/json"), *((header, line) for line in lines)]
    answer = await visit(door_app, "/who", address=peer, headers=given)
    assert answer.status == 200
    text = answer.body.decode().partition(":")[2].strip('"}')
    return None if text == "null" else text


CHAINS = {
    "nobody is trusted": ({}, "192.0.2.7", ["6.6.6.6"], "192.0.2.7"),
    "the peer is no proxy of ours": (INNER, "192.0.2.7", ["6.6.6.6"], "192.0.2.7"),
    "one proxy": (INNER, "10.0.0.1", [CLIENT], CLIENT),
    "the client wrote something itself": (INNER, "10.0.0.1", [f"6.6.6.6, {CLIENT}"], CLIENT),
    "it wrote an address of ours": (INNER, "10.0.0.1", [f"10.0.0.5, {CLIENT}"], CLIENT),
    "in a line of its own": (INNER, "10.0.0.1", ["6.6.6.6", CLIENT], CLIENT),
    "two proxies": (INNER, "10.0.0.1", [f"6.6.6.6, {CLIENT}, 192.168.7.1"], CLIENT),
    "with a port": (INNER, "10.0.0.1", [f"{CLIENT}:50123"], CLIENT),
    "IPv6 with a port": (INNER, "fd00::1", ["[2001:db8::9]:443"], "2001:db8::9"),
    "IPv4 within IPv6": (INNER, "::ffff:10.0.0.1", [f"::ffff:{CLIENT}"], CLIENT),
    "no header": (INNER, "10.0.0.1", [], "10.0.0.1"),
    "an empty one": (INNER, "10.0.0.1", [""], "10.0.0.1"),
    "not an address": (INNER, "10.0.0.1", [f"{CLIENT}, unknown"], "10.0.0.1"),
    "markup": (INNER, "10.0.0.1", ["<script>"], "10.0.0.1"),
    "only proxies": (INNER, "10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
    "far too long": (INNER, "10.0.0.1", [f"{CLIENT}," * 500 + CLIENT], "10.0.0.1"),
    "a socket": ({"trusted_proxies": "unix"}, None, [f"6.6.6.6, {CLIENT}"], CLIENT),
    "a socket that is not trusted": (INNER, None, [CLIENT], None),
    "one hop": ({"proxy_hops": 1}, "192.0.2.7", [f"6.6.6.6, {CLIENT}"], CLIENT),
    "two hops": ({"proxy_hops": 2}, "192.0.2.7", [f"6.6.6.6, {CLIENT}, 10.0.0.1"], CLIENT),
    "two hops, and one came past": ({"proxy_hops": 2}, "192.0.2.7", ["6.6.6.6"], "192.0.2.7"),
}


@pytest.mark.parametrize("name", CHAINS)
async def test_chains(entra: Entra, tmp_path: Path, name: str) -> None:
    """SEC-153: from the right, as far as our proxies wrote; what a client writes changes nothing."""
    values, peer, lines, expected = CHAINS[name]
    async with running(entra, tmp_path, build=telling, **values) as door:
        assert await seen(door.app, peer, *lines) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"for=6.6.6.6, for={CLIENT};proto=https;by=10.0.0.1", CLIENT),
        (f'For="{CLIENT}:4711"', CLIENT),
        ('for="[2001:db8::9]:4711"', "2001:db8::9"),
        ("for=_hidden", "10.0.0.1"),
        ("for=unknown", "10.0.0.1"),
        (f"for={CLIENT};for=6.6.6.6", "10.0.0.1"),
        (f"by={CLIENT}", "10.0.0.1"),
    ],
)
async def test_forwarded(entra: Entra, tmp_path: Path, line: str, expected: str) -> None:
    """SEC-153: RFC 7239's header where the settings name it, and then X-Forwarded-For counts for nothing."""
    async with running(entra, tmp_path, build=telling, proxy_header="forwarded", **INNER) as door:
        assert await seen(door.app, "10.0.0.1", line, header="forwarded") == expected
        assert await seen(door.app, "10.0.0.1", "6.6.6.6") == "10.0.0.1"


async def test_spoofed_addresses_buy_nothing(entra: Entra, tmp_path: Path) -> None:
    """SEC-153, SEC-152: another address in each request is counted as one client, with and without a proxy."""
    for values, peer, tail in (({}, "192.0.2.7", ""), (INNER, "10.0.0.1", f", {CLIENT}")):
        async with running(entra, tmp_path, build=telling, limit_strangers="5/hour", **values) as door:
            answers = [
                await visit(door.app, "/who", address=peer, headers={"x-forwarded-for": f"6.6.6.{number}{tail}"})
                for number in range(8)
            ]
            assert [answer.status for answer in answers] == [200] * 5 + [429] * 3


async def test_sessions_and_events_know_the_client(entra: Entra, tmp_path: Path) -> None:
    """SEC-153: what is told of a sign-in names the client, and not the proxy."""
    async with running(entra, tmp_path, trusted_proxies="127.0.0.1") as door:

        async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
            said = (b"x-forwarded-for", f"6.6.6.6, {CLIENT}".encode())
            await door.app({**scope, "headers": [*scope["headers"], said]}, receive, send)

        door.internet.hosts[HOST] = proxy
        await door.signed_in()
        assert [event.address for event in door.events if event.name == "sign_in"] == [CLIENT]


@pytest.mark.parametrize(
    "values",
    [
        {"trusted_proxies": "10.0.0.0/33"},
        {"trusted_proxies": "0.0.0.0/0"},
        {"trusted_proxies": "10.0.0.1/8"},
        {"trusted_proxies": "proxy.example"},
        {"trusted_proxies": "10.0.0.1", "proxy_hops": 1},
        {"proxy_hops": 11},
        {"proxy_header": "x-real-ip"},
        {"limit_strangers": "50"},
        {"limit_people": "many/hour"},
        {"limit_sign_in": ""},
        {"limit_strangers": "5/hour 6/hour"},
        {"admin_networks": "office"},
        {"large_bodies": "/upload"},
        {"large_bodies": "/upload=big"},
        {"limits_exempt": "static/"},
    ],
    ids=lambda values: " ".join(f"{name}={value}" for name, value in values.items()),
)
def test_settings_that_would_mislead(tmp_path: Path, values: dict[str, object]) -> None:
    """SEC-184: a wrong setting of the guards is a start error that names it."""
    with pytest.raises(SettingsRefused, match=next(iter(reversed(values)))):
        settings(tmp_path, **values)


def test_defaults_in_production(tmp_path: Path) -> None:
    """SEC-R: 50 an hour and 200 a day for strangers in production; a thousand times that in development."""
    production = Settings.model_construct(profile="production")
    assert [(rate.quota, rate.unit) for rate in production.rates_of("strangers")] == [(50, "hour"), (200, "day")]
    assert [rate.quota for rate in settings(tmp_path).rates_of("strangers")] == [50_000, 200_000]
    assert [rate.quota for rate in settings(tmp_path, limit_strangers="7/day").rates_of("strangers")] == [7]
