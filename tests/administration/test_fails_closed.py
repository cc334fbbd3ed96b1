"""What cannot be written down does not happen; and whoever is shut out is out by every way in (SEC-149, SEC-075)."""

from typing import Any

import pytest
from entrada_emulator.issuing.keys import SigningKey

from entrada.users.person import Person
from tests.administration.site import ADA, ADMIN, CLEO, MIA, PORTAL, AdminSite, administered, promote
from tests.contracts.databases import said

BROKEN = {
    "sqlite": [
        "CREATE TRIGGER broken BEFORE INSERT ON entrada_audit BEGIN SELECT RAISE(ABORT, 'no room'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room'; END $$",
        "CREATE TRIGGER broken BEFORE INSERT ON entrada_audit FOR EACH ROW EXECUTE FUNCTION broken()",
    ],
}
MENDED = {"sqlite": "DROP TRIGGER broken", "postgresql": "DROP FUNCTION broken CASCADE"}
CHANGES: list[tuple[str, str, Any]] = [
    ("PUT", "", {"department": "Unrecorded", "is_admin": True}),
    ("POST", "/deactivate", None),
    ("PUT", "/roles/Editor", None),
    ("DELETE", "/sessions", None),
    ("POST", "/erase", None),
    ("DELETE", "", None),
    ("GET", "/export", None),
    ("GET", "/../../audit-logs/export", None),
]


def kind_of(site: AdminSite) -> str:
    return "postgresql" if site.house.settings.database_url else "sqlite"


def rights(person: Person) -> tuple[object, ...]:
    """Return what administrators change; the rest follows the authority, whenever it answers."""
    return person.version, person.is_active, person.is_admin, person.department, person.grants


async def test_sec_149_no_change_without_its_row(site: AdminSite) -> None:
    """While the log takes no row, each change and each export is 503 and nothing has changed; then all goes on."""
    ada, cleo, path, kind = await site.of(ADA), await site.anew(CLEO), await site.path(CLEO), kind_of(site)
    before = rights(await site.person(CLEO))
    for statement in BROKEN[kind]:
        await said(site.house.database, statement)
    for method, below, body in CHANGES:
        address = f"{ADMIN}/audit-logs/export" if below.startswith("/..") else path + below
        refused = await ada.request(method, address, json=body)
        assert (refused.status_code, refused.json()["code"]) == (503, "temporarily_unavailable"), (method, below)
        assert refused.headers["retry-after"]
        assert "no room" not in refused.text
    assert rights(await site.person(CLEO)) == before
    assert (await cleo.get("/private")).status_code == 200
    await said(site.house.database, MENDED[kind])
    assert (await ada.post(f"{path}/deactivate")).status_code == 200
    assert (await cleo.get("/private")).status_code == 401


async def test_whoever_is_shut_out_is_out_by_token_too(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """USR-3: a token that was good a moment ago is refused after deactivation, and a granted role works by token."""
    async with administered(entra_keys, tmp_path_factory.mktemp("tokens")) as site:
        await promote(site, ADA)
        ada, _, path = await site.of(ADA), await site.of(MIA), await site.path(MIA)
        program = await site.site.bearer(site.entra.token(MIA, scope=f"{PORTAL}/access_as_user"))
        assert [(await program.get(page)).status_code for page in ("/private", "/edit")] == [200, 403]
        await ada.put(f"{path}/roles/Editor")
        assert (await program.get("/edit")).status_code == 200
        await ada.post(f"{path}/deactivate")
        assert [(await program.get(page)).status_code for page in ("/private", "/edit")] == [403, 403]
        assert (await program.get(f"{ADMIN}/users")).status_code == 401


async def test_from_another_network_it_is_shut(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """ADM-5: where networks are named, an administrator from elsewhere is refused."""
    async with administered(entra_keys, tmp_path_factory.mktemp("net"), admin_networks=("10.0.0.0/8",)) as site:
        await promote(site, ADA)
        assert (await (await site.of(ADA)).get(f"{ADMIN}/users")).status_code == 403
