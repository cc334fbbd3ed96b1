"""Whatever the application's own functions do, nobody is let in by it, and nobody is put out."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from starlette.types import Message

from entrada import User
from entrada.errors import StoreUnavailable
from tests.attacks.test_state import stopped_at_callback
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running

HOST = "portal.birch.example"
JSON = {"accept": "application/json"}


def raising(user: User) -> User:
    raise KeyError(f"no row for {user.name}")


async def raising_later(user: User) -> User:
    await asyncio.sleep(0)
    raise RuntimeError("the directory is away")


def somebody_else(user: User) -> User:
    return User(issuer=user.issuer, subject="admin", tenant_id=user.tenant_id, object_id=user.issuer)


def nonsense(_user: User) -> Any:
    return "yes"


@pytest.mark.parametrize(
    ("provision", "status"), [(raising, 500), (raising_later, 500), (somebody_else, 403), (nonsense, 500)]
)
async def test_provision(entra: Entra, tmp_path: Path, provision: Callable[[User], Any], status: int) -> None:
    """SEC-178, SEC-020: a provision function that fails, or names somebody else, signs nobody in: no cookie, no row."""
    async with running(entra, tmp_path, options={"provision": provision}) as door:
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
        assert browser.page.status == status
        assert SESSION not in browser.jar.of(HOST)
        assert "no row for" not in browser.page.html
        assert "the directory is away" not in browser.page.html
        with closing(sqlite3.connect(tmp_path / "entrada.db")) as database:
            users = database.execute("SELECT count(*) FROM entrada_user").fetchone()
        assert users == (0,)
        again = await browser.open(url)
        assert again.status == 400


async def test_listener(door: FrontDoor) -> None:
    """SEC-178: a listener that fails is logged; the sign-in, the failure and the sign-out it heard of stand."""
    for name in ("sign_in", "sign_in_failed", "sign_out"):

        @door.entrada.on(name)
        def failing(event: object) -> None:
            raise KeyError(event)

    browser = await door.signed_in()
    assert "Hello" in browser.page.text
    assert (await door.browser().open(f"{AUTH}/callback?state=x&code=y")).status == 400
    session = browser.jar.of(HOST)[SESSION]
    await browser.press("Sign out")
    assert await door.reuse(session) == 401


@pytest.mark.parametrize("status", [419, 444, 499, 520, 599])
async def test_status_without_a_name(entra: Entra, tmp_path: Path, status: int) -> None:
    """SEC-180: an HTTPException with a status that has no name in any RFC keeps it, in both forms."""

    def build(app: FastAPI) -> None:
        @app.get("/odd")
        async def odd() -> None:
            raise HTTPException(status, detail="own words")

    async with running(entra, tmp_path, build=build) as door:
        for accept in ("text/html", "application/json"):
            answer = await door.raw("GET", f"{BASE}/odd", headers={"accept": accept})
            assert answer.status_code == status
            assert "own words" in answer.text


def with_own_handler() -> FastAPI:
    app = FastAPI()

    @app.exception_handler(Exception)
    async def unforeseen(_request: Request, _error: Exception) -> PlainTextResponse:
        return PlainTextResponse("ours", 500)

    return app


async def test_own_handler_is_protected_too(entra: Entra, tmp_path: Path) -> None:
    """SEC-160: the answer of the application's own handler for everything has the protective headers as well."""
    async with running(entra, tmp_path, app=with_own_handler()) as door:
        answer = await door.raw("GET", f"{BASE}/broken", headers=JSON)
        assert answer.text == "ours"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "strict-transport-security" in answer.headers


async def test_own_handler_and_our_routes(entra: Entra, tmp_path: Path) -> None:
    """SEC-020: an exception in the callback reaches it too, without a session."""
    options = {"provision": raising}
    async with running(entra, tmp_path, app=with_own_handler(), options=options) as door:
        browser, url = await stopped_at_callback(door)
        await browser.open(url)
        assert browser.page.status == 500
        assert SESSION not in browser.jar.of(HOST)
        assert browser.page.headers["cache-control"] == "no-store"
        assert browser.page.headers["referrer-policy"] == "no-referrer"


async def test_answer_that_breaks_off(entra: Entra, tmp_path: Path) -> None:
    """SEC-180: an exception of ours after the answer has begun is raised on, never answered a second time."""

    def build(app: FastAPI) -> None:
        @app.get("/stream")
        async def stream() -> StreamingResponse:
            async def chunks() -> AsyncIterator[bytes]:
                yield b"a"
                raise StoreUnavailable("gone")

            return StreamingResponse(chunks())

    async with running(entra, tmp_path, build=build) as door:
        sent: list[str] = []

        async def receive() -> Message:
            await asyncio.sleep(5)
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message["type"])

        scope = {"type": "http", "asgi": {"spec_version": "2.4"}, "method": "GET", "path": "/stream", "root_path": "",
                 "query_string": b"", "headers": [(b"host", HOST.encode())], "client": None}  # fmt: skip
        with pytest.raises(StoreUnavailable):
            await door.app(scope, receive, send)
        assert sent.count("http.response.start") == 1
