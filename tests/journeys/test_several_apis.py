"""Several APIs called from one session: what one of them lacks is no trouble of the others'."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, api_client, app_client
from tests.front_door import BASE, SESSION, FrontDoor, routes, running

HOST = "portal.birch.example"
Nobodys = Annotated[ApiClient, api_client("https://api.birch.example", "api://nobody/Read")]
Misspelt = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "Usr.Read")]

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
