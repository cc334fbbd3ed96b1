"""Whatever happens, no log line of anything in the process holds what would let its reader in (SEC-146, SEC-147)."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra

from tests.attacks.test_state import changed, stopped_at_callback
from tests.canary import Heard, hearing_everything
from tests.front_door import AUTH, BASE, SECRET, SESSION, FrontDoor, running
from tests.wiretap import Wiretap

HOST = "portal.birch.example"
MARK = "kE7-Q_canary-9fZ-kE7-Q"


@pytest.fixture
def heard() -> Iterator[Heard]:
    with hearing_everything() as heard:
        yield heard


def tapped(door: FrontDoor) -> Wiretap:
    """Listen at every door of this internet."""
    wiretap = Wiretap()
    for host, app in list(door.internet.hosts.items()):
        door.internet.hosts[host] = wiretap.at(app)
    return wiretap


def nothing_was_said(heard: Heard, wiretap: Wiretap, *, of: set[str]) -> None:
    """Hold all lines against all secrets, having made sure that there were some of each."""
    assert heard.lines
    missing = {name for name in of if not wiretap.secrets.get(name)}
    assert not missing, f"the run did not even meet: {missing}"
    assert heard.with_any_of(*wiretap.values(), SECRET, MARK) == []


async def test_the_whole_way(heard: Heard, door: FrontDoor) -> None:
    """SEC-146: sign-in, Graph, renewal, sign-out, at the lowest level of every logger."""
    wiretap = tapped(door)
    browser = await door.signed_in()
    await browser.fetch(f"{BASE}/graph")
    for _ in range(3):
        door.entra.state.clock.move(timedelta(minutes=40))
        await browser.fetch(f"{AUTH}/me")
    assert (await browser.fetch(f"{BASE}/graph")).json()["source"] == "identity_provider"
    await browser.open(f"{BASE}/private")
    await browser.press("Sign out")
    sent = "code state nonce code_verifier code_challenge client_secret refresh_token access_token id_token"
    nothing_was_said(heard, wiretap, of={*sent.split(), "cookie", "authorization", "csrf_token", "logout_hint"})


async def test_every_way_to_fail(heard: Heard, door: FrontDoor) -> None:
    """SEC-146: refusals, faults of the authority, replay, an edited answer, an exception of the application."""
    wiretap = tapped(door)
    for kind in ("error", "garbage", "status"):
        browser, url = await stopped_at_callback(door)
        door.entra.state.faults.add(Fault(endpoint="token", kind=kind, times=3))
        await browser.open(url)
        door.entra.state.faults.clear()
        assert browser.page.status >= 400
    browser, url = await stopped_at_callback(door)
    await door.browser().open(url)
    await browser.open(changed(url, code=MARK))
    await browser.open(f"{AUTH}/callback?error=access_denied&error_description={MARK}%0A&state={MARK}")
    await door.browser().open(f"{AUTH}/login?return_to=https%3A%2F%2Fevil.example%2F{MARK}")
    browser = await door.signed_in()
    await browser.open(f"{BASE}/broken?code={MARK}")
    headers = {"cookie": f"{SESSION}={MARK}", "authorization": f"Bearer {MARK}", "accept": "application/json"}
    await door.raw("GET", f"{BASE}/private?token={MARK}", headers=headers)
    await door.raw("POST", f"{AUTH}/logout", headers=headers | {"x-csrf-token": MARK})
    nothing_was_said(heard, wiretap, of={"code", "state", "code_verifier", "client_secret", "id_token", "cookie"})
    assert any("unhandled" in line for line in heard.lines)


async def test_a_wrong_secret(heard: Heard, entra: Entra, tmp_path: Path) -> None:
    """SEC-146: the secret that the authority refuses is not named to anybody."""
    async with running(entra, tmp_path, client_secret=MARK) as door:
        wiretap = tapped(door)
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
    assert MARK not in browser.page.html
    nothing_was_said(heard, wiretap, of={"code", "state", "client_secret"})


async def test_no_line_is_forged(heard: Heard, door: FrontDoor) -> None:
    """SEC-147: line ends and control characters of a request stay inside one line of ours."""
    forged = "%0d%0a2026-01-01T00:00:00Z%20info%20counterfeit%1b%5b2K%00"
    await door.browser().open(f"{AUTH}/callback?state={forged}&code={forged}&error={forged}&error_description={forged}")
    await door.browser().open(f"{AUTH}/login?return_to={forged}")
    lines = [line for line in heard.lines if "counterfeit" in line.splitlines()[0] or "\x1b" in line or "\0" in line]
    assert not [line for entry in heard.lines for line in entry.splitlines() if line.startswith("2026-01-01")]
    assert not lines
    assert heard.lines


def test_the_ear_would_have_heard() -> None:
    """The control: a line with a secret in it is found, whoever writes it."""
    with hearing_everything() as heard:
        logging.getLogger("some.library").debug("sent %s", MARK)
    assert heard.with_any_of(MARK)
