"""`request.session`: the application's own data, on the server."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, Request

from entrada import CurrentUser, OptionalUser
from tests.browser import Browser
from tests.front_door import BASE, FrontDoor, routes, running


def cart(app: FastAPI) -> None:
    """Add a few routes that keep something in the session."""
    routes(app)

    @app.get("/data")
    async def data(request: Request, _user: OptionalUser) -> dict[str, Any]:
        return dict(request.session)

    @app.post("/set/{name}")
    async def put(request: Request, name: str, value: str, wait: float = 0, _user: OptionalUser = None) -> str:
        request.session[name] = json.loads(value)
        await anyio.sleep(wait)
        return "kept"

    @app.post("/append")
    async def append(request: Request, _user: CurrentUser) -> int:
        request.session.setdefault("items", []).append("one more")
        return len(request.session["items"])

    @app.post("/drop/{name}")
    def drop(request: Request, name: str, _user: CurrentUser) -> None:
        request.session.pop(name)

    @app.post("/clear")
    async def clear(request: Request, _user: CurrentUser) -> None:
        request.session.clear()

    @app.post("/set-and-fail")
    async def fail(request: Request, _user: CurrentUser) -> None:
        request.session["kept"] = True
        raise ValueError("after the change")

    @app.post("/a-set")
    async def no_json(request: Request, _user: CurrentUser) -> None:
        request.session["a set"] = {1, 2}

    @app.post("/without")
    async def without(request: Request) -> None:
        request.session["a"] = 1


@pytest.fixture(params=["memory:", "sqlite:"])
async def door(request: pytest.FixtureRequest, entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with running(entra, tmp_path, build=cart, store=request.param) as front_door:
        yield front_door


async def post(browser: Browser, path: str) -> int:
    return (await browser.fetch(BASE + path, method="POST", headers={"x-csrf": "1"})).status_code


async def kept(browser: Browser) -> Any:
    return (await browser.fetch(f"{BASE}/data")).json()


async def test_what_is_put_in_comes_back(door: FrontDoor) -> None:
    """JSON of any shape, for this person's session alone; set, changed inside, taken out, cleared (SES-10)."""
    mia, ada = await door.signed_in(), await door.signed_in("ada@birch.example")
    assert await kept(mia) == {}
    assert await post(mia, '/set/choice?value={"deep":[1,null,"✓",2.5]}') == 200
    assert [await post(mia, "/append") for _ in range(2)] == [200, 200]
    assert await kept(mia) == {"choice": {"deep": [1, None, "✓", 2.5]}, "items": ["one more"] * 2}
    assert await kept(ada) == {}
    assert await post(mia, "/drop/choice") == 200
    assert await kept(mia) == {"items": ["one more"] * 2}
    assert await post(mia, "/clear") == 200
    assert await kept(mia) == {}


async def test_changes_at_once_are_all_kept(door: FrontDoor) -> None:
    """Ten requests that each change something else, all begun before any ends, lose nothing of each other (SES-6)."""
    mia = await door.signed_in()
    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(post, mia, f"/set/n{number}?value={number}&wait=0.05")
    assert await kept(mia) == {f"n{number}": number for number in range(10)}


async def test_nothing_is_written_unless_it_changed(door: FrontDoor, tmp_path: Path) -> None:
    """Reading, and setting what is there already, leave the store as it is (SES-10)."""
    mia = await door.signed_in()
    assert await post(mia, "/set/a?value=1") == 200
    before = await versions(tmp_path)
    assert await kept(mia) == {"a": 1}
    assert await post(mia, "/set/a?value=1") == 200
    assert await versions(tmp_path) == before
    assert await post(mia, "/set/a?value=2") == 200
    assert not before or await versions(tmp_path) != before


async def versions(folder: Path) -> list[Any]:
    """Return the versions of the records in the SQLite file, if that is the store."""
    import sqlite3

    file = folder / "sessions.db"
    if not file.exists():
        return []
    connection = sqlite3.connect(file)
    try:
        return connection.execute("SELECT key, version FROM session").fetchall()
    finally:
        connection.close()


async def test_the_store_shows_nothing_of_it(entra: Entra, tmp_path: Path) -> None:
    """The data is sealed: neither names nor values are in the file (SEC-168)."""
    async with running(entra, tmp_path, build=cart, store="sqlite:") as door:
        mia = await door.signed_in()
        await post(mia, '/set/favourite-colour?value="ultramarine"')
        assert await kept(mia) == {"favourite-colour": "ultramarine"}
        for file in tmp_path.glob("sessions.db*"):
            content = file.read_bytes()
            assert b"ultramarine" not in content
            assert b"favourite-colour" not in content


@pytest.mark.parametrize("path", ["/a-set", f'/set/big?value="{"x" * 16400}"'])
async def test_what_cannot_be_kept_is_an_error_and_changes_nothing(door: FrontDoor, path: str) -> None:
    """No JSON, or over 16 KiB in all: 500 for the developer to see, and the data stays as it was."""
    mia = await door.signed_in()
    await post(mia, "/set/a?value=1")
    assert await post(mia, path) == 500
    assert await kept(mia) == {"a": 1}


async def test_nobody_has_data_without_a_session(door: FrontDoor) -> None:
    """For a stranger it is empty and closed: 401, nothing in the cookie, nothing kept."""
    stranger = door.browser()
    assert await kept(stranger) == {}
    assert await post(stranger, "/set/a?value=1") == 401
    assert not stranger.jar.cookies


async def test_a_route_that_asks_for_nobody_is_told_so(door: FrontDoor) -> None:
    """Without a dependency that looks the session up there is an error, never data that is silently lost."""
    mia = await door.signed_in()
    assert await post(mia, "/without") == 500
    assert await kept(mia) == {}


async def test_a_change_is_kept_although_the_request_failed(door: FrontDoor) -> None:
    """As with Starlette's own sessions."""
    mia = await door.signed_in()
    assert await post(mia, "/set-and-fail") == 500
    assert await kept(mia) == {"kept": True}


async def test_it_ends_with_the_session(door: FrontDoor) -> None:
    """After signing out the next sign-in begins with nothing, whoever it is."""
    mia = await door.signed_in()
    await post(mia, "/set/a?value=1")
    await mia.open(f"{BASE}/private")
    await mia.press("Sign out")
    await mia.open(f"{BASE}/private")
    assert await kept(mia) == {}


async def test_beside_starlettes_own_middleware(entra: Entra, tmp_path: Path) -> None:
    """Where a SessionMiddleware is around the gate, `request.session` is what it reads again: its own, and not ours."""
    theirs: dict[str, Any] = {}

    class AsStarlettes:
        """Puts a dictionary of its own into the scope, as Starlette's does."""

        def __init__(self, app: Any) -> None:
            self.app = app

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.app({**scope, "session": theirs}, receive, send)

    def build(app: FastAPI) -> None:
        cart(app)
        app.add_middleware(AsStarlettes)

    async with running(entra, tmp_path, build=build) as door:
        assert await post(await door.signed_in(), "/set/colour?value=1") == 200
    assert theirs == {"colour": 1}
