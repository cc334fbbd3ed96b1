"""A code that another attempt was given is worth nothing in this one."""

from urllib.parse import parse_qs, urlsplit

import pytest
from entrada_emulator.faults import Fault

from tests.attacks.test_state import HOST, changed, stopped_at_callback
from tests.front_door import SESSION, FrontDoor


async def test_anothers_code(door: FrontDoor) -> None:
    """RFC 9700 4.5, SEC-002: a stolen code in the victim's own attempt fails at PKCE, and nobody is signed in."""
    _, stolen = await stopped_at_callback(door)
    browser, url = await stopped_at_callback(door)
    await browser.open(changed(url, code=parse_qs(urlsplit(stolen).query)["code"][0]))
    assert browser.page.status == 403
    assert SESSION not in browser.jar.of(HOST)


@pytest.mark.parametrize(
    "kind",
    [
        "wrong_nonce",
        "no_nonce",
        "wrong_issuer",
        "wrong_audience",
        "expired",
        "bad_signature",
        "alg_none",
        "unknown_kid",
    ],
)
async def test_token_with_a_fault(door: FrontDoor, kind: str) -> None:
    """SEC-020, SEC-033 to SEC-041: an ID token with any fault signs nobody in: no cookie, no row, one event."""
    door.entra.state.faults.add(Fault(endpoint="token", kind=kind))  # type: ignore[arg-type]
    browser, url = await stopped_at_callback(door)
    await browser.open(url)
    assert browser.page.status == 403
    assert SESSION not in browser.jar.of(HOST)
    assert [(event.name, event.reason) for event in door.events] == [("sign_in_failed", "invalid_token")]
