"""What all tests share."""

import gc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from entrada_emulator.pytest_plugin import Entra, entra, entra_keys, served_entra  # noqa: F401
from hypothesis import HealthCheck, settings

from tests import compiled_once
from tests.front_door import FrontDoor, running
from tests.providers.django_provider import DjangoProvider

# A busy machine is slow to set up and to run an example; neither says anything about the rule under test.
settings.register_profile("entrada", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("entrada")

compiled_once.share()

BROWSING, WAITING = (Path(__file__).parent / name for name in ("chromium", "faults"))
BROWSING_TOO = {"test_chromium.py", "test_flows_chromium.py", "test_msal_browser.py"}  # the emulator's
OTHERS_BETWEEN = 6  # files that take less time, from one that waits to the next


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the longest files first, and those that wait between those that compute: then no core idles."""
    rank = {path: number for number, path in enumerate(_in_turns(list(dict.fromkeys(item.path for item in items))))}
    items.sort(key=lambda item: rank[item.path])


def _in_turns(files: list[Path]) -> Iterator[Path]:
    waiting = [path for path in files if WAITING in path.parents]
    browsing = [path for path in files if BROWSING in path.parents or path.name in BROWSING_TOO]
    known = {*waiting, *browsing}
    others = [path for path in files if path not in known]
    for number, path in enumerate([*browsing, *others]):
        yield path
        if waiting and (number < len(browsing) or number % OTHERS_BETWEEN == 0):
            yield waiting.pop(0)
    yield from waiting


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays for the whole run, which is most of what it would look through."""
    gc.collect()
    gc.freeze()


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
