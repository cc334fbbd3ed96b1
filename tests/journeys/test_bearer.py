"""An API behind Entrada takes the access tokens that real clients get, and says to others what is wrong."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI, WebSocket

from entrada import (
    App,
    BearerUser,
    CurrentApp,
    CurrentUser,
    OptionalUser,
    SessionUser,
    User,
    any_of,
    app_role,
    in_session,
    requires,
    role,
    scope,
)
from tests.access_tokens import app_token, bearer, user_token
from tests.front_door import BASE, SECRET, FrontDoor, running

JSON = {"accept": "application/json"}


def api(app: FastAPI) -> None:
    """An API with a route for each kind of caller."""

    @app.get("/either")
    async def either(user: CurrentUser) -> dict[str, str]:
        return {"name": user.name, "way": user.way}

    @app.get("/bearer")
    async def by_bearer(user: BearerUser) -> dict[str, Any]:
        assert user.delegation
        return {"key": user.key, "client": user.delegation.client_id, "scopes": sorted(user.scopes)}

    @app.get("/session")
    async def by_session(user: SessionUser) -> dict[str, str]:
        return {"name": user.name}

    @app.get("/app")
    async def by_app(caller: CurrentApp) -> dict[str, Any]:
        return {"client": caller.client_id, "roles": sorted(caller.roles), "key": caller.key}

    @app.get("/perhaps")
    async def perhaps(user: OptionalUser) -> dict[str, str | None]:
        return {"name": user.name if user else None}

    @app.get("/scoped")
    async def scoped(user: Annotated[User, requires(any_of(in_session(), scope("access_as_user")))]) -> str:
        return user.way

    @app.get("/admin")
    async def admin(user: Annotated[User, requires(role("Admin"))]) -> str:
        return user.name

    @app.get("/tasks")
    async def tasks(caller: Annotated[App, requires(app_role("Task.Write"))]) -> str:
        return caller.client_id

    @app.get("/oddly-named")
    async def oddly_named(user: Annotated[User, requires(scope('Chef"\u2019,x="1'))]) -> str:
        return user.name

    @app.post("/note")
    async def note(user: CurrentUser) -> str:
        return user.way

    @app.websocket("/ws")
    async def ws(websocket: WebSocket, user: BearerUser) -> None:
        await websocket.accept()
        await websocket.send_text(user.name)
        await websocket.close()


def orders(entra: Entra, tmp_path: Path, **values: Any) -> AbstractAsyncContextManager[FrontDoor]:
    """Run the Birch Orders API."""
    given = {"client_id": seeds.API, "client_secret": "emulator-secret-birch-orders", "build": api} | values
    return running(entra, tmp_path, **given)


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with orders(entra, tmp_path) as front_door:
        yield front_door


async def get(door: FrontDoor, path: str, token: str, **headers: str) -> httpx2.Response:
    return await door.raw("GET", BASE + path, headers=bearer(token) | headers)


async def test_a_persons_token_opens_what_is_for_people(door: FrontDoor) -> None:
    """API-1: a client's token for Mia enters as Mia, known by tenant and object id, with its client and scopes."""
    token = user_token(door.entra)["access_token"]
    mia = door.entra.user()
    assert (await get(door, "/either", token)).json() == {"name": "Mia Member", "way": "bearer"}
    assert (await get(door, "/bearer", token)).json() == {
        "key": f"{mia.tenant_id}:{mia.id}",
        "client": seeds.PUBLIC_CLIENT,
        "scopes": ["access_as_user"],
    }
    assert (await get(door, "/perhaps", token)).json() == {"name": "Mia Member"}
    assert (await get(door, "/scoped", token)).json() == "bearer"


async def test_an_applications_token_opens_what_is_for_applications(door: FrontDoor) -> None:
    """API-5: the night job enters as itself, with its app roles; what is for people stays shut."""
    token = app_token(door.entra)
    answer = (await get(door, "/app", token)).json()
    assert (answer["client"], answer["roles"]) == (seeds.DAEMON, ["Task.Write"])
    assert (await get(door, "/tasks", token)).json() == seeds.DAEMON
    for path in ("/either", "/bearer", "/perhaps", "/scoped", "/admin"):
        refused = await get(door, path, token)
        assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


async def test_version_1_tokens(entra: Entra, tmp_path: Path) -> None:
    """API-1: an API registered for version 1 tokens takes those, by their own issuer, metadata and App ID URI."""
    values = {"client_id": seeds.LEDGER_API, "client_secret": None, "api_audiences": (seeds.LEDGER_URI,)}
    async with orders(entra, tmp_path, **values) as door:
        token = user_token(entra, scopes=(f"{seeds.LEDGER_URI}/Ledger.Read",))["access_token"]
        answer = await get(door, "/bearer", token)
        assert (answer.status_code, answer.json()["client"]) == (200, seeds.PUBLIC_CLIENT)
        other = user_token(entra)["access_token"]
        assert (await get(door, "/bearer", other)).status_code == 401


