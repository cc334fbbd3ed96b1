"""The stores that every contract is run against; a new one joins here."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from entrada.sessions.store import SessionStore, open_store
from tests.moved_clock import MovedClock


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture(params=["memory:", "sqlite:"])
async def store(request: pytest.FixtureRequest, tmp_path: Path, clock: MovedClock) -> AsyncIterator[SessionStore]:
    opened = open_store(request.param, data_dir=tmp_path / "data", clock=clock)
    yield opened
    await opened.close()
