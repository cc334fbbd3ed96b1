"""The small portal in place of the example, with a clock to move."""

from collections.abc import Mapping

import pytest

from tests.chromium.portals import APP, Clock


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """The portal's clock; put right again after each move."""
    return Clock(tmp_path_factory.mktemp("clock") / "offset")


@pytest.fixture(scope="module")
def settings(clock: Clock) -> Mapping[str, str]:
    return {"PORTAL_CLOCK": str(clock.file)}


@pytest.fixture(scope="module")
def app() -> str:
    return APP
