"""What users test their applications with: real sign-ins, tokens with chosen claims, time, faults (RUN-5, BEY-10)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.errors import EntraError
from entrada_emulator.pytest_plugin import Entra
from entrada_emulator.visitor import SignInStopped
from fastapi import FastAPI
from starlette.responses import JSONResponse

from entrada import ApiClient, BearerUser, CurrentApp, CurrentUser, Entrada, SettingsRefused, api_client
from entrada.testing import Site, running

Graph = Annotated[ApiClient, api_client("https://graph.microsoft.com/v1.0", "User.Read")]
Books = Annotated[ApiClient, api_client("https://books.birch.example", "User.Read")]


def create_app(entrada: Entrada) -> FastAPI:
    """An application with a route for each kind of caller."""
    app = FastAPI()
    entrada.install(app)

    @app.get("/who")
    async def who(user: CurrentUser) -> dict[str, str | None]:
        return {"name": user.name, "username": user.username, "tenant": user.tenant_id}

    @app.get("/bearer")
    async def bearer(user: BearerUser) -> list[str]:
        return sorted(user.roles)

    @app.get("/app")
    async def application(caller: CurrentApp) -> str:
        return caller.client_id

    @app.get("/graph")
    async def graph(client: Graph) -> str:
        return (await client.get("/me")).json()["displayName"]

    @app.get("/books")
    async def books(client: Books) -> str:
        return (await client.get("/shelf")).json()["from"]

    return app


@pytest.fixture
async def site(entra: Entra, tmp_path: Path) -> AsyncIterator[Site]:
    """The portal of the default directory."""
    async with running(create_app, tenant=entra, data_dir=tmp_path) as running_site:
        yield running_site


@pytest.fixture
async def api(entra: Entra, tmp_path: Path) -> AsyncIterator[Site]:
    """The same application as the orders API of the directory."""
    async with running(create_app, tenant=entra, data_dir=tmp_path, **entra.settings(seeds.API)) as running_site:
        yield running_site


@pytest.mark.parametrize("name", ["mia@birch.example", "ada@birch.example", "olga@birch.example"])
async def test_people_sign_in_by_the_pages(site: Site, entra: Entra, name: str) -> None:
    """Olga types the code of her authenticator; a session comes of the real flow, Graph's token included."""
    client = await site.signed_in(name)
    user = entra.user(name)
    assert (await client.get("/who")).json() == {
        "name": user.display_name,
        "username": name,
        "tenant": seeds.BIRCH.id,
    }
    assert (await client.get("/graph")).json() == user.display_name
    assert [call.endpoint for call in entra.state.recorder.requests()].count("token") == 1


async def test_two_people_are_two_clients(site: Site) -> None:
    """Each has cookies of their own, and a stranger has none."""
    mia, ada = await site.signed_in("mia@birch.example"), await site.signed_in("ada@birch.example")
    names = [(await client.get("/who")).json()["username"] for client in (mia, ada)]
    assert names == ["mia@birch.example", "ada@birch.example"]
    assert (await (await site.stranger()).get("/who")).status_code == 401


@pytest.mark.parametrize(
    ("name", "page"), [("pia@birch.example", "Approve"), ("nora@birch.example", ""), ("dan@birch.example", "")]
)
async def test_who_cannot_sign_in_is_stopped_at_a_page(site: Site, name: str, page: str) -> None:
    """The walk presses nothing that a test has to decide, and says where it stopped."""
    with pytest.raises(SignInStopped, match=name) as stopped:
        await site.signed_in(name)
    assert page in str(stopped.value)


async def test_unknown_people_and_applications_are_errors(site: Site, entra: Entra) -> None:
    """A slip of the pen is not taken for a refusal of the application."""
    with pytest.raises(LookupError, match="nobody in this directory is called"):
        await site.signed_in("nobody@birch.example")
    with pytest.raises(LookupError, match="no application in this directory"):
        entra.settings("no-such-application")
    with pytest.raises(EntraError, match="AADSTS500011"):
        entra.token(scope="api://nothing/read")
    with pytest.raises(LookupError, match="AADSTS"):
        entra.application_token(scope="api://nothing/.default")


async def test_a_token_is_the_tenants_own_and_chosen_claims_are_signed(api: Site, entra: Entra) -> None:
    """As issued it is accepted; with other roles they count; without `scp`, or expired, it is refused."""
    assert entra.claims_of(entra.token())["aud"] == seeds.API
    expired = {name: int(entra.now().timestamp()) - 7200 for name in ("iat", "nbf", "exp")}
    for claims, status in [({}, 200), ({"roles": ["Admin", "Auditor"]}, 200), ({"scp": None}, 401), (expired, 401)]:
        answer = await (await api.bearer(entra.token("mia@birch.example", **claims))).get("/bearer")
        assert answer.status_code == status, claims
        if "roles" in claims:
            assert answer.json() == ["Admin", "Auditor"]


async def test_an_application_has_a_token_of_its_own(api: Site, entra: Entra) -> None:
    """By client credentials; without its app role it is refused."""
    assert (await (await api.bearer(entra.application_token())).get("/app")).json() == seeds.DAEMON
    assert (await (await api.bearer(entra.application_token(roles=None))).get("/app")).status_code == 401


async def test_time_and_faults_reach_the_application(site: Site, entra: Entra) -> None:
    """The clock is one for both sides; a token endpoint that fails once keeps nobody signed in who was."""
    mia = await site.signed_in("mia@birch.example")
    entra.move_clock(timedelta(minutes=59))
    assert (await mia.get("/who")).status_code == 200
    entra.fail("token", "status", status=503, times=3)
    entra.move_clock(timedelta(minutes=58))
    assert (await mia.get("/who")).status_code == 200
    entra.move_clock(timedelta(minutes=61))
    assert (await mia.get("/who")).status_code == 401


async def test_other_apis_can_be_put_beside_it_and_no_other_is_reached(site: Site) -> None:
    """`hosts` is the whole network that the application sees."""

    async def books(scope: object, receive: object, send: object) -> None:
        await JSONResponse({"from": "the shelf"})(scope, receive, send)  # type: ignore[arg-type]

    mia = await site.signed_in("mia@birch.example")
    assert (await mia.get("/books")).status_code >= 500
    site.hosts.add("books.birch.example", books)
    assert (await mia.get("/books")).json() == "the shelf"
    with pytest.raises(httpx2.ConnectError, match=r"evil\.example"):
        await mia.get("https://evil.example/")


async def test_a_build_that_forgets_something_is_told(entra: Entra, tmp_path: Path) -> None:
    """It returns the application, and installs the Entrada that it gets: the sentence says which it has not done."""

    def without_return(entrada: Entrada) -> None:
        entrada.install(FastAPI())

    with pytest.raises(TypeError, match="build returned no FastAPI application"):
        async with running(without_return, tenant=entra, data_dir=tmp_path):  # type: ignore[arg-type]
            pass
    async with running(lambda _entrada: FastAPI(), tenant=entra, data_dir=tmp_path) as bare:
        with pytest.raises(AssertionError, match="build has to install"):
            await bare.signed_in("mia@birch.example")


async def test_settings_are_checked_as_in_production(entra: Entra, tmp_path: Path) -> None:
    """A setting that does not exist is refused here too."""
    with pytest.raises(SettingsRefused, match="no_such"):
        async with running(create_app, tenant=entra, data_dir=tmp_path, no_such="thing"):
            pass
