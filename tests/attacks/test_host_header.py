"""What a request says about its host decides nothing but whether it is answered at all."""

import pytest

from tests.front_door import AUTH, BASE, FrontDoor

FORGED = {
    "x-forwarded-host": "evil.example",
    "x-forwarded-proto": "http",
    "x-forwarded-for": "6.6.6.6",
    "forwarded": "host=evil.example;proto=http",
    "x-original-url": "/private",
    "x-rewrite-url": "/private",
    "x-forwarded-uri": "/health",
    "x-forwarded-prefix": "/evil",
}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "portal.birch.example.evil.example",
        "portal.birch.example@evil.example",
        "",
        "portal.birch.example:x",
        "portal.birch.example:443:80",
        "portal.birch.example/",
        "portal.birch.example#",
        "portal.birch.example:",
        " ",
        "evil.example, portal.birch.example",
        "portal.birch.example.",
        "[portal.birch.example]",
        "portal.birch.example:4430000",
        "portal\u2024birch.example",
    ],
)
async def test_other_hosts(door: FrontDoor, host: str) -> None:
    """SEC-163: a host that is not exactly ours is refused with 400 before any route, as a page or a problem."""
    for path in ("/", "/health", "/api/auth/login"):
        answer = await door.raw("GET", f"{BASE}{path}", headers=[("host", host.encode())])
        assert answer.status_code == 400, path
        assert "evil" not in answer.text


@pytest.mark.parametrize(
    "hosts", [[], ["portal.birch.example", "portal.birch.example"], ["portal.birch.example", "evil.example"]]
)
async def test_absent_or_repeated(door: FrontDoor, hosts: list[str]) -> None:
    """SEC-163: exactly one Host header."""
    answer = await door.raw("GET", f"{BASE}/", headers=[("host", host) for host in hosts], own_host=False)
    assert answer.status_code == 400


@pytest.mark.parametrize("host", ["portal.birch.example", "PORTAL.Birch.Example", "portal.birch.example:443"])
async def test_our_host(door: FrontDoor, host: str) -> None:
    """SEC-163: compared without case; a port may stand behind it."""
    answer = await door.raw("GET", f"{BASE}/", headers=[("host", host)])
    assert answer.status_code == 200


async def test_forged_headers_change_no_byte(door: FrontDoor) -> None:
    """SEC-005, REL-070: forwarded headers change neither the redirect URI nor the cookies."""
    honest = await door.raw("GET", f"{AUTH}/login")
    forged = await door.raw("GET", f"{AUTH}/login", headers=FORGED)

    def fixed(text: str) -> list[str]:
        return [part for part in text.split("&") if not part.startswith(("state=", "nonce=", "code_challenge="))]

    assert fixed(forged.headers["location"]) == fixed(honest.headers["location"])
    attributes = [answer.headers["set-cookie"].partition(";")[2] for answer in (honest, forged)]
    assert attributes[0] == attributes[1]


@pytest.mark.parametrize(
    "name",
    [
        "x-user",
        "x-user-id",
        "x-forwarded-user",
        "x-ms-client-principal",
        "x-ms-client-principal-name",
        "X_Forwarded_User",
    ],
)
async def test_identity_headers(door: FrontDoor, name: str) -> None:
    """SEC-165: no inbound header makes anybody a user."""
    answer = await door.raw("GET", f"{AUTH}/me", headers={name: "ada@birch.example", "accept": "application/json"})
    assert answer.status_code == 401
