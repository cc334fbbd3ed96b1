"""What all tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra, entra, entra_keys, served_entra  # noqa: F401
from hypothesis import HealthCheck, settings

from tests.front_door import FrontDoor, running
from tests.providers.django_provider import DjangoProvider

# A busy machine is slow to set up and to run an example; neither says anything about the rule under test.
settings.register_profile("entrada", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("entrada")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run coroutines on asyncio, which is what the servers run."""
    return "asyncio"


@pytest.fixture(scope="session")
def django_provider(tmp_path_factory: pytest.TempPathFactory) -> DjangoProvider:
    """django-oauth-toolkit in process: an OpenID provider that nobody here wrote (`peer` tests)."""
    return DjangoProvider.started(tmp_path_factory.mktemp("provider"))


@pytest.fixture
async def door(entra: Entra, tmp_path: Path) -> AsyncIterator[FrontDoor]:  # noqa: F811
    """A small application behind Entrada, with an emulated tenant of its own."""
    async with running(entra, tmp_path) as front_door:
        yield front_door
