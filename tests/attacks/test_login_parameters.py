"""The login address passes on a few hints and nothing else."""

from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.web.cookies import Cookies
from tests.front_door import AUTH, BASE, FrontDoor, running, settings, walk_through
from tests.journeys.test_people_change import house_of


async def asked(door: FrontDoor, parameters: dict[str, str] | list[tuple[str, str]]) -> dict[str, str]:
    """Return what the authority is asked when the login address has these parameters."""
    answer = await door.raw("GET", f"{AUTH}/login?{urlencode(parameters)}")
    assert answer.status_code == 302
    query = parse_qs(urlsplit(answer.headers["location"]).query, keep_blank_values=True)
    assert all(len(values) == 1 for values in query.values())
    return {name: values[0] for name, values in query.items()}


@pytest.mark.parametrize(
    "name",
    [
        "scope",
        "prompt",
        "redirect_uri",
        "response_mode",
        "response_type",
        "claims",
        "client_id",
        "state",
        "nonce",
        "code_challenge",
        "code_challenge_method",
        "max_age",
        "resource",
        "id_token_hint",
        "request",
        "request_uri",
    ],
)
async def test_protocol_parameters(door: FrontDoor, name: str) -> None:
    """SEC-006: no parameter of the protocol is added or changed from outside."""
    request = await asked(door, {name: "forged"})
    assert "forged" not in request.values()
    assert request.keys() == (await asked(door, {})).keys()


async def test_hints(door: FrontDoor) -> None:
    """SEC-006, LOG-7: the hints pass, each up to its length."""
    hints = {"login_hint": "mia@birch.example", "domain_hint": "birch.example", "ui_locales": "de en"}
    assert hints.items() <= (await asked(door, hints)).items()
    longest = {"login_hint": 320, "domain_hint": 253, "ui_locales": 100}
    for name, length in longest.items():
        assert name in await asked(door, {name: "x" * length})
        assert name not in await asked(door, {name: "x" * (length + 1)})


async def test_odd_hints(door: FrontDoor) -> None:
    """SEC-006, SEC-119: a repeated or unprintable hint is left out."""
    assert "login_hint" not in await asked(door, [("login_hint", "a"), ("login_hint", "b")])
    for value in ("a\r\nb", "a\x00b", ""):
        assert "login_hint" not in await asked(door, {"login_hint": value})


@pytest.mark.parametrize(
    "address",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nb", "/api/auth/login", "/api/auth/logout?x"],
)
async def test_return_address_of_another_place(door: FrontDoor, address: str) -> None:
    """SEC-118: a refused return address means home, for a person who goes the whole way."""
    browser = door.browser()
    await browser.open(f"{AUTH}/login?{urlencode({'return_to': address})}")
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/"


async def test_repeated_return_address(door: FrontDoor) -> None:
    """SEC-116: two return addresses are none."""
    browser = door.browser()
    await browser.open(f"{AUTH}/login?return_to=/private&return_to=/private")
    await walk_through(browser)
    assert browser.page.url == f"{BASE}/"


async def test_open_attempts_are_capped(door: FrontDoor) -> None:
    """SEC-022, SEC-084: ten attempts stay open, the oldest are dropped; together they stay far below 16 KiB."""
    browser = door.browser()
    for attempt in range(14):
        await browser.open(f"{AUTH}/login?return_to=/{'x' * 900}{attempt}")
    kept = [cookie for cookie in browser.jar.cookies.values() if "signin" in cookie.name]
    assert 1 < len(kept) <= 10
    assert sum(len(cookie.raw) for cookie in kept) < 16 * 1024
    assert all(len(cookie.raw) <= 4096 for cookie in kept)
    await walk_through(browser)
    assert browser.page.url.endswith("x13")


async def test_a_long_address_beside_many_scopes(entra: Entra, tmp_path: Path) -> None:
    """SEC-084, SEC-118: the sign-in begins all the same, and leads home where the cookie has no room for the page."""
    address = f"/{'x' * 1000}"
    for number, page in ((20, address), (35, "/")):
        scopes = [f"api://11111111-2222-4333-8444-{each:012d}/Orders.Read" for each in range(number)]
        async with running(entra, tmp_path, scopes=scopes) as door:
            begun = await door.raw("GET", f"{AUTH}/login?return_to={address}")
            assert begun.status_code == 302
            (cookie,) = begun.headers.get_list("set-cookie")
            name, _, value = cookie.partition(";")[0].partition("=")
            attempt = house_of(door.app).sign_in.open(name.rpartition("-signin-")[2], value)
            assert attempt
            assert (len(cookie) <= 4096, attempt.return_to) == (True, page)


def test_a_cookie_that_browsers_would_drop(tmp_path: Path) -> None:
    """SEC-084: one over 4096 bytes is never written, and the error does not repeat it."""
    with pytest.raises(ValueError, match="browsers keep 4096") as refused:
        Cookies.from_settings(settings(tmp_path)).open_transaction("h" * 16, "the-value" * 500)
    assert "the-value" not in str(refused.value)
