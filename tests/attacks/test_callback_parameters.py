"""What the callback does comes from the sealed attempt of this browser, and from nothing in the address it came by."""

from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.flows.signing_in.transaction import CLOCKS_APART, HANDLE_LENGTH, PURPOSE, Transaction, unseal
from entrada.sessions.keyfile import load_or_create_ring
from entrada.sessions.sealing import Sealer
from tests.attacks.test_state import changed, stopped_at_callback
from tests.browser import Browser
from tests.front_door import AUTH, AUTHORITY, BASE, SESSION, FrontDoor, running, walk_through

HOST = "portal.birch.example"
HOSTILE = {
    "redirect_uri": "https://evil.example/callback",
    "return_to": "/graph",
    "code_verifier": "x" * 43,
    "nonce": "x",
    "scope": "openid Directory.ReadWrite.All",
    "client_id": "00000000-0000-4000-8000-000000000000",
    "issuer": "https://evil.example/",
    "token_endpoint": "https://evil.example/token",
    "id_token": "eyJhbGciOiJub25lIn0.e30.",
    "access_token": "x",
    "username": "admin@birch.example",
}


async def test_nothing_is_taken_from_the_address(door: FrontDoor) -> None:
    """SEC-004: parameters that would steer the token request, the verification or the way back are not read."""
    browser, url = await stopped_at_callback(door)
    before = len(door.internet.calls)
    await browser.open(changed(url, **HOSTILE))
    assert browser.page.url == f"{BASE}/private"
    (sent,) = door.entra.state.recorder.requests("token")
    assert sent.form["redirect_uri"] == f"{AUTH}/callback"
    assert sent.form["code_verifier"] != HOSTILE["code_verifier"]
    assert not set(HOSTILE.values()) & set(sent.form.values())
    profile = ("https://graph.microsoft.com/v1.0/me?", "https://graph.microsoft.com/v1.0/me/photos/")
    ours = (AUTHORITY, BASE, *profile)
    assert all(address.startswith(ours) for _, address in door.internet.calls[before:])


async def test_the_attempt_remembers_what_it_was(door: FrontDoor) -> None:
    """SEC-004: the record holds issuer, client, redirect URI, nonce, verifier, scopes, return address and beginning."""
    assert {each.name for each in fields(Transaction)} >= {
        "issuer", "client_id", "redirect_uri", "nonce", "code_verifier", "scopes", "return_to", "created",
    }  # fmt: skip
    browser, url = await stopped_at_callback(door)
    ((_, sealed),) = [(name, value) for name, value in browser.jar.of(HOST).items() if "signin" in name]
    await browser.open(url)
    assert browser.page.url == f"{BASE}/private"
    for secret in ("private", AUTH, "openid"):
        assert secret not in sealed


@pytest.mark.parametrize("setting", [{"client_id": "11111111-1111-4111-8111-111111111111"}])
async def test_attempt_of_another_client(entra: Entra, tmp_path: Path, setting: dict[str, str]) -> None:
    """SEC-004, SEC-009: an attempt begun for one client is not finished by another that shares keys and address."""
    async with running(entra, tmp_path) as before:
        browser, url = await stopped_at_callback(before)
    async with running(entra, tmp_path, **setting) as after:
        answer = await after.browser().fetch(
            url, headers={"cookie": "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())}
        )
        assert answer.status_code == 400
        assert entra.state.recorder.requests("token") == ()


async def test_replay_at_another_worker(entra: Entra, tmp_path: Path) -> None:
    """SEC-014: an attempt that one worker has spent is spent for the other, which shares store and keys."""
    async with running(entra, tmp_path, store="sqlite:") as one, running(entra, tmp_path, store="sqlite:") as two:
        browser, url = await stopped_at_callback(one)
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())}
        assert (await one.browser().fetch(url, headers=headers)).status_code == 303
        assert (await two.browser().fetch(url, headers=headers)).status_code == 400
        assert len(entra.state.recorder.requests("token")) == 1


