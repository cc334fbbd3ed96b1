"""A person in more groups than a token has room for is let in by their groups all the same (API-5, BEY-5)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import GRAPH_APP_ID, Application
from entrada_emulator.directory.model import User as Person
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra
from fastapi import FastAPI

from entrada import User, any_of, group, requires, role
from tests.access_tokens import user_token
from tests.front_door import BASE, SECRET, FrontDoor
from tests.journeys.test_bearer import get, orders

CROWD = f"b0000000-0000-4000-8000-{0x1000 + 200:012x}"
PAUSE = 5  # seconds that an answer without Retry-After is not asked for again
ADA, GRETA = "ada@birch.example", "greta@birch.example"


def api(app: FastAPI) -> None:
    @app.get("/crowd")
    async def crowd(user: Annotated[User, requires(group(CROWD))]) -> int:
        return len(user.groups)

    @app.get("/engineers")
    async def engineers(user: Annotated[User, requires(any_of(group(seeds.ENGINEERING), role("Admin")))]) -> str:
        return user.name

    @app.get("/admins")
    async def admins(user: Annotated[User, requires(role("Admin"))]) -> str:
        return user.name


def world(entra_keys: tuple[SigningKey, ...], *, granted: bool) -> Entra:
    """Return a tenant in which both applications show groups and, when granted, may read them at Graph."""
    known = default_world()
    permissions = ("GroupMember.Read.All", "User.Read.All") if granted else ()

    def changed(each: Application) -> Application:
        if each.client_id not in {seeds.API, seeds.WEB_APP}:
            return each
        return replace(each, groups_claim=True, granted_app_roles={GRAPH_APP_ID: permissions} if granted else {})

    applications = tuple(map(changed, known.applications))
    return new_entra(
        checked_world(tenants=known.tenants, users=_crowded(known), groups=known.groups, applications=applications),
        keys=entra_keys,
    )


def _crowded(known: World) -> tuple[Person, ...]:
    """Ada is in as many groups as Greta is."""
    crowd = next(each.group_ids for each in known.users if each.user_principal_name == GRETA)
    return tuple(replace(each, group_ids=crowd) if each.user_principal_name == ADA else each for each in known.users)


@pytest.fixture(params=["session", "bearer"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def caller(entra: Entra, tmp_path: Path, way: str, upn: str) -> AsyncIterator[tuple[FrontDoor, Any]]:
    """Give a running application and what asks it as this person, in a session or by token."""
    values: dict[str, Any] = {"client_id": seeds.WEB_APP, "client_secret": SECRET} if way == "session" else {}
    async with orders(entra, tmp_path, build=api, **values) as door:
        if way == "session":
            browser = await door.signed_in(upn, page="/admins")

            async def ask(path: str) -> Any:
                return await browser.fetch(BASE + path)
        else:
            token = user_token(entra, upn)["access_token"]

            async def ask(path: str) -> Any:
                return await get(door, path, token)

        yield door, ask


def asked_graph(door: FrontDoor) -> list[str]:
    return [url for _, url in door.internet.calls if "getMemberObjects" in url]


async def test_sec_132_overage_is_resolved_at_graph(entra_keys: Any, tmp_path: Path, way: str) -> None:
    """SEC-132: the groups come from the Graph of the settings, never from the token's address, and are remembered."""
    entra = world(entra_keys, granted=True)
    async with caller(entra, tmp_path, way, GRETA) as (door, ask):
        for _ in range(3):
            answer = await ask("/crowd")
            assert (answer.status_code, answer.json()) == (200, seeds.MANY_GROUPS)
        assert (await ask("/engineers")).status_code == 403
        greta = entra.user(GRETA)
        assert asked_graph(door) == [f"https://graph.microsoft.com/v1.0/users/{greta.id}/getMemberObjects"]
        assert not [url for _, url in door.internet.calls if "graph.windows.net" in url]
        entra.state.clock.move(timedelta(minutes=5))
        assert (await ask("/crowd")).status_code == 200
        assert len(asked_graph(door)) == 2


