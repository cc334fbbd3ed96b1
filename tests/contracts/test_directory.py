"""What the users' directory promises, in each database that it may be in."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from entrada.errors import SettingsRefused, SignInRefused, StoreUnavailable
from entrada.principal import User
from entrada.users.changes import write
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.people import People
from entrada.users.tables import metadata
from tests.contracts.databases import said
from tests.moved_clock import MovedClock
from tests.processes import together

CONTOSO, FABRIKAM = "11111111-1111-4111-8111-111111111111", "33333333-3333-4333-8333-333333333333"
ADA = User(
    issuer=f"https://login.microsoftonline.com/{CONTOSO}/v2.0",
    subject="pairwise-ada",
    tenant_id=CONTOSO,
    object_id="22222222-2222-4222-8222-222222222222",
    name="Ada Lovelace",
    username="ada@contoso.com",
    email="ada@contoso.com",
)


@pytest.fixture
def directory(database: Database) -> Directory:
    return Directory(database)


async def test_a_person_is_created_at_the_first_sign_in(directory: Directory, clock: MovedClock) -> None:
    """The first sign-in makes a person, active, with what the authority said of them (USR-1)."""
    person = await directory.signed_in(ADA, clock())
    assert (person.name, person.username, person.email) == ("Ada Lovelace", "ada@contoso.com", "ada@contoso.com")
    assert (person.is_active, person.created_at, person.last_sign_in_at) == (True, clock(), clock())


async def test_a_later_sign_in_updates_the_same_person(directory: Directory, clock: MovedClock) -> None:
    """Whoever was renamed, moved and given a new address is the same person, shown under the new name (USR-1).

    An address that is not told stays: Graph may have told it.
    """
    first = await directory.signed_in(ADA, clock())
    clock.move(timedelta(days=30))
    renamed = replace(ADA, name="Ada King", username="king@fabrikam.com", email=None, subject="another-app", issuer="x")
    later = await directory.signed_in(renamed, clock())
    assert later.id == first.id
    assert (later.name, later.username, later.email) == ("Ada King", "king@fabrikam.com", "ada@contoso.com")
    assert (later.created_at, later.last_sign_in_at) == (first.created_at, clock())


async def test_two_tenants_with_the_same_names_are_two_people(directory: Directory, clock: MovedClock) -> None:
    """The same mail, UPN, name, sub and even object id in another tenant is somebody else (SEC-120, SEC-121)."""
    ada = await directory.signed_in(ADA, clock())
    namesake = await directory.signed_in(replace(ADA, tenant_id=FABRIKAM), clock())
    colleague = await directory.signed_in(replace(ADA, object_id="44444444-4444-4444-8444-444444444444"), clock())
    assert len({ada.id, namesake.id, colleague.id}) == 3


async def test_other_providers_people_are_known_by_issuer_and_subject(directory: Directory, clock: MovedClock) -> None:
    """Without a tenant, issuer and subject together say who it is (SEC-120)."""
    ada = replace(ADA, issuer="https://id.example", tenant_id=None, object_id=None)
    person = await directory.signed_in(ada, clock())
    assert (await directory.signed_in(replace(ada, email="new@example.org"), clock())).id == person.id
    assert (await directory.signed_in(replace(ada, subject="other"), clock())).id != person.id
    assert (await directory.signed_in(replace(ada, issuer="https://other.example"), clock())).id != person.id


async def test_issuer_and_subject_never_match_a_tenants_person(directory: Directory, clock: MovedClock) -> None:
    """Claims without oid do not reach the row of one who has it, though issuer and subject are the same (SEC-120)."""
    in_tenant = await directory.signed_in(ADA, clock())
    outside = await directory.signed_in(replace(ADA, tenant_id=None, object_id=None), clock())
    half = await directory.signed_in(replace(ADA, object_id=None, subject="half"), clock())
    assert len({in_tenant.id, outside.id, half.id}) == 3


async def test_an_inactive_person_is_refused(database: Database, directory: Directory, clock: MovedClock) -> None:
    """Who was deactivated cannot sign in, and nothing of theirs is changed (USR-3)."""
    await directory.signed_in(ADA, clock())
    await said(database, "UPDATE entrada_user SET is_active = FALSE")
    with pytest.raises(SignInRefused, match="inactive") as refused:
        await directory.signed_in(replace(ADA, name="Changed"), clock())
    assert not any(name in str(refused.value) for name in ("Ada", "Lovelace", "Changed"))  # "ada" may be in an id
    assert await said(database, "SELECT name FROM entrada_user WHERE NOT is_active") == [("Ada Lovelace",)]


async def test_concurrent_first_sign_ins_make_one_person(directory: Directory, clock: MovedClock) -> None:
    """Ten tabs that sign in for the first time at once make one person."""
    ids = set()

    async def sign_in() -> None:
        ids.add((await directory.signed_in(ADA, clock())).id)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(sign_in)
    assert len(ids) == 1


def test_workers_that_start_together_bring_up_one_schema(database_url: str) -> None:
    """Four processes that start on a new database at once all come up, and know the same person (REL-023)."""
    source = """
