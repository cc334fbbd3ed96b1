"""What all tests share."""

import pytest
from entrada_emulator.pytest_plugin import entra, entra_keys  # noqa: F401

from tests.providers.django_provider import DjangoProvider


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run coroutines on asyncio, which is what the servers run."""
    return "asyncio"


@pytest.fixture(scope="session")
def django_provider(tmp_path_factory: pytest.TempPathFactory) -> DjangoProvider:
    """django-oauth-toolkit in process: an OpenID provider that nobody here wrote (`peer` tests)."""
    return DjangoProvider.started(tmp_path_factory.mktemp("provider"))