async def test_groups_in_the_token_ask_nobody(entra_keys: Any, tmp_path: Path, way: str) -> None:
    """API-5: who has room for their groups in the token is let in by those alone."""
    async with caller(world(entra_keys, granted=True), tmp_path, way, "mia@birch.example") as (door, ask):
        assert (await ask("/engineers")).json() == "Mia Member"
        assert (await ask("/crowd")).status_code == 403
        assert asked_graph(door) == []


async def test_sec_132_not_granted_is_no_membership(entra_keys: Any, tmp_path: Path, way: str) -> None:
    """SEC-132: when Graph will not tell, overage counts as no membership; rules without groups ask nothing."""
    async with caller(world(entra_keys, granted=False), tmp_path, way, GRETA) as (door, ask):
        assert (await ask("/admins")).status_code == 403
        assert asked_graph(door) == []
        for _ in range(3):
            assert (await ask("/crowd")).status_code == 403
        assert len(asked_graph(door)) <= 1  # a refusal is remembered too, for a minute


async def test_sec_132_graph_is_down(entra_keys: Any, tmp_path: Path, way: str) -> None:
    """SEC-132, REL-001: without an answer nobody is let in, and the answer is 503, not 403."""
    async with caller(world(entra_keys, granted=True), tmp_path, way, GRETA) as (door, ask):
        door.internet.hosts.pop("graph.microsoft.com")
        assert (await ask("/crowd")).status_code == 503


async def test_sec_132_our_secret_is_wrong(entra_keys: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """SEC-132, REL-001: a wrong secret of ours is no word about groups: 503, not 403; the log says what to mend."""
    entra = world(entra_keys, granted=True)
    async with orders(entra, tmp_path, build=api, client_secret="no-secret-of-this-application") as door:
        token = user_token(entra, GRETA)["access_token"]
        answer = await get(door, "/crowd", token)
        assert (answer.status_code, answer.json()["code"]) == (503, "temporarily_unavailable")
        assert (await get(door, "/admins", token)).status_code == 403
        assert asked_graph(door) == []
    assert "AADSTS7000215" not in answer.text
    assert "AADSTS7000215; client_secret is wrong" in caplog.text
    assert "ENTRADA_CLIENT_SECRET" in caplog.text
    assert "no-secret-of-this-application" not in caplog.text


async def test_sec_159_a_wrong_secret_is_not_tried_by_each_request(entra_keys: Any, tmp_path: Path) -> None:
    """SEC-159, REL-003: whoever asks and how often, the token endpoint sees one attempt until Retry-After is over."""
    entra = world(entra_keys, granted=True)
    async with orders(entra, tmp_path, build=api, client_secret="no-secret-of-this-application") as door:
        tokens = [user_token(entra, upn)["access_token"] for upn in (GRETA, ADA, GRETA)]
        for attempts in (1, 2):
            answers = await asyncio.gather(*[get(door, "/crowd", token) for token in tokens * 10])
            answers += [await get(door, "/crowd", token) for token in tokens]
            assert {answer.status_code for answer in answers} == {503}
            assert all(1 <= int(answer.headers["retry-after"]) <= PAUSE for answer in answers)
            assert door.calls("/token") == attempts
            entra.state.clock.move(timedelta(seconds=PAUSE))


async def test_sec_159_graph_is_asked_for_a_person_once_at_a_time(entra_keys: Any, tmp_path: Path) -> None:
    """SEC-159, REL-003: many requests at once cost one question, also while Graph fails; it is soon asked again."""
    entra = world(entra_keys, granted=True)
    async with orders(entra, tmp_path, build=api) as door:
        token = user_token(entra, GRETA)["access_token"]
        entra.fail("graph", "status", status=503, retry_after=7)
        answers = await asyncio.gather(*[get(door, "/crowd", token) for _ in range(30)])
        assert {answer.status_code for answer in answers} == {503}
        assert (await get(door, "/crowd", token)).status_code == 503
        assert len(asked_graph(door)) == 1
        entra.state.clock.move(timedelta(seconds=7))
        answers = await asyncio.gather(*[get(door, "/crowd", token) for _ in range(30)])
        assert {answer.status_code for answer in answers} == {200}
        assert len(asked_graph(door)) == 2
