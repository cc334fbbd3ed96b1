"""Sessions that end elsewhere than in their own browser: their refresh tokens are taken back too, and nobody waits."""

import asyncio
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.authority_app import ABSENT
from tests.browser import Browser
from tests.front_door import AUTH, BASE, SESSION, FrontDoor
from tests.journeys.test_back_channel import session_of, told
from tests.journeys.test_sign_out_elsewhere import application
from tests.journeys.test_sign_out_elsewhere import elsewhere as elsewhere  # noqa: PLC0414
from tests.journeys.test_sign_out_elsewhere import provider as provider  # noqa: PLC0414
from tests.standard_provider import StandardProvider


async def asked(door: FrontDoor, session: str, path: str) -> int:
    """Send what a script of our own pages sends to end sessions."""
    headers = {"cookie": f"{SESSION}={session}", "x-csrf": "1", "sec-fetch-site": "same-origin"}
    return (await door.raw("DELETE", f"{AUTH}/sessions/{path}", headers=headers)).status_code


async def handles(door: FrontDoor, session: str) -> dict[bool, str]:
    """Return the handles of the current session and of another one."""
    answer = await Browser(door.internet).fetch(f"{AUTH}/sessions", headers={"cookie": f"{SESSION}={session}"})
    return {each["current"]: each["handle"] for each in answer.json()["sessions"]}


async def revoked(provider: StandardProvider, *, number: int) -> list[str]:
    """Return which refresh tokens were taken back, once so many were, and no more."""
    for _ in range(200):
        await asyncio.sleep(0.002 if len(provider.calls("/revoke")) >= number else 0.01)
        if len(provider.calls("/revoke")) >= number:
            break
    await asyncio.sleep(0.05)
    return sorted(said["token"] for said in provider.calls("/revoke"))


async def test_one_of_mine(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-1: ending another session, then this one, revokes the token of each."""
    there = await session_of(elsewhere, provider, sub="ada", sid="one")
    here = await session_of(elsewhere, provider, sub="ada", sid="two")
    known = await handles(elsewhere, here)
    assert await asked(elsewhere, here, known[False]) == 200
    assert await revoked(provider, number=1) == ["refresh-0"]
    assert [await elsewhere.reuse(session) for session in (there, here)] == [401, 200]
    assert await asked(elsewhere, here, known[True]) == 200
    assert await revoked(provider, number=2) == ["refresh-0", "refresh-1"]
    assert await elsewhere.reuse(here) == 401


async def test_all_others(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-1: ending all others revokes theirs and not one's own."""
    for number in range(3):
        here = await session_of(elsewhere, provider, sub="ada", sid=str(number))
    await session_of(elsewhere, provider, sub="ben", sid="his")
    assert await asked(elsewhere, here, "others") == 200
    assert await revoked(provider, number=2) == ["refresh-0", "refresh-1"]


@pytest.mark.parametrize("said", [{"sid": "one"}, {"sub": "ada", "sid": ABSENT}])
async def test_at_the_providers_word(elsewhere: FrontDoor, provider: StandardProvider, said: dict[str, object]) -> None:
    """OUT-3: what the provider signs out is revoked too: it may have ended its session and kept the grant."""
    await session_of(elsewhere, provider, sub="ada", sid="one")
    assert await told(elsewhere, provider.logout_token(**said)) == 200
    assert await revoked(provider, number=1) == ["refresh-0"]


async def test_at_the_word_of_a_frame(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-101: anybody may load that address; the session ends, and the provider is asked for nothing."""
    session = await session_of(elsewhere, provider, sub="ada", sid="one")
    before = len(elsewhere.internet.calls)
    assert (await elsewhere.raw("GET", f"{AUTH}/frontchannel-logout?sid=one")).status_code == 200
    assert await elsewhere.reuse(session) == 401
    assert await revoked(provider, number=0) == []
    assert [url for _, url in elsewhere.internet.calls[before:] if not url.startswith(BASE)] == []


async def test_too_many(entra: Entra, provider: StandardProvider, tmp_path: Path) -> None:
    """SEC-077: the session that makes way for a new one has its token revoked."""
    async with application(entra, provider, tmp_path, most_sessions=1) as door:
        await session_of(door, provider, sub="ada", sid="one")
        await session_of(door, provider, sub="ada", sid="two")
        assert len(await revoked(provider, number=1)) == 1


async def test_nobody_waits_for_the_provider(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-097: while its revocation endpoint hangs, sessions end as fast as ever."""
    began, hangs, over = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def silent(scope: object, receive: object, send: object) -> None:
        began.set()
        try:
            await hangs.wait()
        finally:
            over.set()

    provider.answers["/revoke"] = silent
    there = await session_of(elsewhere, provider, sub="ada", sid="one")
    here = await session_of(elsewhere, provider, sub="ada", sid="two")
    assert await asked(elsewhere, here, "others") == 200
    assert await elsewhere.reuse(there) == 401
    assert not over.is_set()  # whoever waits for it is told when it has been given up, and not before
    async with asyncio.timeout(60):
        await began.wait()
    hangs.set()


async def test_it_can_be_switched_off(entra: Entra, provider: StandardProvider, tmp_path: Path) -> None:
    """`revoke_at_sign_out=False` leaves the provider in peace, wherever sessions end."""
    async with application(entra, provider, tmp_path, revoke_at_sign_out=False) as door:
        await session_of(door, provider, sub="ada", sid="one")
        here = await session_of(door, provider, sub="ada", sid="two")
        assert await asked(door, here, "others") == 200
        assert await told(door, provider.logout_token(sid="two")) == 200
        assert await revoked(provider, number=0) == []