async def test_roles_by_bearer(door: FrontDoor) -> None:
    """API-5: the roles of a person's token count as those of a session do; without them the answer says what lacks."""
    ada = user_token(door.entra, "ada@birch.example")["access_token"]
    assert (await get(door, "/admin", ada)).json() == "Ada Admin"
    refused = await get(door, "/admin", user_token(door.entra)["access_token"])
    assert refused.status_code == 403
    assert refused.json()["detail"] == "This needs the role Admin."
    expected = 'Bearer error="insufficient_scope", error_description="This needs the role Admin."'
    assert refused.headers["www-authenticate"] == expected


async def test_without_anything_an_api_asks_for_a_token(door: FrontDoor) -> None:
    """SEC-055: no token, no error code; and a route for bearer tokens never sends a browser to sign in."""
    for path, scheme in {
        "/bearer": "Bearer",
        "/app": "Bearer",
        "/either": "Bearer, Session",
        "/session": "Session",
    }.items():
        answer = await door.raw("GET", BASE + path, headers=JSON)
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, scheme)
    page = await door.raw("GET", f"{BASE}/bearer", headers={"accept": "text/html", "sec-fetch-mode": "navigate"})
    assert page.status_code == 401


async def test_the_session_and_the_token_each_open_their_own(entra: Entra, tmp_path: Path) -> None:
    """SEC-095: a route takes the way that it declares, or both; the other way is refused, not used in its place."""
    async with orders(entra, tmp_path, client_id=seeds.WEB_APP, client_secret=SECRET) as door:
        browser = await door.signed_in(page="/either")
        assert (await browser.fetch(f"{BASE}/either")).json() == {"name": "Mia Member", "way": "session"}
        assert (await browser.fetch(f"{BASE}/session")).status_code == 200
        assert (await browser.fetch(f"{BASE}/scoped")).json() == "session"
        assert (await browser.fetch(f"{BASE}/bearer")).status_code == 401
        assert (await browser.fetch(f"{BASE}/app")).status_code == 401
    async with orders(entra, tmp_path) as door:
        token = user_token(entra)["access_token"]
        assert (await get(door, "/session", token)).status_code == 401


async def test_unsafe_requests_by_bearer(door: FrontDoor) -> None:
    """A bearer token is no cookie: what guards against other sites' forms does not stand in its way."""
    token = user_token(door.entra)["access_token"]
    headers = bearer(token) | {"origin": "https://spa.birch.example", "sec-fetch-site": "cross-site"}
    answer = await door.raw("POST", f"{BASE}/note", headers=headers)
    assert (answer.status_code, answer.json()) == (200, "bearer")


async def test_an_expired_token(door: FrontDoor) -> None:
    """API-3, API-4: a token that was just remembered is refused from its end on, and the answer says why."""
    answer = user_token(door.entra)
    token, life = answer["access_token"], answer["expires_in"]
    assert (await get(door, "/either", token)).status_code == 200
    door.entra.state.clock.move(timedelta(seconds=life - 1))
    assert (await get(door, "/either", token)).status_code == 200
    door.entra.state.clock.move(timedelta(seconds=61))
    refused = await get(door, "/either", token)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_token")
    assert 'error_description="not_expired: exp is past"' in refused.headers["www-authenticate"]


async def test_the_whole_application(entra: Entra, tmp_path: Path) -> None:
    """API-5: `requires()` on the application guards each of its routes, takes both ways, and leaves ours alone."""
    async with orders(entra, tmp_path, app=FastAPI(dependencies=[requires()])) as door:
        assert (await get(door, "/perhaps", user_token(entra)["access_token"])).status_code == 200
        assert (await door.raw("GET", f"{BASE}/perhaps", headers=JSON)).status_code == 401
        assert (await get(door, "/perhaps", app_token(entra))).status_code == 403
        assert (await door.raw("GET", f"{BASE}/health", headers=JSON)).status_code == 200


async def test_sec_119_a_name_cannot_write_a_header(door: FrontDoor) -> None:
    """SEC-119, SEC-055: whatever a rule is called, the challenge stays one, in the characters that it may have."""
    refused = await get(door, "/oddly-named", user_token(door.entra)["access_token"])
    said = refused.headers["www-authenticate"]
    assert refused.status_code == 403
    assert said.isascii()
    assert said.count('"') == 6  # error, error_description and scope


async def test_only_the_clients_that_may(entra: Entra, tmp_path: Path) -> None:
    """API-1: with `api_clients` set, a token that another client got is refused."""
    async with orders(entra, tmp_path, api_clients=(seeds.DAEMON,)) as door:
        assert (await get(door, "/tasks", app_token(entra))).status_code == 200
        refused = await get(door, "/either", user_token(entra)["access_token"])
        assert refused.status_code == 401
        assert "client_is_admitted" in refused.headers["www-authenticate"]


async def test_the_applications_own_rule_holds_for_tokens_too(entra: Entra, tmp_path: Path) -> None:
    """`provision` decides for bearer tokens as for sign-ins: whom it refuses does not come in by another door."""

    def only_ada(user: User) -> User | None:
        return user if user.name == "Ada Admin" else None

    async with orders(entra, tmp_path, options={"provision": only_ada}) as door:
        assert (await get(door, "/either", user_token(entra, "ada@birch.example")["access_token"])).status_code == 200
        refused = await get(door, "/either", user_token(entra)["access_token"])
        assert (refused.status_code, refused.json()["code"]) == (403, "not_admitted")
