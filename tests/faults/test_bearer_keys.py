"""The authority's keys change, vanish or cannot be had while clients call with their tokens."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from entrada.errors import TokenRefused
from tests.access_authority import BothVersions, api_claims, signed, verifier
from tests.access_tokens import user_token
from tests.authority_app import Clock, answer, jwk
from tests.front_door import FrontDoor
from tests.journeys.test_bearer import get, orders


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with orders(entra, tmp_path) as front_door:
        yield front_door


async def test_rel_007_rotation(door: FrontDoor) -> None:
    """REL-007, SEC-062: keys rotate before, between and during requests, and no caller notices."""
    for _ in range(3):
        token = user_token(door.entra)["access_token"]
        assert (await get(door, "/either", token)).status_code == 200
        door.entra.state.clock.move(timedelta(minutes=6))
        door.entra.state.keys.rotate()
        newer = user_token(door.entra)["access_token"]
        tokens = [token, newer] * 5
        answers = await asyncio.gather(*(get(door, "/either", each) for each in tokens))
        assert [each.status_code for each in answers] == [200] * 10


async def test_rel_009_invented_kids() -> None:
    """REL-009, SEC-061: five thousand tokens with unknown kids cost one fetch, and good ones are believed meanwhile."""
    app = BothVersions()
    checks = verifier(app)
    await checks.verify(signed(api_claims()))
    invented = [signed(api_claims(), kid=secrets.token_hex(8)) for _ in range(50)]
    before = dict(app.hits)

    async def refused(token: str) -> None:
        with pytest.raises(TokenRefused, match=r"^kid"):
            await checks.verify(token)

    for _ in range(100):
        await asyncio.gather(*map(refused, invented), checks.verify(signed(api_claims())))
    assert (app.hits["keys"] - before["keys"], app.hits["metadata"] - before["metadata"]) == (1, 0)
    assert app.old.hits == {"metadata": 0, "keys": 0}


async def test_rel_006_the_authority_down_for_a_day(door: FrontDoor) -> None:
    """REL-006: an authority that is down for 23 hours keeps nobody out whose token is good."""
    entra = door.entra
    assert (await get(door, "/either", user_token(entra)["access_token"])).status_code == 200
    authority = door.internet.hosts.pop("login.microsoftonline.com")
    entra.state.clock.move(timedelta(hours=23))
    token = user_token(entra)["access_token"]
    assert (await get(door, "/either", token)).status_code == 200
    entra.state.clock.move(timedelta(hours=2))
    late = user_token(entra)["access_token"]
    refused = await get(door, "/either", late)
    assert (refused.status_code, refused.json()["code"]) == (503, "temporarily_unavailable")
    assert "retry-after" in refused.headers
    door.internet.hosts["login.microsoftonline.com"] = authority
    entra.state.clock.move(timedelta(seconds=10))
    assert (await get(door, "/either", late)).status_code == 200


async def test_sec_062_keys_age_without_requests_that_ask_for_them(door: FrontDoor) -> None:
    """SEC-062: while every token is remembered, the chore still notices within about an hour that a key is gone."""
    entra, discovery = door.entra, door_discovery(door)
    token = entra.token(exp=int((entra.state.clock.now() + timedelta(hours=3)).timestamp()))
    assert (await get(door, "/either", token)).status_code == 200
    entra.state.keys.replace_at_once()
    await discovery.keep_fresh()
    assert (await get(door, "/either", token)).status_code == 200  # not an hour old: nothing was fetched
    entra.state.clock.move(timedelta(minutes=67))
    async with asyncio.timeout(30):
        while (answer := await get(door, "/either", token)).status_code == 200:
            await discovery.keep_fresh()  # the first look starts the fetch, and waits for nobody
            await asyncio.sleep(0.01)
    assert answer.status_code == 401
    assert "kid" in answer.headers["www-authenticate"]


def door_discovery(door: FrontDoor):
    """Return what the application's chore looks after."""
    from entrada.web.middleware.gate import Gate

    layer = next(each for each in door.app.user_middleware if each.cls is Gate)
    return layer.kwargs["house"].discovery


@pytest.mark.parametrize("spoilt", [b"", b"[]", b'{"keys":[]}', b"<html>", b"\xff\x00" * 1000])
async def test_rel_008_spoilt_keys(spoilt: bytes) -> None:
    """REL-008, SEC-060: what is no key set is not believed: the last good keys go on for access tokens too."""
    app, clock = BothVersions(), Clock()
    checks = verifier(app, clock=clock)
    await checks.verify(signed(api_claims(clock())))
    app.answers["keys"] = answer(spoilt)
    for _ in range(5):
        clock.move(hours=1)
        await checks.verify(signed(api_claims(clock())))
        await asyncio.sleep(0.01)
    assert app.hits["keys"] > 1, "nobody has asked for what is spoilt"
    app.answers.clear()
    app.keys.append(jwk("three"))
    clock.move(minutes=10)
    await checks.verify(signed(api_claims(clock()), signer="three"))
