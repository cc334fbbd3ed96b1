"""An API for several organisations calls the next one in the tenant of whoever calls it, and in no other (TOK-6)."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.directory.model import GRAPH_APP_ID, Application
from entrada_emulator.directory.seeds import default_world
from entrada_emulator.directory.world_checks import checked_world
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import Entra, new_entra

from tests.access_tokens import user_token
from tests.front_door import AUTHORITY, BASE, SECRET, FrontDoor
from tests.journeys.test_bearer import JSON, get, orders
from tests.journeys.test_downstream import LEDGER_SCOPE, LedgerApi, api
from tests.journeys.test_group_overage import api as groups_api
from tests.journeys.test_people_change import house_of

FOR_ALL = frozenset({seeds.API, seeds.LEDGER_API, seeds.PUBLIC_CLIENT, seeds.WEB_APP})
MIA, CLEO = "mia@birch.example", "cleo@cedar.example"
GUEST = "gil_cedar.example#EXT#@birch.example"
GIL_AT_HOME = "gil@cedar.example"
MANY = {"tenant_id": "organizations", "tenants": (seeds.BIRCH.id, seeds.CEDAR.id)}


def everywhere(keys: Iterable[SigningKey]) -> Entra:
    """Return the emulated directory with the APIs and their client registered for every organisation."""
    known = default_world()

    def opened(each: Application) -> Application:
        granted = {**each.granted_app_roles, GRAPH_APP_ID: ("GroupMember.Read.All", "User.Read.All")}
        more = {"multi_tenant": True, "groups_claim": True, "granted_app_roles": granted}
        return replace(each, **more) if each.client_id in FOR_ALL else each

    applications = tuple(map(opened, known.applications))
    world = checked_world(tenants=known.tenants, users=known.users, groups=known.groups, applications=applications)
    entra = new_entra(world, keys=keys)
    for upn in (MIA, CLEO, GIL_AT_HOME, GUEST):
        entra.consent(entra.user(upn), seeds.API, scopes=("openid", "profile", "offline_access", LEDGER_SCOPE))
    return entra


@pytest.fixture
def ledger() -> LedgerApi:
    return LedgerApi()


@pytest.fixture
async def door(entra_keys: tuple[SigningKey, ...], tmp_path: Path, ledger: LedgerApi) -> AsyncIterator[FrontDoor]:
    hosts = {"ledger.birch.example": ledger}
    async with orders(everywhere(entra_keys), tmp_path, build=api, hosts=hosts, **MANY) as front_door:
        yield front_door


async def called(door: FrontDoor, ledger: LedgerApi, path: str, upn: str) -> dict[str, Any]:
    """Call as this person; return the claims of the token that the next API got."""
    answer = await get(door, path, user_token(door.entra, upn)["access_token"])
    assert answer.status_code == 200, answer.text
    return door.entra.claims_of(ledger.tokens[-1])


@pytest.mark.parametrize("upn", [MIA, CLEO, GIL_AT_HOME, GUEST])
async def test_on_behalf_of_in_the_callers_tenant(door: FrontDoor, ledger: LedgerApi, upn: str) -> None:
    """SEC-121: the next token is of the tenant that vouched for the caller: a guest's of the one where they visit."""
    person = door.entra.user(upn)
    told = await called(door, ledger, "/ledger", upn)
    assert (told["tid"], told["oid"]) == (person.tenant_id, person.id)


async def test_the_application_itself_in_the_callers_tenant(door: FrontDoor, ledger: LedgerApi) -> None:
    """Client credentials need a tenant's name: whoever calls gives it, and each tenant has a token of its own."""
    for upn, tenant in ((MIA, seeds.BIRCH.id), (CLEO, seeds.CEDAR.id), (MIA, seeds.BIRCH.id)):
        told = await called(door, ledger, "/audit", upn)
        assert (told["tid"], told["appid"], told.get("scp")) == (tenant, seeds.API, None)
    assert ledger.tokens[0] == ledger.tokens[2]


