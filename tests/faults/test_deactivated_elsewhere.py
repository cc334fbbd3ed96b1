"""Deactivated at one worker, out at all: two processes that share their stores, a session and a bearer token."""

import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application, Scope
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world import World
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.access_tokens import bearer
from tests.faults.people import JSON, SCRIPT
from tests.faults.workers import Cluster, Worker, cluster
from tests.servers import postgres_server, redis_server

PROMISE = 1.0  # seconds until every worker knows
BUSY = 4.0  # seconds more, on a machine that runs other tests; alone it takes a third of a second
ADMIN, PEOPLE = "ada@birch.example", ("mia@birch.example", "olga@birch.example")
SETTINGS = {
    "ENTRADA_ADMIN": "true",
    "ENTRADA_ADMIN_ROLE": "Admin",
    "ENTRADA_ADMIN_MFA": "false",  # what a person proves to come in is not what this is about
}
SCOPE = f"api://{seeds.WEB_APP}/access_as_user"
REFUSED = {"session": 401, "token": 403}
Ask = Callable[[], Awaitable[int]]


def world() -> World:
    """Return the tenant, whose portal is an API too, and is told when somebody has signed in."""
    scopes = (Scope("access_as_user", "Use the portal as you"),)

    def changed(application: Application) -> Application:
        if application.client_id != seeds.WEB_APP:
            return application
        return replace(application, scopes=scopes, optional_id_claims=("auth_time",))

    known = default_world()
    return replace(known, applications=tuple(map(changed, known.applications)))


def shared(kind: str, folder: Path, stack: ExitStack) -> dict[str, str]:
    """Start what two workers of this installation share; return its settings."""
    if kind == "sqlite":
        return {}
    redis, postgres = stack.enter_context(redis_server(folder)), stack.enter_context(postgres_server())
    return {"ENTRADA_STORE": redis.url, "ENTRADA_DATABASE_URL": postgres.url}


@pytest.fixture(scope="module", params=["sqlite", "postgresql and redis"])
async def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]
) -> AsyncIterator[Cluster]:
    """Two workers with administration."""
    folder: Path = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        settings = SETTINGS | shared(request.param, folder, stack)
        entra = stack.enter_context(served(folder / "emulator", world=world(), keys=entra_keys))
        running = stack.enter_context(cluster(entra, folder, workers=2, **settings))
        for worker in running.workers:
            await worker.ready()
        yield running


def by_session(pair: Cluster, worker: Worker, session: str) -> Ask:
    async def ask() -> int:
        return (await pair.ask(worker, session, path="/who")).status

    return ask


def by_token(client: httpx2.AsyncClient, worker: Worker, token: str) -> Ask:
    async def ask() -> int:
        return (await client.get(f"{worker.url}/who", headers=bearer(token))).status_code

    return ask


async def token_of(pair: Cluster, name: str) -> str:
    """Return an access token for the API that the command-line client got for this person."""
    entra, scopes = pair.entra, ("openid", SCOPE)
    client = entra.application(seeds.PUBLIC_CLIENT)
    form = {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "code": entra.code(entra.user(name), client_id=client.client_id, scopes=scopes),
        "redirect_uri": client.redirect_uris[0].uri,
        "scope": " ".join(scopes),
    }
    trust = ssl.create_default_context(cafile=pair.served.ca_file)
    async with httpx2.AsyncClient(verify=trust, trust_env=False) as client_program:
        answer = await client_program.post(f"{pair.served.authority}/oauth2/v2.0/token", data=form)
    token: str = answer.json()["access_token"]
    return token


async def refused(ask: Ask, *, since: float) -> int:
    """Return the refusal that comes in the end. No request that began after the promised second is let in."""
    while True:
        began = time.monotonic()
        status = await ask()
        if status != 200:
            return status
        assert began - since < PROMISE + BUSY, "still let in"


async def deactivate(admin: httpx2.AsyncClient, worker: Worker, name: str) -> float:
    """Have the administrator deactivate this person at this worker; return when that was answered."""
    found = (await admin.get(f"{worker.url}/api/admin/users", params={"q": name}, headers=JSON)).json()["users"]
    answer = await admin.post(f"{worker.url}/api/admin/users/{found[0]['id']}/deactivate", headers=SCRIPT)
    assert answer.status_code == 200, answer.text
    return time.monotonic()


@pytest.mark.parametrize("name", PEOPLE)
async def test_a_deactivated_person_is_out_everywhere_within_a_second(pair: Cluster, name: str) -> None:
    """SEC-134, ADM-4: their session and their bearer token, known to the other worker, are refused by it."""
    here, there = pair.workers
    administrator, person = pair.person(ADMIN), pair.person(name)
    async with administrator.client as admin, person.client:
        await administrator.sign_in(here.url)
        session, token = await person.sign_in(here.url), await token_of(pair, name)
        ways = {"session": by_session(pair, there, session), "token": by_token(admin, there, token)}
        at_once = {"session": by_session(pair, here, session), "token": by_token(admin, here, token)}
        for ask in (*ways.values(), *at_once.values()):
            assert [await ask(), await ask()] == [200, 200]
        since = await deactivate(admin, here, name)
        assert {way: await ask() for way, ask in at_once.items()} == REFUSED
        assert {way: await refused(ask, since=since) for way, ask in ways.items()} == REFUSED
