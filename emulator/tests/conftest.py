"""What the emulator's tests share."""

from collections.abc import Iterator

import pytest
from entrada_emulator.pytest_plugin import Entra, entra, entra_keys, served_entra  # noqa: F401
from starlette.testclient import TestClient


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run coroutines on asyncio, which is what the servers run."""
    return "asyncio"


@pytest.fixture
def http(entra: Entra) -> Iterator[TestClient]:  # noqa: F811
    """A client of the authority."""
    with entra.http_client() as client:
        yield client