async def test_nobody_gets_anothers_token(door: FrontDoor, ledger: LedgerApi) -> None:
    """However many of two tenants call at once, and again later, each call goes out with its caller's own token."""
    tokens = {upn: user_token(door.entra, upn)["access_token"] for upn in (MIA, CLEO, GIL_AT_HOME, GUEST)}
    calls = [(path, upn) for _ in range(3) for path in ("/ledger", "/audit") for upn in tokens]
    for _ in range(2):
        answers = await asyncio.gather(*[get(door, path, tokens[upn]) for path, upn in calls])
        for (path, upn), answer in zip(calls, answers, strict=True):
            person = door.entra.user(upn)
            told = answer.json()
            assert told["tid"] == person.tenant_id
            assert path == "/audit" or told["oid"] == person.id
    assert len(set(ledger.tokens)) == len(tokens) + 2
    assert door.calls("/organizations/oauth2/v2.0/token") == 0


async def test_a_session_names_the_tenant_too(entra_keys: Any, tmp_path: Path, ledger: LedgerApi) -> None:
    """In a session the application asks in the tenant of the person who has signed in."""
    own = {"client_id": seeds.WEB_APP, "client_secret": SECRET, "hosts": {"ledger.birch.example": ledger}} | MANY
    async with orders(everywhere(entra_keys), tmp_path, build=api, **own) as door:
        browser = await door.signed_in(MIA, page="/audit")
        assert browser.page.status == 200
        assert door.entra.claims_of(ledger.tokens[-1])["tid"] == seeds.BIRCH.id


async def test_groups_are_asked_for_in_the_persons_tenant(entra_keys: Any, tmp_path: Path) -> None:
    """SEC-132: where several tenants are let in, the token for Graph is of the tenant of whoever has the groups."""
    entra, greta = everywhere(entra_keys), "greta@birch.example"
    async with orders(entra, tmp_path, build=groups_api, **MANY) as door:
        token = user_token(entra, greta)["access_token"]
        assert (await get(door, "/crowd", token)).json() == seeds.MANY_GROUPS
        asked = [url for _, url in door.internet.calls if url.endswith("/token")]
        assert asked == [f"{AUTHORITY}/{seeds.BIRCH.id}/oauth2/v2.0/token"]


async def test_a_stranger_has_no_tenant(door: FrontDoor) -> None:
    """SEC-122: without a caller there is no tenant to ask in: 401, and the authority is not asked."""
    asked = door.calls("/token")
    assert (await door.raw("GET", f"{BASE}/audit", headers=JSON)).status_code == 401
    assert door.calls("/token") == asked


async def test_a_tenant_that_is_suspended(door: FrontDoor, ledger: LedgerApi) -> None:
    """BEY-2, SEC-075: neither its people's tokens that are kept, nor our own for it, are used any more; others' are."""
    tokens = {upn: user_token(door.entra, upn)["access_token"] for upn in (MIA, CLEO)}
    for path in ("/ledger", "/audit"):
        assert [(await get(door, path, token)).status_code for token in tokens.values()] == [200, 200]
    house, used, asked = house_of(door.app), len(ledger.tokens), door.calls("/token")
    assert house.people.admission
    await house.people.admission.table.decide(seeds.CEDAR.id, "suspended", at=house.clock())
    house.bearers.forget_tenant(seeds.CEDAR.id)
    for path in ("/ledger", "/audit"):
        assert (await get(door, path, tokens[CLEO])).status_code == 401
    assert (len(ledger.tokens), door.calls("/token")) == (used, asked)
    assert (await get(door, "/audit", tokens[MIA])).json()["tid"] == seeds.BIRCH.id


async def test_a_tenant_that_is_not_let_in(door: FrontDoor, ledger: LedgerApi) -> None:
    """SEC-122: nothing is asked in a tenant that is not on the list, whatever its token says."""
    token, asked = user_token(door.entra, "mallory@nettle.example")["access_token"], door.calls("/token")
    for path in ("/ledger", "/audit"):
        assert (await get(door, path, token)).status_code in {401, 403}
    assert (door.calls("/token"), ledger.tokens) == (asked, [])
