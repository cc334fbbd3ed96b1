"""What the table of tenants promises, in each database that it may be in (LOG-12)."""

from datetime import timedelta
from typing import Literal

import anyio
import pytest

from entrada.errors import StoreUnavailable
from entrada.users.database import Database
from entrada.users.directory import Directory
from entrada.users.tenants import LONGEST_CONTACT, Tenant, TenantTable
from tests.contracts.databases import said
from tests.contracts.test_directory import ADA, CONTOSO, FABRIKAM
from tests.moved_clock import MovedClock


@pytest.fixture
def table(database: Database) -> TenantTable:
    return TenantTable(database)


async def test_what_nobody_has_named_is_not_known(table: TenantTable) -> None:
    """A new table knows no tenant."""
    assert await table.status(CONTOSO) is None
    assert await table.all() == []


async def test_an_administrator_counts_for_more_than_a_member(table: TenantTable, clock: MovedClock) -> None:
    """A member's request waits; an administrator's takes its place; a member's after it changes nothing."""
    assert await table.onboarded(CONTOSO, contact="mia", administrator=False, at=clock()) == "requested"
    clock.move(timedelta(hours=1))
    assert await table.onboarded(CONTOSO, contact="ada", administrator=True, at=clock()) == "consented"
    agreed = clock()
    clock.move(timedelta(hours=1))
    assert await table.onboarded(CONTOSO, contact="mia", administrator=False, at=clock()) == "consented"
    assert await table.all() == [Tenant(CONTOSO, "consented", "ada", agreed, agreed)]


@pytest.mark.parametrize("decided", ["approved", "suspended"])
async def test_what_the_operator_decided_stays(
    table: TenantTable, clock: MovedClock, decided: Literal["approved", "suspended"]
) -> None:
    """SEC-122: no administrator of the tenant changes it by on-boarding again; also before anybody has on-boarded."""
    await table.decide(CONTOSO, decided, at=clock())
    assert await table.onboarded(CONTOSO, contact="ada", administrator=True, at=clock()) == decided
    assert await table.all() == [Tenant(CONTOSO, decided, None, None, clock())]


async def test_each_tenant_is_on_its_own(table: TenantTable, clock: MovedClock) -> None:
    """The list has the latest change first, and suspending one suspends no other."""
    await table.onboarded(CONTOSO, contact="ada", administrator=True, at=clock())
    clock.move(timedelta(hours=1))
    await table.decide(FABRIKAM, "suspended", at=clock())
    assert [each.tenant_id for each in await table.all()] == [FABRIKAM, CONTOSO]
    assert [each.tenant_id for each in await table.suspended()] == [FABRIKAM]
    assert await table.status(CONTOSO) == "consented"


async def test_two_who_on_board_at_once_make_one_row(table: TenantTable, clock: MovedClock) -> None:
    """Ten administrators, the operator among them, and one row, which is the operator's."""

    async def onboard() -> None:
        await table.onboarded(CONTOSO, contact="ada", administrator=True, at=clock())

    async with anyio.create_task_group() as group:
        for _ in range(9):
            group.start_soon(onboard)
        group.start_soon(lambda: table.decide(CONTOSO, "suspended", at=clock()))
    assert [each.status for each in await table.all()] == ["suspended"]


async def test_a_long_name_fits(table: TenantTable, clock: MovedClock) -> None:
    """A tenant's administrator can write anything into a name: it is cut."""
    await table.onboarded(CONTOSO, contact="x" * 5000, administrator=True, at=clock())
    (tenant,) = await table.all()
    assert tenant.contact == "x" * LONGEST_CONTACT


async def test_a_status_of_a_later_release_lets_nobody_in(
    table: TenantTable,
    database: Database,
    clock: MovedClock,
) -> None:
    """What is not understood is no answer."""
    await table.decide(CONTOSO, "approved", at=clock())
    await said(database, "UPDATE entrada_tenant SET status = 'merged'")
    with pytest.raises(StoreUnavailable, match="does not know"):
        await table.status(CONTOSO)


async def test_the_people_of_a_tenant_are_found_page_by_page(database: Database, clock: MovedClock) -> None:
    """Each once, in pages, and nobody of another tenant."""
    directory = Directory(database)
    for number in range(5):
        person = ADA.__class__(issuer="i", subject=str(number), tenant_id=CONTOSO, object_id=str(number))
        await directory.signed_in(person, clock())
    await directory.signed_in(ADA.__class__(issuer="i", subject="x", tenant_id=FABRIKAM, object_id="x"), clock())
    found, page = [], await directory.of_tenant(CONTOSO, limit=2)
    while page:
        found += [user.key for user, _ in page.values()]
        page = await directory.of_tenant(CONTOSO, limit=2, after=max(page))
    assert sorted(found) == [f"{CONTOSO}:{number}" for number in range(5)]
