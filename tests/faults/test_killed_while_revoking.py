"""kill -9 around the revocation (RFC 7009) of a sign-out: the session is dead whatever becomes of the refresh token."""

import signal
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import ServedEntra
from entrada_emulator.pytest_plugin import served as entra_served

from tests.authority_app import CLIENT, answer
from tests.chromium.certificates import certificate_for
from tests.chromium.served import served
from tests.chromium.sites import free_ports
from tests.faults.invariants import assert_nothing_half_made, watching
from tests.faults.people import Person
from tests.faults.points import BEFORE_THE_REVOCATION, WHILE_IT_IS_REVOKED
from tests.faults.workers import Cluster, Worker, cluster
from tests.standard_provider import StandardProvider

SECRET = "not-a-real-secret"


@dataclass(frozen=True, slots=True)
class Site:
    """A standard provider over TLS on a port of its own, and whom to trust to know it."""

    provider: StandardProvider
    trusted: Path

    def person(self) -> Person:
        """Return somebody with a browser, whom the provider asks nothing."""

        trust = ssl.create_default_context(cafile=str(self.trusted))

        async def admission(url: str) -> str:
            async with httpx2.AsyncClient(trust_env=False, verify=trust) as client:
                back = (await client.get(url)).headers["location"]
            return dict(parse_qsl(urlsplit(back).query))["code"]

        return Person(admission)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]) -> Iterator[ServedEntra]:
    """The emulator, for its clock."""
    with entra_served(tmp_path_factory.mktemp("emulator"), keys=entra_keys) as running:
        yield running


@pytest.fixture(scope="module")
def site(emulator: ServedEntra, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The provider, with a revocation endpoint."""
    (port,) = free_ports(1)
    provider = StandardProvider(emulator.entra.state.clock.now, host=f"localhost:{port}")
    provider.metadata |= {
        "revocation_endpoint": f"https://localhost:{port}/revoke",
        "token_endpoint_auth_methods_supported": ["client_secret_post"],
    }
    trusted, certificate = certificate_for("localhost", tmp_path_factory.mktemp("site"))
    with served(provider, port=port, certificate=certificate):
        yield Site(provider, trusted)


@pytest.fixture(scope="module")
async def two(emulator: ServedEntra, site: Site, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """Two workers for whom the provider is the authority."""
    values = {
        "AZURE_TENANT_ID": None, "AZURE_AUTHORITY": None, "ENTRADA_GRAPH_URL": None,
        "ENTRADA_ISSUER": site.provider.issuer, "ENTRADA_CA_FILE": str(site.trusted),
        "AZURE_CLIENT_ID": CLIENT, "AZURE_CLIENT_SECRET": SECRET,
    }  # fmt: skip
    with cluster(emulator, tmp_path_factory.mktemp("two"), workers=2, points=True, **values) as running:
        for worker in running.workers:
            await worker.ready()
        yield running


def at_a_point(name: str) -> Callable[[StandardProvider, Worker], None]:
    """Let the worker die at this point."""
    return lambda _, worker: worker.arm(name, signal.SIGKILL)


def at_the_provider(*, answered: bool) -> Callable[[StandardProvider, Worker], None]:
    """Let the worker die when the provider has taken the token back, before or after it says so."""

    def prepare(provider: StandardProvider, worker: Worker) -> None:
        async def revoke(scope: Any, receive: Any, send: Any) -> None:
            if answered:
                await answer(b"{}")(scope, receive, send)
            worker.send(signal.SIGKILL)

        provider.answers["/revoke"] = revoke

    return prepare


@pytest.mark.parametrize(
    ("dies", "told"),
    [
        pytest.param(at_a_point(BEFORE_THE_REVOCATION), 0, id="before it begins"),
        pytest.param(at_a_point(WHILE_IT_IS_REVOKED), 0, id="before it is sent", marks=pytest.mark.long),
        pytest.param(at_the_provider(answered=False), 1, id="before the answer"),
        pytest.param(at_the_provider(answered=True), 1, id="after the answer", marks=pytest.mark.long),
    ],
)
async def test_killed(two: Cluster, site: Site, dies: Callable[[StandardProvider, Worker], None], told: int) -> None:
    """REL-034, SEC-097, I1: the session ended first: dead at every worker; nobody else's is; once more does no harm."""
    first, second = two.workers
    person, other, asked_before = site.person(), site.person(), len(site.provider.calls("/revoke"))
    session, living = await person.sign_in(first.url), await other.sign_in(first.url)
    async with watching([two.visit(first)], living=[living]) as watch:
        dies(site.provider, second)
        with suppress(httpx2.TransportError):  # the answer may have left by then
            await person.sign_out(second.url)
        assert await second.dead() == -signal.SIGKILL
        watch.ends(session)
        site.provider.answers.clear()
        second.start()
        again = await person.sign_out(first.url)
        assert (again.status_code, again.json()["ended"]) == (200, {"here": True, "browser": True})
        assert person.session is None
        await second.ready()
        assert [(await two.ask(worker, session, path="/who")).status for worker in two.workers] == [401, 401]
        census = await assert_nothing_half_made("sqlite:", data_dir=two.data, clock=two.entra.state.clock.now)
        assert census.found.total() == 1
    assert len(site.provider.calls("/revoke")[asked_before:]) == told
    assert (await other.sign_out(second.url)).json()["ended"] == {"here": True, "browser": True}
    await person.close()
    await other.close()
