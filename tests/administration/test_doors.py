"""Who gets in, and how much of it: every address for every kind of caller, two organisations, fresh proofs."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from entrada_emulator.directory import seeds
from entrada_emulator.issuing.keys import SigningKey

from entrada.users.place import Place
from entrada.web.routes.admin.table import TABLE
from tests.administration.site import (
    ADA,
    ADMIN,
    ADMINS,
    CORA,
    GRETA,
    MIA,
    OLGA,
    PORTAL,
    ROOT,
    AdminSite,
    administered,
    promote,
    somebody,
)
from tests.golden.golden import check

WIDTH = 62
NOBODY = {"stranger": 401, "user": 403, "admin, no factor": 401, "user's token": 401, "disabled admin": 401}
"""How those are answered who may do nothing here."""


def operations() -> list[tuple[str, str]]:
    """Return every method of every address, reading ones first: what a row does must not change the next."""
    found = [(method, path) for path, ways in TABLE.items() for method in ways]
    return sorted(found, key=lambda each: (each[0] != "GET", each[1], each[0]))


def address(path: str, person: object) -> str:
    return ADMIN + path.replace("{user_id}", str(person)).replace("{role:path}", "Editor").replace("{handle}", "none")


async def ask(client: httpx2.AsyncClient, method: str, url: str) -> int:
    """Ask with what the address takes, so that a refusal is the door's."""
    body = {"department": "Asked"} if method == "PUT" and "/roles/" not in url else None
    return (await client.request(method, url, json=body)).status_code


async def disabled(site: AdminSite) -> httpx2.AsyncClient:
    """Return the client of an administrator who was signed in when they were made inactive."""
    client = await site.anew(OLGA)
    await site.house.administration.deactivate((await site.person(OLGA)).id, by=ROOT)
    return client


async def callers(site: AdminSite) -> dict[str, httpx2.AsyncClient]:
    token = site.entra.token(MIA, scope=f"{PORTAL}/access_as_user")
    return {
        "stranger": await site.site.stranger(),
        "user": await site.of(MIA),
        "admin, no factor": await site.of(GRETA),
        "user's token": await site.site.bearer(token),
        "application": await site.site.bearer(site.entra.application_token()),
        "other tenant's": await site.of(CORA),
        "disabled admin": await disabled(site),
        "admin": await site.of(ADA),
    }


