"""One application for all tests of a file, on each database."""

from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from entrada_emulator.issuing.keys import SigningKey

from tests.administration.site import ADA, ADMINS, MIA, AdminSite, administered, promote
from tests.servers import postgres_server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    with postgres_server() as server:
        yield server.url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def site(
    request: pytest.FixtureRequest, entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application with its administrators signed in: Ada of the operator, Cora of Cedar, Greta without a factor."""
    on_server = request.param == "postgresql"
    values = {"database_url": new_schema(request.getfixturevalue("postgresql"))} if on_server else {}
    async with administered(entra_keys, tmp_path_factory.mktemp("admin"), **values) as found:
        await promote(found, *ADMINS)
        yield found


@pytest.fixture(scope="module")
async def console(
    entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AdminSite]:
    """The application with administration and console, an administrator and a person; nothing keeps them waiting."""
    async with administered(entra_keys, tmp_path_factory.mktemp("console"), console=True, limits=False) as site:
        await promote(site, ADA)
        await site.of(MIA)
        yield site


def new_schema(url: str) -> str:
    """Return the address of a schema that nobody has used yet."""
    from tests.contracts.conftest import _execute

    name = f"of_{uuid4().hex}"
    _execute(url, f"CREATE SCHEMA {name}")
    return f"{url}?options=-csearch_path%3D{name}"