async def test_begun_at_one_worker_and_finished_at_another(entra: Entra, tmp_path: Path) -> None:
    """REL-074: the attempt is in the browser, so any worker with the keys can finish it."""
    async with running(entra, tmp_path, store="sqlite:") as one, running(entra, tmp_path, store="sqlite:") as two:
        browser, url = await stopped_at_callback(one)
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in browser.jar.of(HOST).items())}
        answer = await two.browser().fetch(url, headers=headers)
        assert answer.status_code == 303
        assert SESSION in answer.headers["set-cookie"]


def test_an_attempt_is_over_when_its_use_may_be_forgotten(entra: Entra) -> None:
    """SEC-013, SEC-014, REL-046: at the very end of its life it is refused, and one from farther ahead than clocks are
    apart is, too: its use is remembered for that much longer than it lasts."""
    began = entra.state.clock.now()
    lifetime = timedelta(minutes=10)
    attempt = Transaction("i", "c", "r", "s", "n", "v", ("openid",), "/", began)
    assert attempt.begun_within(lifetime, now=began)
    assert attempt.begun_within(lifetime, now=began + lifetime - timedelta(microseconds=1))
    assert not attempt.begun_within(lifetime, now=began + lifetime)
    assert replace(attempt, created=began + CLOCKS_APART).begun_within(lifetime, now=began)
    beyond = began + CLOCKS_APART + timedelta(microseconds=1)
    assert not replace(attempt, created=beyond).begun_within(lifetime, now=began)


async def test_two_attempts_two_accounts(door: FrontDoor) -> None:
    """SEC-012, REL-063: two tabs, two people: the later has the browser, the earlier session is dead, nothing mixes."""
    browser, first = await stopped_at_callback(door)
    for key in [key for key, cookie in browser.jar.cookies.items() if cookie.host != HOST]:
        del browser.jar.cookies[key]  # the authority forgets who was there
    await browser.open(f"{BASE}/private?tab=2")
    await walk_through(browser, "ada@birch.example")
    ada = browser.jar.of(HOST)[SESSION]
    assert "Hello Ada" in browser.page.text
    await browser.open(first)
    assert "Hello Mia" in browser.page.text
    assert await door.reuse(ada) == 401
    assert await door.reuse(browser.jar.of(HOST)[SESSION]) == 200


async def resealed(door: FrontDoor, **changes: Any) -> tuple[Browser, str]:
    """Return a browser before its callback, whose attempt says something else and is sealed as well as ever."""
    browser, url = await stopped_at_callback(door)
    sealer = Sealer(load_or_create_ring(door.entrada.settings))
    ((key, cookie),) = [(key, cookie) for key, cookie in browser.jar.cookies.items() if "signin" in cookie.name]
    handle = cookie.name[-HANDLE_LENGTH:]
    attempt = unseal(handle, cookie.value, sealer=sealer)
    assert attempt is not None
    changed_attempt = msgspec.msgpack.encode(replace(attempt, **changes))
    sealed = sealer.seal_text(changed_attempt, purpose=PURPOSE, bound_to=(handle.encode(),))
    browser.jar.cookies[key] = replace(cookie, value=sealed)
    return browser, url


async def test_resealed(door: FrontDoor) -> None:
    """The control: an attempt that was sealed again leads where it says."""
    browser, url = await resealed(door, return_to="/")
    await browser.open(url)
    assert browser.page.url == f"{BASE}/"


@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nx: y"])
async def test_return_address_is_checked_again(door: FrontDoor, address: str) -> None:
    """SEC-116: an address that got into an attempt otherwise, by an older release perhaps, is refused when used."""
    browser, url = await resealed(door, return_to=address)
    await browser.open(url)
    assert browser.page.url == f"{BASE}/"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://login.microsoftonline.com/11111111-1111-4111-8111-111111111111/v2.0"},
        {"client_id": "11111111-1111-4111-8111-111111111111"},
        {"state": "another" * 6},
    ],
)
async def test_attempt_at_another_authority(door: FrontDoor, changes: dict[str, str]) -> None:
    """SEC-004, SEC-009: an attempt at another issuer, for another client or of another state redeems nothing here."""
    browser, url = await resealed(door, **changes)
    await browser.open(url)
    assert browser.page.status == 400
    assert door.entra.state.recorder.requests("token") == ()