import asyncio, sys
from datetime import datetime, UTC
from pathlib import Path
from entrada.principal import User
from entrada.users.changes import write
from entrada.users.database import Database
from entrada.users.directory import Directory
async def main():
    database = Database(sys.argv[1], data_dir=Path("unused"))
    print("ready", flush=True)
    sys.stdin.readline()
    await database.bring_up()
    print((await Directory(database).signed_in(User(issuer="i", subject="s"), datetime.now(UTC))).id)
    await database.close()
asyncio.run(main())
"""
    printed = together(source, database_url, times=4)
    assert len(printed) == 4
    assert len(set(printed)) == 1


async def test_bringing_up_twice_keeps_everybody(
    database_url: str, directory: Directory, clock: MovedClock, tmp_path: Path
) -> None:
    """The next start finds the schema as it is and loses nobody (USR-2)."""
    first = await directory.signed_in(ADA, clock())
    again = Database(database_url, data_dir=tmp_path / "unused")
    await again.bring_up()
    assert (await Directory(again).signed_in(ADA, clock())).id == first.id
    await again.close()
    assert not (tmp_path / "unused").exists()


async def test_the_migrations_lead_to_the_tables(database: Database) -> None:
    """What the migrations made is what the tables say (USR-2)."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"version_table": "entrada_schema"})
        return list(compare_metadata(context, metadata))

    async with database.unit_of_work() as connection:
        assert await connection.run_sync(differences) == []


def row(number: int, *, tenant: str = "NULL", oid: str = "NULL") -> str:
    """Return the statement that adds a person without asking the directory."""
    values = f"'{number:032x}', {tenant}, {oid}, 'i', 'ada-sub', '', '', NULL, TRUE, '2026-01-01', '2026-01-01'"
    names = "id, tenant_id, object_id, issuer, subject, name, username, email, is_active, created_at, last_sign_in_at"
    return f"INSERT INTO entrada_user ({names}) VALUES ({values})"


async def test_a_unit_of_work_is_all_or_nothing(database: Database) -> None:
    """What a unit of work did before an error is undone (USR-2)."""
    with pytest.raises(SignInRefused):
        async with database.unit_of_work() as connection:
            await connection.exec_driver_sql(row(1))
            raise SignInRefused
    assert await said(database, "SELECT count(*) FROM entrada_user") == [(0,)]


async def test_the_database_itself_refuses_a_second_row(database: Database) -> None:
    """Two rows for one person cannot be, whoever writes them; the error says nothing of the person."""
    for same in ({"tenant": "'t'", "oid": "'o'"}, {}):
        with pytest.raises(StoreUnavailable, match=r"UNIQUE|23505") as refused:
            async with database.unit_of_work() as connection:
                for number in (1, 2):
                    await connection.exec_driver_sql(row(number, **same))
        assert "ada-sub" not in str(refused.value)


async def test_a_newer_schema_is_refused_plainly(database: Database, database_url: str, tmp_path: Path) -> None:
    """A database that a newer release brought up is refused, not changed (REL-023)."""
    await said(database, "UPDATE entrada_schema SET version_num = '9999'")
    again = Database(database_url, data_dir=tmp_path)
    with pytest.raises(SettingsRefused, match="a newer release of Entrada"):
        await again.bring_up()
    await again.close()
    assert await said(database, "SELECT version_num FROM entrada_schema") == [("9999",)]


@pytest.mark.parametrize("url", ["nonsense", "mysql://ada:hunter2@db/x", "sqlite:///x.db", "sqlite+aiosqlite://", ""])
def test_other_databases_are_refused_without_repeating_the_address(url: str, tmp_path: Path) -> None:
    """What is not offered is a start error that names the form, and never shows the password (SEC-184, SEC-173)."""
    with pytest.raises(SettingsRefused, match=r"must be sqlite\+aiosqlite:///PATH or postgresql://") as refused:
        Database(url, data_dir=tmp_path)
    assert "hunter2" not in str(refused.value)


async def test_a_profile_is_kept_but_for_what_an_administrator_wrote(
    database: Database, directory: Directory, clock: MovedClock
) -> None:
    """What Graph tells is written beside what an administrator wrote, an empty value included (USR-1)."""
    person = await directory.signed_in(replace(ADA, email=None), clock())
    async with database.unit_of_work() as connection:
        await write(connection, person, {"department": None, "job_title": "Countess"}, at=clock())
    clock.move(timedelta(minutes=1))
    profile = {"department": "Engines", "job_title": "Analyst", "given_name": "Ada", "email": "Ada@Contoso.com"}
    await directory.told(ADA, profile, at=clock())
    found = await directory.known(ADA)
    assert found is not None
    assert (found.department, found.job_title, found.given_name) == (None, "Countess", "Ada")
    assert (found.email, found.version, found.updated_at) == ("Ada@Contoso.com", 2, clock())
    assert [each.id for each in await People(database).by_email("ada@contoso.com")] == [person.id]
    await directory.told(replace(ADA, object_id="44444444-4444-4444-8444-444444444444"), profile, at=clock())
    assert await People(database).count() == 1
