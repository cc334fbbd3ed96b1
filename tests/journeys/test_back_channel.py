"""A standard provider tells our server that somebody signed out there, by a signed token."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra
from starlette.types import Receive, Scope, Send

from tests.authority_app import ABSENT, CLIENT, OBJECT, TENANT
from tests.browser import Browser
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.standard_provider import HOST, ISSUER, StandardProvider

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def provider(entra: Entra) -> StandardProvider:
    """The provider, by the clock of the test."""
    return StandardProvider(entra.state.clock.now)


@pytest.fixture
async def elsewhere(entra: Entra, provider: StandardProvider, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """The small application, with that provider."""
    values = {"tenant_id": None, "issuer": ISSUER, "client_id": CLIENT, "client_secret": "not-a-real-secret"}
    async with running(entra, tmp_path, hosts={HOST: provider}, **values) as door:
        yield door


async def session_of(door: FrontDoor, provider: StandardProvider, **person: str) -> str:
    """Sign somebody in with a new browser; return the session cookie's value."""
    provider.person = person
    browser = Browser(door.internet)
    await browser.open(f"{BASE}/private")
    assert browser.page.url == f"{BASE}/private", browser.page.text
    return browser.jar.of("portal.birch.example")[SESSION]


async def told(door: FrontDoor, token: str) -> int:
    """Return how our back-channel address answers this token."""
    answer = await door.raw("POST", f"{AUTH}/backchannel-logout", headers=FORM, content=f"logout_token={token}")
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code


async def test_one_session(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-3, SEC-102: the sessions of the token's `sid` end, the same person's others do not."""
    first = await session_of(elsewhere, provider, sub="ada", sid="one")
    second = await session_of(elsewhere, provider, sub="ada", sid="two")
    assert await told(elsewhere, provider.logout_token(sid="one")) == 200
    assert [await elsewhere.reuse(session) for session in (first, second)] == [401, 200]
    told_of = [(event.name, event.reason, event.user_key) for event in elsewhere.events[2:]]
    assert told_of == [("session_ended", "backchannel_logout", f"{ISSUER}|ada")]


async def test_all_sessions_of_a_person(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-3, SEC-102: a token with `sub` alone ends all of that person's sessions and nobody else's."""
    first = await session_of(elsewhere, provider, sub="ada", sid="one")
    second = await session_of(elsewhere, provider, sub="ada", sid="two")
    third = await session_of(elsewhere, provider, sub="ben", sid="three")
    assert await told(elsewhere, provider.logout_token(sub="ada", sid=ABSENT)) == 200
    assert [await elsewhere.reuse(session) for session in (first, second, third)] == [401, 401, 200]


async def test_whatever_else_the_tokens_carry(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102, SEC-120: at a provider other than Entra `tid` and `oid` change nothing: `sub` finds its sessions."""
    entras = {"tid": TENANT, "oid": OBJECT}
    first = await session_of(elsewhere, provider, sub="ada", sid="one", **entras)
    other = await session_of(elsewhere, provider, sub="ben", sid="two", **entras)
    assert elsewhere.events[0].user_key == f"{ISSUER}|ada"
    assert await told(elsewhere, provider.logout_token(sub="ada", sid=ABSENT, tid=TENANT, oid=OBJECT)) == 200
    assert [await elsewhere.reuse(session) for session in (first, other)] == [401, 200]
    assert [(event.name, event.user_key) for event in elsewhere.events[2:]] == [("session_ended", f"{ISSUER}|ada")]


async def test_the_person_signs_in_again(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102: a token that is played again ends nothing, though its person is back."""
    await session_of(elsewhere, provider, sub="ada", sid="one")
    token = provider.logout_token(sub="ada", sid=ABSENT)
    assert await told(elsewhere, token) == 200
    session = await session_of(elsewhere, provider, sub="ada", sid="two")
    assert await told(elsewhere, token) == 400
    assert await elsewhere.reuse(session) == 200


async def test_a_store_that_fails_for_a_moment(
    entra: Entra, provider: StandardProvider, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """OUT-3, SEC-102: the token is used up, so its word is kept: the session ends as soon as the store answers."""
    values = {"tenant_id": None, "issuer": ISSUER, "client_id": CLIENT, "client_secret": "not-a-real-secret"}
    async with running(entra, tmp_path, hosts={HOST: provider}, store="sqlite:", **values) as door:
        session = await session_of(door, provider, sub="ada", sid="one")
        with closing(sqlite3.connect(tmp_path / "sessions.db", isolation_level=None)) as store:
            store.execute("ALTER TABLE session_index RENAME TO away")
            telling = asyncio.create_task(told(door, provider.logout_token(sid="one")))
            async with asyncio.timeout(20):
                while "logout_waits_for_the_store" not in caplog.text:
                    await asyncio.sleep(0.01)
            store.execute("ALTER TABLE away RENAME TO session_index")
        assert await telling == 200
        assert await door.reuse(session) == 401


async def test_while_the_sign_in_is_under_way(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """OUT-3, SEC-102: told between the code and the session, before there is one, it is out; the next sign-in is in."""

    async def signing_out(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/token":
            assert await told(elsewhere, provider.logout_token(sid="one")) == 200
        await provider(scope, receive, send)

    provider.person = {"sub": "ada", "sid": "one"}
    elsewhere.internet.hosts[HOST] = signing_out
    browser = Browser(elsewhere.internet)
    page = await browser.open(f"{BASE}/private")
    assert "did not accept this sign-in" in page.text
    assert SESSION not in browser.jar.of("portal.birch.example")
    elsewhere.internet.hosts[HOST] = provider
    assert await elsewhere.reuse(await session_of(elsewhere, provider, sub="ada", sid="two")) == 200
    assert await elsewhere.reuse(await session_of(elsewhere, provider, sub="ada", sid="two")) == 200


async def test_nobody_here(elsewhere: FrontDoor, provider: StandardProvider) -> None:
    """SEC-102: who has no session here is signed out already, and that is success."""
    assert await told(elsewhere, provider.logout_token(sid="never-seen")) == 200
    assert elsewhere.events == []


async def test_entra_sends_none(door: FrontDoor) -> None:
    """OUT-3: at Entra, which has no back-channel logout, the address does not exist."""
    answer = await door.raw("POST", f"{AUTH}/backchannel-logout", headers=FORM, content="logout_token=x")
    assert answer.status_code == 404
