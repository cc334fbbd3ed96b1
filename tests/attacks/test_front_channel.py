"""What a stranger's page can do with our front-channel logout address: nothing (SEC-100, SEC-101)."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.front_door import AUTHORITY, SESSION, FrontDoor, running
from tests.journeys.test_front_channel import LOGOUT, SITE, framed, frames_at_sign_out, intranet, signed_in, works

__all__ = ["intranet"]


@pytest.mark.parametrize("issuer", ["https://evil.example", "", f"{AUTHORITY}/common/v2.0"])
async def test_another_issuer(intranet: FrontDoor, issuer: str) -> None:
    """SEC-100: `iss` is optional but checked; another's ends nothing, though the `sid` is right."""
    browser, session = await signed_in(intranet)
    (frame,) = await frames_at_sign_out(browser)
    sid = frame.partition("sid=")[2].partition("&")[0]
    assert (await framed(intranet, f"{LOGOUT}?{urlencode({'sid': sid, 'iss': issuer})}")).status_code == 400
    assert await works(intranet, session)


@pytest.mark.parametrize("query", ["", "sid=", "sid=a&sid=b", f"sid={'x' * 256}", "sid=a&iss=b&iss=c", "x=1&" * 60])
async def test_malformed(intranet: FrontDoor, query: str) -> None:
    """SEC-100: exactly one `sid` of a sensible length."""
    assert (await framed(intranet, f"{LOGOUT}?{query}")).status_code == 400


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST"])
async def test_a_frame_is_a_get(intranet: FrontDoor, method: str) -> None:
    """SEC-088: whoever only looks whether the address answers ends nothing."""
    browser, session = await signed_in(intranet)
    (frame,) = await frames_at_sign_out(browser)
    assert (await intranet.raw(method, frame)).status_code == 405
    assert await works(intranet, session)


async def test_the_cookie_ends_nothing(intranet: FrontDoor) -> None:
    """SEC-100: `sid` alone counts: a page that lets a browser ask with its cookie and any `sid` ends no session."""
    _, session = await signed_in(intranet)
    answer = await intranet.raw("GET", f"{LOGOUT}?sid=wrong", headers={"cookie": f"{SESSION}={session}"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert await works(intranet, session)


async def test_only_the_authority_may_frame_it(intranet: FrontDoor) -> None:
    """SEC-101: the policy names the authority; every other address, and this one's refusals, may not be framed."""
    answer = await framed(intranet, f"{LOGOUT}?sid=x")
    assert answer.headers["content-security-policy"] == f"default-src 'none'; frame-ancestors {AUTHORITY}"
    assert "x-frame-options" not in answer.headers
    for url in (LOGOUT, f"{SITE}/api/auth/me", f"{SITE}/signed-out", f"{SITE}/private", f"{SITE}/health"):
        other = await framed(intranet, url)
        assert "frame-ancestors 'none'" in other.headers["content-security-policy"], url


async def test_a_flood(entra: Entra, tmp_path: Path) -> None:
    """SEC-101: beyond a burst the answer is 429 with Retry-After; a second later it works again."""
    now = entra.state.clock.now()
    moment = [now]
    async with running(entra, tmp_path, base_url=SITE, options={"clock": lambda: moment[0]}) as door:
        answers = [await framed(door, f"{LOGOUT}?sid={number}") for number in range(501)]
        assert [each.status_code for each in answers] == [200] * 500 + [429]
        assert answers[-1].headers["retry-after"] == "1"
        moment[0] = now + timedelta(seconds=1)
        assert (await framed(door, f"{LOGOUT}?sid=x")).status_code == 200
