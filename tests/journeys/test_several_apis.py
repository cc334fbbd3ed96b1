"""Several APIs called from one session: what one of them lacks is no trouble of the others'."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.faults import Fault
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, api_client, app_client
from tests.front_door import BASE, SESSION, FrontDoor, routes, running

HOST = "portal.birch.example"
Nobodys = Annotated[ApiClient, api_client("https://api.birch.example", "api://nobody/Read")]
Misspelt = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "Usr.Read")]

Orders = Annotated[ApiClient, api_client("https://api.birch.example", f"api://{seeds.API}/access_as_user")]
Itself = Annotated[ApiClient, app_client("https://api.birch.example", "api://nobody/.default")]
JOB = "emulator-secret-birch-night-job"


def with_apis(app: FastAPI) -> None:
    """The usual small application, and routes to an API that is not there and with a scope that is none."""
    routes(app)

    @app.get("/nobodys")
    async def nobodys(client: Nobodys) -> str:
        return client.token_source

    @app.get("/misspelt")
    async def misspelt(client: Misspelt) -> str:
        return client.token_source

    @app.get("/orders")
    async def orders(client: Orders) -> str:
        return client.token_source

    @app.get("/itself")
    async def itself(client: Itself) -> str:
        return client.token_source


async def status(door: FrontDoor, session: str, path: str) -> tuple[int, str]:
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    answer = await door.raw("GET", BASE + path, headers=headers)
    return answer.status_code, answer.json().get("code", "")


async def test_a_wrong_scope_is_its_routes_own_trouble(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TOK-6, SEC-110: 403, and the log says what to mend; nobody is signed out, other APIs are called as before, and
    the authority is asked for what it refuses once a minute for all."""
    async with running(entra, tmp_path, build=with_apis) as door:
        sessions = [(await door.signed_in()).jar.of(HOST)[SESSION] for _ in range(2)]
        for _ in range(3):
            door.entra.state.clock.move(timedelta(minutes=40))
            assert [await door.reuse(each) for each in sessions] == [200, 200]
        asked = door.calls("/token")
        for path in ("/nobodys", "/misspelt") * 2:
            for session in sessions:
                assert await status(door, session, path) == (403, "insufficient_scope")
        assert door.calls("/token") == asked + 2
        for session in sessions:
            assert (await status(door, session, "/graph"))[0] == 200
        door.entra.state.clock.move(timedelta(seconds=61))
        assert await status(door, sessions[0], "/misspelt") == (403, "insufficient_scope")
        assert door.calls("/token") == asked + 5
    assert "api://nobody/Read: invalid_resource; AADSTS500011; the API named in scopes is unknown" in caplog.text


async def test_a_wrong_scope_of_the_application_itself(
    entra: Entra, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """TOK-6: its own token is refused with the same words: it is no outage of the authority's."""
    async with running(entra, tmp_path, build=with_apis, client_id=seeds.DAEMON, client_secret=JOB) as door:
        answer = await door.raw("GET", f"{BASE}/itself", headers={"accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert "AADSTS500011" in caplog.text


async def test_an_api_that_is_for_others_signs_nobody_out(entra: Entra, tmp_path: Path) -> None:
    """TOK-2, REL-044: of a grant that is refused for one API, and good for what sign-in asks for, nobody is out."""
    async with running(entra, tmp_path, build=with_apis) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        asked = door.calls("/token")
        entra.state.faults.add(Fault(endpoint="token", kind="error"))
        for _ in range(3):
            assert await status(door, session, "/orders") == (403, "insufficient_scope")
        assert door.calls("/token") == asked + 2
        assert (await status(door, session, "/graph"))[0] == 200
        assert [event.name for event in door.events] == ["sign_in"]
        door.entra.state.clock.move(timedelta(seconds=61))
        entra.state.faults.add(Fault(endpoint="token", kind="error", times=2))
        assert (await status(door, session, "/orders"))[0] == 401
        assert await door.reuse(session) == 401


async def test_an_api_that_is_for_others_while_the_authority_fails(entra: Entra, tmp_path: Path) -> None:
    """SEC-110: when nobody can say whether the grant has ended the session stays, and a later request finds out."""
    async with running(entra, tmp_path, build=with_apis) as door:
        session, asked = (await door.signed_in()).jar.of(HOST)[SESSION], []
        authority = door.internet.hosts["login.microsoftonline.com"]

        async def failing(scope: Any, receive: Any, send: Any) -> None:
            if scope["path"].endswith("/token"):
                asked.append(scope["path"])
                if len(asked) == 2:
                    await send({"type": "http.response.start", "status": 503, "headers": []})
                    await send({"type": "http.response.body", "body": b""})
                    return
            await authority(scope, receive, send)

        door.internet.hosts["login.microsoftonline.com"] = failing
        entra.state.faults.add(Fault(endpoint="token", kind="error"))
        assert await status(door, session, "/orders") == (503, "temporarily_unavailable")
        assert (len(asked), await door.reuse(session)) == (2, 200)
