"""One portal in front of one API, for all tests of a file."""

from collections.abc import AsyncIterator

import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import new_entra

from tests.proxied import Site, fronted


@pytest.fixture(scope="module")
async def shared(entra_keys: tuple[SigningKey, ...], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with fronted(new_entra(keys=entra_keys), tmp_path_factory.mktemp("portal")) as running:
        yield running


@pytest.fixture
def site(shared: Site) -> Site:
    """The portal, with nothing noted yet."""
    shared.api.seen.clear()
    return shared
