"""What all tests share."""

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run coroutines on asyncio, which is what the servers run."""
    return "asyncio"
