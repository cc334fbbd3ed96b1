"""What a route answers to every kind of caller, by session and by bearer token: changes are reviewed as diffs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application, AppRole, Scope
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import new_entra

from entrada.flows.signing_in.standing import SURE_FOR
from tests.access_tokens import app_token, bearer, user_token
from tests.attacks.test_bearer_door import inactive
from tests.front_door import BASE, SECRET, SESSION, FrontDoor, running
from tests.golden.golden import check
from tests.journeys.test_bearer import api

PORTAL = f"api://{seeds.WEB_APP}"
ROUTES = [
    ("GET", "/either"),
    ("GET", "/perhaps"),
    ("GET", "/session"),
    ("GET", "/bearer"),
    ("GET", "/app"),
    ("GET", "/scoped"),
    ("GET", "/admin"),
    ("GET", "/tasks"),
    ("POST", "/note"),
    ("GET", "/api/auth/me"),
    ("GET", "/api/auth/sessions"),
    ("POST", "/api/auth/sessions/others"),
    ("POST", "/api/auth/logout"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/oauth2-redirect"),
    ("GET", "/redoc"),
    ("GET", "/api/auth/onboarding"),
    ("GET", "/nowhere"),
]
WIDTH = 34
JSON = {"accept": "application/json"}
Caller = Callable[[FrontDoor], Awaitable[dict[str, str]]]


def with_scopes(application: Application) -> Application:
    """Return the portal as an API too, that clients of every tenant may call."""
    if application.client_id == seeds.WEB_APP:
        return replace(
            application,
            identifier_uris=(PORTAL,),
            scopes=(Scope("access_as_user", "Use the portal as you"),),
            app_roles=(*application.app_roles, AppRole("Task.Write", "Write tasks", ("Application",))),
            multi_tenant=True,
        )
    if application.client_id == seeds.DAEMON:
        return replace(application, granted_app_roles={seeds.WEB_APP: ("Task.Write",)})
    if application.client_id == seeds.PUBLIC_CLIENT:
        return replace(application, multi_tenant=True)
    return application


@pytest.fixture
async def door(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> AsyncIterator[FrontDoor]:
    world = default_world()
    applications = tuple(map(with_scopes, world.applications))
    entra = new_entra(
        checked_world(tenants=world.tenants, users=world.users, groups=world.groups, applications=applications),
        keys=entra_keys,
    )
    async with running(entra, tmp_path, build=api) as front_door:
        yield front_door


def in_session_of(upn: str) -> Caller:
    async def caller(door: FrontDoor) -> dict[str, str]:
        browser = await door.signed_in(upn, page="/either")
        session = browser.jar.of("portal.birch.example")[SESSION]
        return JSON | {"cookie": f"{SESSION}={session}", "sec-fetch-site": "same-origin", "x-csrf": "1"}

    return caller


def by_token_of(upn: str, kind: str = "access_token") -> Caller:
    async def caller(door: FrontDoor) -> dict[str, str]:
        return bearer(user_token(door.entra, upn, scopes=(f"{PORTAL}/access_as_user",))[kind])

    return caller


async def stranger(_door: FrontDoor) -> dict[str, str]:
    return JSON


async def application(door: FrontDoor) -> dict[str, str]:
    return bearer(app_token(door.entra, scope=f"{PORTAL}/.default"))


async def id_token_of_ours(door: FrontDoor) -> dict[str, str]:
    code = door.entra.code(client_id=seeds.WEB_APP, scopes=("openid", "profile"))
    form = {
        "grant_type": "authorization_code",
        "client_id": seeds.WEB_APP,
        "client_secret": SECRET,
        "code": code,
        "redirect_uri": door.entra.application().redirect_uris[0].uri,
    }
    answer = door.entra.http_client().post(f"/{seeds.BIRCH.id}/oauth2/v2.0/token", data=form)
    return bearer(answer.json()["id_token"])


async def bad_token_and_session(door: FrontDoor) -> dict[str, str]:
    return await in_session_of("mia@birch.example")(door) | bearer("x")


CALLERS: dict[str, Caller] = {
    "stranger": stranger,
    "user": in_session_of("mia@birch.example"),
    "admin": in_session_of("ada@birch.example"),
    "guest": in_session_of("gil@cedar.example"),
    "user's token": by_token_of("mia@birch.example"),
    "admin's token": by_token_of("ada@birch.example"),
    "guest's token": by_token_of("gil_cedar.example#EXT#@birch.example"),
    "other tenant's": by_token_of("cleo@cedar.example"),
    "application's": application,
    "our ID token": id_token_of_ours,
    "client's ID token": by_token_of("mia@birch.example", "id_token"),
    "bad + session": bad_token_and_session,
}


async def test_sec_139_every_kind_of_caller(door: FrontDoor, tmp_path: Path) -> None:
    """SEC-052, SEC-054, SEC-095, SEC-129: each route answers each kind of caller as the table says."""
    columns: dict[str, list[int]] = {name: await statuses(door, caller) for name, caller in CALLERS.items()}
    await inactive(door, tmp_path)
    door.entra.state.clock.move(SURE_FOR)  # the documented bound of SEC-134
    columns["disabled's token"] = await statuses(door, by_token_of("mia@birch.example"))
    lines = ["route".ljust(WIDTH) + "".join(name.ljust(19) for name in columns)]
    for number, (method, path) in enumerate(ROUTES):
        found = (str(column[number]).ljust(19) for column in columns.values())
        lines.append(f"{method} {path}".ljust(WIDTH) + "".join(found))
    check("tests/golden/access_by_bearer.txt", "\n".join(line.rstrip() for line in lines))


async def statuses(door: FrontDoor, caller: Caller) -> list[int]:
    """Return what each route answers this caller, who comes anew for what may change something."""
    found, reader = [], await caller(door)
    for method, path in ROUTES:
        headers = reader if method == "GET" else await caller(door)
        answer = await door.raw(method, BASE + path, headers=headers)
        found.append(answer.status_code)
    return found
