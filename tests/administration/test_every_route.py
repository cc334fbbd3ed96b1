"""Every address that Entrada answers, for every kind of caller, in one table; the API of administration has its own."""

from collections.abc import Awaitable
from pathlib import Path

import httpx2
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.keys import SigningKey

from entrada.web.routes.admin.table import ROOT as ADMIN_API
from entrada.web.routes.table import routes
from tests.administration.site import ADA, CLEO, CORA, MIA, PORTAL, ROOT, AdminSite, administered, promote, somebody
from tests.golden.golden import check

WIDTH = 46
GUEST, LEAVER = "gil_cedar.example#EXT#@birch.example", "greta@birch.example"
EVERYTHING = {"console": True, "onboarding": "approval", "metrics_token": "a-token-for-prometheus-alone"}
DESCRIBED = ("/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc", "/nowhere")
AT_LAST = "/logout"  # it ends the session, and must not change the answers of other rows
FORM = {"role": "Editor", "department": "Asked"}
Client = httpx2.AsyncClient


def operations(site: AdminSite) -> list[tuple[str, str]]:
    """Return each method of each address: reading ones first, then what changes something."""
    ours = [each for each in routes(site.house.settings) if not each.path.startswith(ADMIN_API)]
    found = [(method, each.path) for each in ours for method in each.methods or () if method != "HEAD"]
    found += [("GET", path) for path in DESCRIBED]
    return sorted(found, key=lambda each: (each[0] != "GET", each[1].endswith(AT_LAST), each[1], each[0]))


def our_id_token(site: AdminSite) -> str:
    """Return an ID token that was made for this very application."""
    entra, client_id = site.entra, seeds.MULTI_TENANT_APP
    form = {
        "grant_type": "authorization_code",
        "client_id": client_id,
        "client_secret": entra.settings(client_id)["client_secret"],
        "code": entra.code(client_id=client_id, scopes=("openid", "profile")),
        "redirect_uri": entra.application(client_id).redirect_uris[0].uri,
    }
    answer = entra.http_client().post(f"/{seeds.BIRCH.id}/oauth2/v2.0/token", data=form)
    token: str = answer.json()["id_token"]
    return token


async def disabled(site: AdminSite) -> Client:
    """Return the client of somebody who was signed in when they were made inactive."""
    client = await site.site.signed_in(LEAVER)
    await site.house.administration.deactivate((await site.person(LEAVER)).id, by=ROOT)
    return client


async def callers(site: AdminSite) -> dict[str, Client]:
    def token(name: str) -> Awaitable[Client]:
        return site.site.bearer(site.entra.token(name, scope=f"{PORTAL}/access_as_user"))

    return {
        "stranger": await site.site.stranger(),
        "user": await site.of(MIA),
        "user's token": await token(MIA),
        "other tenant's": await site.of(CLEO),
        "its token": await token(CLEO),
        "guest's token": await token(GUEST),
        "tenant not let in": await token("mallory@nettle.example"),
        "disabled": await disabled(site),
        "admin": await site.of(ADA),
        "other's admin": await site.of(CORA),
        "application": await site.site.bearer(site.entra.application_token(scope=f"{PORTAL}/.default")),
        "our ID token": await site.site.bearer(our_id_token(site)),
    }


async def answer(site: AdminSite, client: Client, method: str, path: str) -> str:
    """Ask about somebody whom no other row knows."""
    person = (await somebody(site)).id if "{id}" in path else ""
    names = {"{id}": str(person), "{tenant_id}": seeds.NETTLE.id}
    for name, value in names.items():
        path = path.replace(name, value)
    path = path.replace("{", "").replace("}", "")  # what is left names files and sessions: there is none of that name
    form = FORM if method == "POST" else None
    return str((await client.request(method, path, data=form, follow_redirects=False)).status_code)


async def test_every_route_for_every_kind_of_caller(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """SEC-126, SEC-129, SEC-139: the answers are as the table says, and no route of ours is missing in it."""
    async with administered(entra_keys, tmp_path, **EVERYTHING) as site:
        await promote(site, ADA, CORA)
        known = await callers(site)
        lines = ["route".ljust(WIDTH) + "".join(name.ljust(19) for name in known)]
        for method, path in operations(site):
            found = [(await answer(site, client, method, path)).ljust(19) for client in known.values()]
            lines.append(f"{method} {path}".ljust(WIDTH) + "".join(found))
    check("tests/golden/access_of_every_route.txt", "\n".join(line.rstrip() for line in lines))
