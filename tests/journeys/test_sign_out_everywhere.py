"""Somebody ends all their sign-ins at Entra, through Graph."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, api_client
from tests.front_door import BASE, SESSION, FrontDoor, routes, running

ADA = "ada@birch.example"
REVOKE = "User.RevokeSessions.All"
Revoker = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", REVOKE)]


def with_revocation(app: FastAPI) -> None:
    """The usual small application, and a route that signs a person out everywhere."""
    routes(app)

    @app.post("/leave-everywhere")
    async def leave_everywhere(graph: Revoker) -> dict[str, int]:
        return {"status": (await graph.post("/me/revokeSignInSessions")).status_code}


@pytest.fixture
async def portal(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    """That application."""
    async with running(entra, tmp_path, build=with_revocation, scopes=("User.Read", REVOKE)) as door:
        yield door


async def test_everywhere(portal: FrontDoor, entra: Entra) -> None:
    """TOK-7, SEC-104: no sign-in of theirs is renewed from then on, in whichever browser; others go on."""
    leaving = await portal.signed_in(ADA)
    elsewhere = (await portal.signed_in(ADA)).jar.of("portal.birch.example")[SESSION]
    answer = await leaving.fetch(f"{BASE}/leave-everywhere", method="POST", headers={"x-csrf": "1"})
    assert answer.json() == {"status": 200}
    for _ in range(3):
        entra.state.clock.move(timedelta(minutes=40))
        await portal.reuse(elsewhere)
    answer = await portal.raw("GET", f"{BASE}/graph", headers={"cookie": f"{SESSION}={elsewhere}"})
    assert answer.status_code == 401
    assert await portal.reuse(elsewhere) == 401
