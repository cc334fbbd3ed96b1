"""The door for bearer tokens: one header, one token, decided by it alone, and forgotten when it must be."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from sqlalchemy import insert, update

from entrada import User
from entrada.flows.signing_in.provisioning import NotAdmitted, Provisioning
from entrada.flows.signing_in.standing import Standing
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.person import Person
from entrada.users.tables import users
from tests.access_tokens import app_token, bearer, user_token
from tests.front_door import BASE, SECRET, SESSION, FrontDoor
from tests.journeys.test_bearer import get, orders
from tests.journeys.test_people_change import house_of
from tests.web.test_dependencies import Sockets


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with orders(entra, tmp_path) as front_door:
        yield front_door


HOST = ("host", "portal.birch.example")


async def status(door: FrontDoor, *headers: tuple[Any, Any], path: str = "/either") -> tuple[int, str]:
    answer = await door.raw("GET", BASE + path, headers=[HOST, ("accept", "application/json"), *headers])
    return answer.status_code, answer.json().get("code", "")


async def test_sec_053_one_header(door: FrontDoor) -> None:
    """SEC-053: a token counts in one Authorization header alone; two of them, equal or not, are refused."""
    token = user_token(door.entra)["access_token"]
    good = ("authorization", f"Bearer {token}")
    assert await status(door, good) == (200, "")
    for other in (good, ("authorization", "Bearer x"), ("authorization", "Basic eDp5")):
        assert await status(door, good, other) == (400, "invalid_request")
        assert await status(door, other, good) == (400, "invalid_request")


@pytest.mark.parametrize("place", ["query", "form", "cookie", "session cookie", "x-header", "proxy"])
async def test_sec_053_no_other_place(door: FrontDoor, place: str) -> None:
    """SEC-053: in a query, a form, a cookie or another header a good token is not seen."""
    token = user_token(door.entra)["access_token"]
    path = f"/note?access_token={token}" if place == "query" else "/note"
    headers = {
        "form": {"content-type": "application/x-www-form-urlencoded"},
        "cookie": {"cookie": f"access_token={token}"},
        "session cookie": {"cookie": f"{SESSION}={token}", "sec-fetch-site": "same-origin", "x-csrf": "1"},
        "x-header": {"x-ms-token-aad-access-token": token, "x-access-token": token},
        "proxy": {"proxy-authorization": f"Bearer {token}"},
    }.get(place, {})
    answer = await door.raw(
        "POST", BASE + path, headers=headers | {"accept": "application/json"}, content=f"access_token={token}"
    )
    assert answer.status_code == 401
    assert "error" not in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Bearer", (400, "invalid_request")),
        ("Bearer ", (400, "invalid_request")),
        ("Bearer a b", (400, "invalid_request")),
        ("Bearer a, Bearer b", (400, "invalid_request")),
        ('Bearer token="a"', (400, "invalid_request")),
        ("Bearer\ta", (400, "invalid_request")),
        ("Bearer \u00e4", (400, "invalid_request")),
        ("Bearer a", (401, "invalid_token")),
        ("bEARER a", (401, "invalid_token")),
        ("Bearer a.b.c", (401, "invalid_token")),
        ("Bearer " + "a" * 30_000, (401, "invalid_token")),
        ("Bearer " + "a" * 70_000, (431, "headers_too_large")),
        ("Bearer " + "a" * 40_000 + "." + "b" * 20_000 + ".c", (431, "headers_too_large")),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_sec_055_what_is_no_token(door: FrontDoor, value: str, expected: tuple[int, str]) -> None:
    """SEC-055, REL-053: what is not `Bearer` and one token is 400; what is a token and not good is 401."""
    assert await status(door, (b"authorization", value.encode())) == expected


async def test_sec_052_an_id_token_by_the_door(entra: Entra, tmp_path: Path) -> None:
    """SEC-052: an ID token whose audience is this very application opens nothing."""
    async with orders(entra, tmp_path, client_id=seeds.PUBLIC_CLIENT, client_secret=None) as door:
        id_token = user_token(entra)["id_token"]
        answer = await get(door, "/either", id_token)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_sec_095_never_the_cookie_instead(entra: Entra, tmp_path: Path) -> None:
    """SEC-095: a bad token beside a good session is refused; nor is the session shown, changed or ended."""
    async with orders(entra, tmp_path, client_id=seeds.WEB_APP, client_secret=SECRET) as door:
        browser = await door.signed_in(page="/either")
        session = browser.jar.of("portal.birch.example")[SESSION]
        cookie = ("cookie", f"{SESSION}={session}")
        for value in ("Bearer x", "Bearer", f"Bearer {user_token(entra)['access_token']}"):
            for path in ("/either", "/bearer", "/session", "/app", "/perhaps", "/scoped", "/api/auth/me"):
                assert (await status(door, cookie, ("authorization", value), path=path))[0] in {400, 401}
        headers = bearer("x") | {"cookie": f"{SESSION}={session}"}
        assert (await door.raw("POST", f"{BASE}/api/auth/logout", headers=headers)).status_code == 401
        assert (await browser.fetch(f"{BASE}/session")).status_code == 200


async def inactive(door: FrontDoor, data_dir: Path) -> None:
    """Make Mia inactive, as an administrator would."""
    mia, now = door.entra.user(), door.entra.state.clock.now()
    database = Database(None, data_dir=data_dir)
    row = {"tenant_id": mia.tenant_id, "object_id": mia.id, "issuer": "i", "subject": "s", "name": "", "username": ""}
    async with database.unit_of_work() as connection:
        known = users.c.object_id == mia.id
        if (await connection.execute(update(users).where(known).values(is_active=False))).rowcount == 0:
            values = row | {"id": uuid4(), "is_active": False, "created_at": now, "last_sign_in_at": now}
            await connection.execute(insert(users).values(values))
    await database.close()


async def test_sec_056_a_person_who_was_made_inactive(door: FrontDoor, tmp_path: Path) -> None:
    """SEC-056, SEC-134, USR-3: a remembered token of a person who was made inactive is refused within 60 seconds."""
    token = user_token(door.entra)["access_token"]
    assert (await get(door, "/either", token)).status_code == 200
    await inactive(door, tmp_path)
    door.entra.state.clock.move(timedelta(seconds=60))
    for _ in range(2):
        refused = await get(door, "/either", token)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_admitted")
    assert (await get(door, "/app", app_token(door.entra))).status_code == 200


async def test_sec_056_made_inactive_while_being_let_in(entra: Entra, tmp_path: Path) -> None:
    """SEC-056, USR-3: what was found out before somebody was shut out is not remembered after it."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow_rule(user: User) -> User:
        asked.set()
        await go_on.wait()
        return user

    async with orders(entra, tmp_path, options={"provision": slow_rule}) as door:
        token = user_token(entra)["access_token"]
        under_way = asyncio.create_task(get(door, "/either", token))
        await asked.wait()
        await inactive(door, tmp_path)
        mia = entra.user()
        house_of(door.app).bearers.forget(f"{mia.tenant_id}:{mia.id}")
        go_on.set()
        await under_way
        assert (await get(door, "/either", token)).status_code == 403


