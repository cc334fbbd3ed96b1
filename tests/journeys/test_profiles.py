"""What Graph knows of a person comes into the directory after a sign-in, and never stands in its way (USR-1)."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra

from entrada.flows.admin.administration import Edit
from entrada.users.person import Person
from tests.authority_app import answer
from tests.faults.broken_authority import GARBAGE, Between, silent, status
from tests.front_door import AUTH, BASE, FrontDoor, running
from tests.journeys.conftest import GRAPH, Portal
from tests.journeys.test_people_change import ROOT, house_of

ME = "/v1.0/me"
ADDRESS = f"https://{GRAPH}{ME}?$select=id,givenName,surname,mail,department,jobTitle"
FOREVER = 20  # seconds until a condition counts as never met


async def mia(door: FrontDoor) -> Person:
    (person,) = (await house_of(door.app).administration.people.page()).people
    return person


async def until(door: FrontDoor, holds: Callable[[Person], bool]) -> Person:
    """Return the person as soon as this holds of them."""
    async with asyncio.timeout(FOREVER):
        while not holds(person := await mia(door)):
            await asyncio.sleep(0.02)
    return person


async def asked(door: FrontDoor, times: int) -> None:
    """Return once Graph has been asked for profiles so often."""
    async with asyncio.timeout(FOREVER):
        while len(questions(door)) < times:
            await asyncio.sleep(0.02)


def questions(door: FrontDoor) -> list[str]:
    return [url for _, url in door.internet.calls if f"{GRAPH}{ME}?" in url]


def graph_says(door: FrontDoor, **members: Any) -> Any:
    """Return a Graph that tells this of Mia."""
    return answer(json.dumps({"id": door.entra.user().id, **members}).encode())


async def test_the_profile_comes_from_graph(portal: Portal) -> None:
    """USR-1: first and last name, address, department and job title are there after the first sign-in."""
    door, _ = portal
    await door.signed_in()
    person = await until(door, lambda person: person.department is not None)
    assert (person.given_name, person.family_name) == ("Mia", "Member")
    assert (person.email, person.department, person.job_title) == ("mia@birch.example", "Engineering", "Engineer")
    assert (person.version, person.edited) == (1, frozenset())
    assert questions(door) == [ADDRESS]
    people = house_of(door.app).administration.people
    assert [each.id for each in await people.by_email("MIA@birch.example")] == [person.id]


async def test_what_an_administrator_wrote_stays(portal: Portal) -> None:
    """USR-1: a later sign-in brings what changed at Graph, but not over what an administrator wrote or took away."""
    door, between = portal
    await door.signed_in()
    person = await until(door, lambda person: person.department is not None)
    await house_of(door.app).administration.update(person.id, Edit(department="Archive"), by=ROOT)
    between.instead[ME] = graph_says(door, department="Sales", jobTitle="Head of Sales", surname=None)
    await door.signed_in()
    later = await until(door, lambda person: person.job_title == "Head of Sales")
    assert (later.department, later.family_name, later.given_name) == ("Archive", None, "Mia")
    assert later.version == 2, "a sign-in counts as no change of an administrator's"


NO_PROFILE: dict[str, Any] = {
    **GARBAGE,
    "503": status(503),
    "429": status(429, retry_after="60"),
    "403": status(403),
    "somebody else": answer(b'{"id": "00000000-0000-4000-8000-000000000000", "department": "Fraud"}'),
    "nobody": answer(b'{"department": "Fraud"}'),
    "numbers and lists": answer(b'{"id": "MIA", "department": 7, "jobTitle": ["x"], "surname": {"a": 1}}'),
    "control characters": answer(b'{"id": "MIA", "department": "Fr\\u0000aud", "jobTitle": "a\\u202eb"}'),
    "a novel": answer(b'{"id": "MIA", "department": "' + b"x" * 257 + b'"}'),
}


@pytest.mark.parametrize("fault", NO_PROFILE)
async def test_rel_003_graph_talks_nonsense(portal: Portal, entra: Entra, fault: str) -> None:
    """REL-003, USR-1: whatever Graph answers, the person is signed in, and what was known of them stays."""
    door, between = portal
    between.instead[ME] = graph_says(door, department="Engineering", jobTitle="Engineer")
    await door.signed_in()
    before = await until(door, lambda person: person.department == "Engineering")
    between.instead[ME] = _naming(NO_PROFILE[fault], entra.user().id)
    browser = await door.signed_in()
    assert (await browser.fetch(f"{AUTH}/me")).status_code == 200
    await asked(door, 2)
    between.instead[ME] = graph_says(door, givenName="Mia Maria")
    await door.signed_in()
    after = await until(door, lambda person: person.given_name == "Mia Maria")
    assert (after.department, after.job_title, after.family_name) == ("Engineering", "Engineer", before.family_name)


def _naming(app: Any, object_id: str) -> Any:
    """Return the application, whose answer names this person where it says MIA."""

    async def named(scope: Any, receive: Any, send: Any) -> None:
        async def changed(message: Any) -> None:
            if "body" in message:
                message = message | {"body": message["body"].replace(b'"MIA"', f'"{object_id}"'.encode())}
            await send(message)

        await app(scope, receive, changed)

    return named


async def test_rel_002_graph_never_answers(entra: Entra, tmp_path: Path) -> None:
    """REL-002, USR-1: people sign in while every question is left open, and the application stops all the same."""
    between = Between(entra.app)
    between.instead[ME] = silent
    async with running(entra, tmp_path, hosts={GRAPH: between}) as door:
        for _ in range(3):
            browser = await door.signed_in()
            assert (await browser.fetch(f"{AUTH}/me")).status_code == 200
        await asked(door, 3)
        assert between.at_once == 3, "they were signed in while Graph was still being waited for"
        began = time.monotonic()
    assert time.monotonic() - began < FOREVER
    assert between.at_once == 0


async def test_rel_001_graph_is_gone(portal: Portal) -> None:
    """REL-001, USR-1: without Graph people sign in; the next sign-in brings what this one could not."""
    door, between = portal
    del door.internet.hosts[GRAPH]
    await door.signed_in()
    await asked(door, 1)
    assert (await mia(door)).department is None
    door.internet.hosts[GRAPH] = between
    await door.signed_in()
    await until(door, lambda person: person.department == "Engineering")


async def test_who_is_deleted_meanwhile_stays_deleted(portal: Portal) -> None:
    """USR-1: a profile that comes late makes nobody."""
    door, between = portal
    held, profile = asyncio.Event(), graph_says(door, department="Engineering")

    async def late(scope: Any, receive: Any, send: Any) -> None:
        await held.wait()
        await profile(scope, receive, send)

    between.instead[ME] = late
    await door.signed_in()
    await asked(door, 1)
    house = house_of(door.app)
    await house.administration.delete((await mia(door)).id, by=ROOT)
    held.set()
    await house.people.profiles.aclose()
    assert await house.administration.people.count() == 0


@pytest.mark.parametrize(
    "values",
    [{"graph_profile": False}, {"scopes": (f"api://{seeds.API}/access_as_user",)}],
    ids=["switched off", "a token for another API"],
)
async def test_sec_114_graph_is_not_asked(entra: Entra, tmp_path: Path, values: dict[str, Any]) -> None:
    """SEC-114, USR-1: switched off Graph hears nothing, and it never gets a token that was made for another API."""
    async with running(entra, tmp_path, **values) as door:
        browser = await door.signed_in(page="/private")
        assert (await browser.fetch(f"{BASE}/private")).status_code == 200
        await house_of(door.app).people.profiles.aclose()
        assert questions(door) == []
        assert (await mia(door)).department is None
