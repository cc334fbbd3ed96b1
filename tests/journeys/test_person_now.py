"""What the authority says of somebody at a renewal counts from the next request on; a session lasts far longer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import ApiClient, CurrentUser, User, api_client
from entrada.flows.admin.administration import Actor
from tests.authority_app import CLIENT, answer
from tests.front_door import AUTH, BASE, SESSION, FrontDoor, running
from tests.journeys.test_people_change import house_of
from tests.journeys.test_tokens import HOST, graph, near_expiry
from tests.standard_provider import HOST as PROVIDER
from tests.standard_provider import ISSUER, StandardProvider

API = "api.example"
COMMAND = Actor("the command line")


ADA = "ada@birch.example"


@contextmanager
def assigned(door: FrontDoor, *roles: str) -> Iterator[None]:
    """Have Ada other app roles in the authority's directory, for a while: all tests share it."""
    account = door.entra.user(ADA)
    before = dict(account.app_roles)
    account.app_roles[seeds.WEB_APP] = roles
    try:
        yield
    finally:
        account.app_roles.update(before)


async def me(door: FrontDoor, session: str) -> dict[str, object]:
    headers = {"cookie": f"{SESSION}={session}", "accept": "application/json"}
    answer = await door.raw("GET", f"{AUTH}/me", headers=headers)
    assert answer.status_code == 200
    document: dict[str, object] = answer.json()
    return document


async def test_a_role_that_is_taken_away(door: FrontDoor) -> None:
    """SEC-134, API-5: taken away, and given, in the authority's directory: the session has it so after a renewal."""
    session = (await door.signed_in(ADA)).jar.of(HOST)[SESSION]
    before = await me(door, session)
    assert before["roles"] == ["Admin"]
    for roles in ((), ("Reader",)):
        await near_expiry(door, session)
        with assigned(door, *roles):
            assert (await graph(door, session))[0] == 200
        after = await me(door, session)
        assert after["roles"] == list(roles)
        assert (after["auth_time"], after["amr"]) == (before["auth_time"], before["amr"])


async def test_what_was_granted_here_stays(door: FrontDoor) -> None:
    """SEC-134: a role that was granted here is nothing that a renewal takes away."""
    session = (await door.signed_in(ADA)).jar.of(HOST)[SESSION]
    house = house_of(door.app)
    (ada,) = (await house.administration.people.page()).people
    await house.administration.grant(ada.id, "editor", by=COMMAND)
    await near_expiry(door, session)
    with assigned(door):
        assert (await graph(door, session))[0] == 200
    assert (await me(door, session))["roles"] == ["editor"]


async def test_the_applications_rule_is_asked_again(entra: Entra, tmp_path: Path) -> None:
    """SEC-134: whom the rule refuses by now is out with the renewal, and told why; another gets the roles of now."""
    allowed: list[frozenset[str] | None] = [frozenset({"one"})]

    def rule(user: User) -> User | None:
        return None if allowed[0] is None else replace(user, roles=allowed[0])

    async with running(entra, tmp_path, options={"provision": rule}) as door:
        session = (await door.signed_in()).jar.of(HOST)[SESSION]
        allowed[0] = frozenset({"two"})
        await near_expiry(door, session)
        assert (await graph(door, session))[0] == 200
        assert (await me(door, session))["roles"] == ["two"]
        allowed[0] = None
        await near_expiry(door, session)
        assert (await graph(door, session))[0] == 401
        assert await door.reuse(session) == 401
        assert [event.reason for event in door.events[1:]] == ["not_admitted", "renewal_refused"]


async def test_a_rule_that_fails_costs_nobody_a_session(entra: Entra, tmp_path: Path) -> None:
    """SEC-110, REL-038: an error in the application's rule is logged; the renewal and the session go on."""
    broken: list[bool] = []

    def rule(user: User) -> User:
        if broken:
            raise LookupError("the rule's own database")
        return user

    async with running(entra, tmp_path, options={"provision": rule}) as door:
        session = (await door.signed_in(ADA)).jar.of(HOST)[SESSION]
        broken.append(True)
        await near_expiry(door, session)
        assert (await graph(door, session))[0] == 200
        assert (await me(door, session))["roles"] == ["Admin"]


@pytest.mark.parametrize("how", ["deactivated", "deleted"])
async def test_somebody_who_was_shut_out_where_nobody_looked(door: FrontDoor, how: str) -> None:
    """USR-3: whose row is inactive, or gone, while their session was missed, is out with the next renewal."""
    session = (await door.signed_in()).jar.of(HOST)[SESSION]
    house = house_of(door.app)
    async with house.database.unit_of_work() as connection:
        statement = "UPDATE entrada_user SET is_active = false" if how == "deactivated" else "DELETE FROM entrada_user"
        await connection.exec_driver_sql(statement)
    await near_expiry(door, session)
    assert (await graph(door, session))[0] == 401
    assert await door.reuse(session) == 401


Api = Annotated[ApiClient, api_client(f"https://{API}", "read")]


def calling(app: FastAPI) -> None:
    """A page of one's own, and one that calls an API of the provider."""

    @app.get("/private")
    async def private(user: CurrentUser) -> str:
        return user.name

    @app.get("/call")
    async def call(client: Api) -> int:
        return (await client.get("/")).status_code


async def test_a_provider_that_tells_less_at_a_renewal(entra: Entra, tmp_path: Path) -> None:
    """SEC-134, OpenID Connect Core 12.2: what is left out stays as it was; what is told, empty too, counts."""
    provider = StandardProvider(entra.state.clock.now)
    provider.person = {"sub": "ada", "name": "Ada", "email": "ada@idp.example", "roles": ["Reader"]}
    values = {"tenant_id": None, "issuer": ISSUER, "client_id": CLIENT, "client_secret": "no-secret"}
    hosts = {PROVIDER: provider, API: answer(b"{}")}
    async with running(entra, tmp_path, build=calling, hosts=hosts, scopes=("read",), **values) as door:
        browser = door.browser()
        await browser.open(f"{BASE}/private")
        session = browser.jar.of(HOST)[SESSION]
        before = await me(door, session)
        assert (before["name"], before["roles"]) == ("Ada", ["Reader"])
        for told in ({}, {"roles": []}):
            provider.at_renewal = told
            await near_expiry(door, session)
            assert (await browser.fetch(f"{BASE}/call")).json() == 200
            after = await me(door, session)
            assert (after["name"], after["roles"]) == ("Ada", told.get("roles", ["Reader"]))
        assert [each["grant_type"] for each in provider.calls("/token")][1:] == ["refresh_token"] * 2