class Paused(Directory):
    """The directory, whose answer is on its way for a while."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def known(self, user: User) -> Person | None:
        found = await super().known(user)
        self.asked.set()
        await self.go_on.wait()
        return found


async def test_sec_056_made_inactive_while_the_directory_answers(door: FrontDoor, tmp_path: Path) -> None:
    """SEC-056, SEC-134: an answer of before is not remembered for a minute when somebody is shut out meanwhile."""
    mia, database = door.entra.user(), Database(None, data_dir=tmp_path)
    user, directory = User("i", "s", tenant_id=mia.tenant_id, object_id=mia.id), Paused(database)
    standing = Standing(Provisioning(directory), door.entra.state.clock.now)
    under_way = asyncio.create_task(standing.of(user))
    await directory.asked.wait()
    await inactive(door, tmp_path)
    standing.forget(user.key)
    directory.go_on.set()
    await under_way
    with pytest.raises(NotAdmitted):
        await standing.of(user)
    await database.close()


async def test_sec_056_a_withdrawn_key(door: FrontDoor) -> None:
    """SEC-056, SEC-062: once new keys are seen, a remembered token of a withdrawn one is refused like any other."""
    old = user_token(door.entra)["access_token"]
    assert (await get(door, "/either", old)).status_code == 200
    door.entra.state.keys.replace_at_once()
    assert (await get(door, "/either", old)).status_code == 200  # nobody has heard of it yet
    new = user_token(door.entra)["access_token"]
    assert (await get(door, "/either", new)).status_code == 200
    refused = await get(door, "/either", old)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")


async def test_sec_093_websocket(door: FrontDoor) -> None:
    """SEC-093: a handshake with a good token opens, from any origin; with a bad one, or none, it is refused."""
    token = user_token(door.entra)["access_token"]
    sockets = Sockets(door)
    spa = {"origin": "https://spa.birch.example"}
    assert await sockets.says("/ws", authorization=f"Bearer {token}", **spa) == "Mia Member"
    assert await sockets.says("/ws", **spa) == "refused 1008"
    for wrong in ("Bearer x", f"Bearer {app_token(door.entra)}", f"Basic {token}"):
        assert await sockets.says("/ws", authorization=wrong, **spa) == "refused 1008"
