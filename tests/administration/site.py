"""One running application with administration switched on, people of two organisations, and who administers whom."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import anyio
import httpx2
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import Application, Scope, User
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra
from fastapi import FastAPI

from entrada import CurrentUser, Entrada, requires, role
from entrada import User as Principal
from entrada.audit.filters import Filter
from entrada.audit.recorded import Recorded
from entrada.flows.admin.administration import Actor
from entrada.testing import Site, running
from entrada.users.people import Wanted
from entrada.users.person import Person
from entrada.web.context import House
from tests.journeys.test_people_change import house_of

ADMIN = "/api/admin"
ADA, OLGA, CORA = "ada@birch.example", "olga@birch.example", "cora@cedar.example"
MIA, GRETA, CLEO = "mia@birch.example", "greta@birch.example", "cleo@cedar.example"
SECOND_FACTOR = frozenset({ADA, OLGA, CORA})
ADMINS = (ADA, CORA, GRETA)
ROOT = Actor(label="Root")
PORTAL = f"api://{seeds.MULTI_TENANT_APP}"
CLAIMS = ("wids", "auth_time", "acrs")


@dataclass(slots=True)
class AdminSite:
    """The application, its parts, and clients of people who have signed in."""

    site: Site
    entra: Entra
    house: House
    clients: dict[str, httpx2.AsyncClient] = field(default_factory=dict)

    async def of(self, name: str) -> httpx2.AsyncClient:
        """Return this person's client, signed in once."""
        if name not in self.clients:
            self.clients[name] = await self.anew(name)
        return self.clients[name]

    async def anew(self, name: str) -> httpx2.AsyncClient:
        """Return another client of this person's."""
        self.entra.move_clock(timedelta(seconds=31))  # no code of an authenticator is taken twice
        client = await self.site.signed_in(name)
        with anyio.fail_after(30):  # what Graph says of a person comes after the sign-in
            while (await self.person(name)).given_name is None:
                await anyio.sleep(0.01)
        return client

    async def person(self, name: str) -> Person:
        """Return a person's row as it is now."""
        people = (await self.house.administration.people.page(Wanted(text=name), limit=20)).people
        return next(each for each in people if each.username == name)

    async def path(self, name: str, *below: str) -> str:
        """Return the address of a person in the API, or of something below it."""
        return "/".join((f"{ADMIN}/users/{(await self.person(name)).id}", *below))

    async def rows(self, **wanted: Any) -> list[Recorded]:
        """Return the newest rows of the log."""
        return list((await self.house.audit.log.page(Filter(**wanted))).rows)


def build(entrada: Entrada) -> FastAPI:
    app = FastAPI()
    entrada.install(app)

    @app.get("/private")
    async def private(user: CurrentUser) -> dict[str, str]:
        return {"hello": user.name}

    @app.get("/edit")
    async def edit(user: Annotated[Principal, requires(role("Editor"))]) -> dict[str, str]:
        return {"editor": user.name}

    return app


def _person(user: User) -> User:
    if user.user_principal_name not in SECOND_FACTOR:
        return user
    return replace(user, mfa_required=True, mfa_methods=("totp",), totp_secret=seeds.TOTP_SECRET)


def _application(application: Application) -> Application:
    """Return the application, which is an API too; its ID tokens say how somebody has signed in."""
    if application.client_id == seeds.PUBLIC_CLIENT:
        return replace(application, multi_tenant=True)
    if application.client_id != seeds.MULTI_TENANT_APP:
        return application
    return replace(
        application,
        optional_id_claims=(*CLAIMS, "amr"),
        identifier_uris=(PORTAL,),
        scopes=(Scope("access_as_user", "Use the portal as you"),),
    )


def world(keys: tuple[SigningKey, ...]) -> Entra:
    """Return an emulator whose administrators have a second factor."""
    known = default_world()
    return new_entra(
        checked_world(
            tenants=known.tenants,
            users=tuple(map(_person, known.users)),
            groups=known.groups,
            applications=tuple(map(_application, known.applications)),
        ),
        keys=keys,
    )


@asynccontextmanager
async def administered(keys: tuple[SigningKey, ...], data_dir: Path, **values: Any) -> AsyncIterator[AdminSite]:
    """Run it for the people of Birch, whose administrators are its operators, and of Cedar."""
    entra = world(keys)
    given = {
        **entra.settings(seeds.MULTI_TENANT_APP),
        "tenant_id": "organizations",
        "base_url": "http://localhost",
        "tenants": (seeds.BIRCH.id, seeds.CEDAR.id),
        "admin": True,
        "admin_operators": (seeds.BIRCH.id,),
        "admin_proof_minutes": 1440,
        "session_idle_minutes": 1440,
    } | values
    async with running(build, tenant=entra, data_dir=data_dir, **given) as site:
        yield AdminSite(site, entra, house_of(site.app))


async def promote(site: AdminSite, *names: str) -> None:
    """Make people administrators who have signed in, as `entrada users promote` does."""
    for name in names:
        await site.of(name)
        await site.house.administration.promote((await site.person(name)).id, by=ROOT)


async def somebody(site: AdminSite, tenant_id: str = seeds.BIRCH.id) -> Person:
    """Return a person of an organisation, whom no other test knows."""
    number = str(uuid4())
    user = Principal(
        issuer=f"https://login.microsoftonline.com/{tenant_id}/v2.0",
        subject=number,
        tenant_id=tenant_id,
        object_id=number,
        name="Somebody",
        username=f"{number}@example.com",
    )
    return await site.house.people.directory.signed_in(user, site.house.clock())