@pytest.fixture(scope="module")
async def doors(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application with the administrators of both organisations, and one who is to be made inactive."""
    async with administered(entra_keys, tmp_path_factory.mktemp("doors")) as site:
        await promote(site, *ADMINS, OLGA)
        yield site


async def test_sec_139_every_kind_of_caller(doors: AdminSite) -> None:
    """SEC-126, SEC-129, SEC-139: each address answers each caller, about somebody of Birch, as the table says."""
    known = await callers(doors)
    lines = ["operation".ljust(WIDTH) + "".join(name.ljust(18) for name in known)]
    for method, path in operations():
        found = {
            name: await ask(client, method, address(path, (await somebody(doors)).id)) for name, client in known.items()
        }
        assert {name: found[name] for name in NOBODY} == NOBODY, (method, path)
        lines.append(f"{method} {ADMIN}{path}".ljust(WIDTH) + "".join(str(each).ljust(18) for each in found.values()))
    check("tests/golden/access_of_administration.txt", "\n".join(line.rstrip() for line in lines))


async def test_sec_126_another_organisations_people_are_not_there(doors: AdminSite) -> None:
    """Cedar's administrator sees and changes Cedar's people; of Birch's not even that they exist (SEC-121, SEC-135)."""
    cora, theirs, ours = await doors.of(CORA), await somebody(doors), await somebody(doors, seeds.CEDAR.id)
    listed = (await cora.get(f"{ADMIN}/users", params={"limit": 200})).json()
    assert {each["tenant_id"] for each in listed["users"]} == {seeds.CEDAR.id}
    assert listed["total"] == len(listed["users"])
    found = (await cora.get(f"{ADMIN}/users", params={"q": "birch"})).json()
    assert found["users"] == []
    behind_theirs = (await cora.get(f"{ADMIN}/users", params={"after": str(Place.of(theirs, "newest"))})).json()
    assert {each["tenant_id"] for each in behind_theirs["users"]} == {seeds.CEDAR.id}
    for below in ("users", "audit-logs"):
        assert (await cora.get(f"{ADMIN}/{below}", params={"tenant": seeds.BIRCH.id})).status_code == 403
    assert (await cora.put(f"{ADMIN}/users/{ours.id}", json={"department": "Lab"})).status_code == 200
    logs = (await cora.get(f"{ADMIN}/audit-logs", params={"limit": 500})).json()
    assert {row["tenant_id"] for row in logs["logs"]} == {seeds.CEDAR.id}
    exported = (await cora.get(f"{ADMIN}/audit-logs/export", params={"format": "json"})).json()
    assert {row["tenant_id"] for row in exported} == {seeds.CEDAR.id}
    counted = (await cora.get(f"{ADMIN}/statistics")).json()["spans"][-1]
    whole = (await (await doors.of(ADA)).get(f"{ADMIN}/statistics")).json()["spans"][-1]
    assert 1 <= counted["people"] < whole["people"]


async def test_the_operators_see_everybody(doors: AdminSite) -> None:
    """The administrators of a tenant that the settings name see all, and narrow it to one tenant."""
    ada, theirs = await doors.of(ADA), await somebody(doors, seeds.CEDAR.id)
    assert (await ada.get(f"{ADMIN}/users/{theirs.id}")).status_code == 200
    found = (await ada.get(f"{ADMIN}/users", params={"tenant": seeds.CEDAR.id, "limit": 200})).json()["users"]
    assert {each["tenant_id"] for each in found} == {seeds.CEDAR.id}
    logs = (await ada.get(f"{ADMIN}/audit-logs", params={"tenant": seeds.CEDAR.id})).json()["logs"]
    assert {row["tenant_id"] for row in logs} == {seeds.CEDAR.id}


async def test_an_administrator_without_a_second_factor_is_led_to_one(doors: AdminSite) -> None:
    """ADM-5: 401 with the way to prove it (RFC 9470), before anything is read; whoever has no rights is not asked."""
    refused = await (await doors.of(GRETA)).get(f"{ADMIN}/users")
    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert refused.json()["login"].startswith("/api/auth/step-up?for=")
    refused = await (await doors.of(MIA)).get(f"{ADMIN}/users")
    assert (refused.status_code, refused.json()["detail"]) == (403, "This needs the rights of an administrator.")
    assert "login" not in refused.json()


async def test_other_sites_change_and_read_nothing(doors: AdminSite) -> None:
    """SEC-089, SEC-096: neither with the cookie alone, nor from another site, nor embedded there."""
    ada, person = await doors.of(ADA), await somebody(doors)
    for headers in ({"x-csrf": ""}, {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}):
        refused = await ada.delete(f"{ADMIN}/users/{person.id}", headers=headers)
        assert refused.status_code == 403
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-dest": "script", "sec-fetch-mode": "no-cors"}
    assert (await ada.get(f"{ADMIN}/users", headers=embedded)).status_code == 403
    assert (await ada.get(f"{ADMIN}/users")).headers["cache-control"] == "no-store"
    assert (await ada.get(f"{ADMIN}/users/{person.id}")).status_code == 200


async def test_it_is_not_there_unless_it_was_switched_on(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """Without the setting, the addresses are the application's own; it has nothing at them."""
    async with administered(entra_keys, tmp_path, admin=False) as site:
        await promote(site, ADA)
        assert (await (await site.of(ADA)).get(f"{ADMIN}/users")).status_code == 404


async def test_what_cannot_be_undone_wants_a_fresh_proof(entra_keys: tuple[SigningKey, ...], tmp_path: Path) -> None:
    """SEC-140: reading goes on with an old sign-in; rights, ends and deletion ask for a new one, and take it."""
    async with administered(entra_keys, tmp_path, admin_proof_minutes=5, admin_if_match=True) as site:
        await promote(site, ADA)
        ada, person = await site.of(ADA), await somebody(site)
        path = f"{ADMIN}/users/{person.id}"
        site.entra.move_clock(timedelta(minutes=6))
        assert (await ada.get(path)).status_code == 200
        assert (await ada.put(path, json={"department": "Any"})).json()["code"] == "if_match_required"
        assert (await ada.put(path, json={"department": "Any"}, headers={"if-match": "*"})).status_code == 200
        for method, below, body in (
            ("PUT", "", {"is_admin": True}), ("PUT", "", {"is_active": False}), ("DELETE", "", None),
            ("POST", "/deactivate", None), ("POST", "/erase", None), ("PUT", "/roles/Editor", None),
            ("DELETE", "/roles/Editor", None), ("DELETE", "/sessions", None), ("DELETE", "/sessions/x", None),
        ):  # fmt: skip
            refused = await ada.request(method, path + below, json=body, headers={"if-match": "*"})
            assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication"), below
        again = await site.anew(ADA)
        assert (await again.delete(path)).status_code == 428
        assert (await again.delete(path, headers={"if-match": "*"})).status_code == 200
