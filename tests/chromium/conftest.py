"""A real Chromium, the example and the emulator. Where Chromium is missing: skipped loudly, with CI=true a failure."""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from examples.demo import Demo
from tests.chromium import sites
from tests.chromium.certificates import certificate_for, trust
from tests.chromium.demonstration import demo
from tests.chromium.emulated import Tenant
from tests.chromium.launch import Site, chromium_at
from tests.chromium.visitor import Visitor, visiting

__all__ = ["demo"]

MISSING = [name for name in ("chromium", "certutil") if shutil.which(name) is None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is here, and skip it where it cannot run; with CI=true it then fails by itself, as it should."""
    browsing = {path for path in {item.path for item in items} if Path(__file__).parent in path.parents}
    for item in items:
        if item.path in browsing:
            item.add_marker("browser")
            if MISSING and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason=f"not here: {', '.join(MISSING)} (see .ci/packages)"))


@pytest.fixture(scope="session")
def tenant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tenant]:
    """The emulator: shared, so each walk brings a person of its own."""
    folder = tmp_path_factory.mktemp("tenant")
    with sites.emulator(folder) as ports:
        yield Tenant(ports, folder)


@pytest.fixture(scope="module")
def settings() -> Mapping[str, str]:
    """What the application is told beside what `make demo` tells it; a module may say otherwise."""
    return {}


@pytest.fixture(scope="module")
def app() -> str:
    """Which application runs; a module may name another."""
    return sites.EXAMPLE


@pytest.fixture(scope="module")
def registered() -> Demo:
    """As which of the authority's applications it runs; a module may name another."""
    return sites.REGISTERED


@pytest.fixture(scope="module")
def site(
    tenant: Tenant,
    settings: Mapping[str, str],
    app: str,
    registered: Demo,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Site]:
    """The application, running, and how a browser finds and trusts it."""
    folder = tmp_path_factory.mktemp("application")
    ca_file, certificate = certificate_for(sites.HOST, folder)
    trust(folder, ca_file)
    with sites.application(
        folder, tenant, certificate=certificate, settings=settings, app=app, registered=registered
    ) as port:
        yield Site(folder, f"--host-resolver-rules=MAP {sites.HOST}:443 127.0.0.1:{port}")


@pytest.fixture(scope="module")
def chromium(site: Site) -> Iterator[Browser]:
    """A browser that finds the example at https://portal.birch.example and trusts its certificate."""
    with chromium_at(site.home, site.switch) as launched:
        yield launched


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Visitor]:
    """A person with a fresh browser; a content policy that bites, or an error on the console, fails the test."""
    with visiting(chromium) as visitor:
        yield visitor
