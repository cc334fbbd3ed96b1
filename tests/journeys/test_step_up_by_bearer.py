"""A client whose token proves too little is told what to get, in the words that it understands (API-8)."""

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import User, auth_context, mfa, requires, role
from tests.access_tokens import user_token
from tests.front_door import FrontDoor
from tests.journeys.test_bearer import get, orders


def api(app: FastAPI) -> None:
    @app.get("/context")
    async def context(user: Annotated[User, requires(auth_context("c1"))]) -> str:
        return user.name

    @app.get("/recent")
    async def recent(user: Annotated[User, requires(mfa(within=timedelta(minutes=5)))]) -> str:
        return user.name

    @app.get("/both")
    async def both(user: Annotated[User, requires(role("Admin"), auth_context("c1"))]) -> str:
        return user.name


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:
    async with orders(entra, tmp_path, build=api) as front_door:
        yield front_door


CAPABLE = {"claims": {"access_token": {"xms_cc": {"values": ["cp1"]}}}}


async def test_entras_claims_challenge(door: FrontDoor) -> None:
    """API-8, SEC-136: a client that says cp1 gets Entra's challenge, and with a token that meets it comes in."""
    refused = await get(door, "/context", user_token(door.entra, **CAPABLE)["access_token"])
    assert refused.status_code == 401
    entras, standard = refused.headers.get_list("www-authenticate")
    assert 'error="insufficient_claims"' in entras
    claims = entras.split('claims="')[1].split('"')[0]
    assert json.loads(base64.b64decode(claims)) == {"access_token": {"acrs": {"essential": True, "value": "c1"}}}
    assert standard.startswith('Bearer error="insufficient_user_authentication"')
    assert 'acr_values="c1"' in standard
    good = user_token(door.entra, acrs=("c1",), **CAPABLE)["access_token"]
    assert (await get(door, "/context", good)).json() == "Mia Member"


async def test_another_client_gets_the_standards_words(door: FrontDoor) -> None:
    """RFC 9470: a client that does not say cp1 is told acr_values, or how old the sign-in may be."""
    token = user_token(door.entra)["access_token"]
    (said,) = (await get(door, "/context", token)).headers.get_list("www-authenticate")
    assert said.startswith('Bearer error="insufficient_user_authentication"')
    (said,) = (await get(door, "/recent", token)).headers.get_list("www-authenticate")
    assert 'max_age="300"' in said
    assert "multi-factor" in said


async def test_no_step_up_in_vain(door: FrontDoor) -> None:
    """API-4: who lacks the role too is told about the role: proving more would not help."""
    refused = await get(door, "/both", user_token(door.entra)["access_token"])
    assert (refused.status_code, refused.json()["detail"]) == (403, "This needs the role Admin.")
    refused = await get(door, "/both", user_token(door.entra, "ada@birch.example")["access_token"])
    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
