"""The small application beside a Graph that can be changed, for whatever is read there after a sign-in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra

from tests.faults.broken_authority import Between
from tests.front_door import FrontDoor, running

GRAPH = "graph.microsoft.com"
Portal = tuple[FrontDoor, Between]


@pytest.fixture
async def portal(entra: Entra, tmp_path: Path) -> AsyncIterator[Portal]:
    """Run it; what `instead` of the Graph names is answered otherwise."""
    between = Between(entra.app)
    async with running(entra, tmp_path, hosts={GRAPH: between}) as door:
        yield door, between
