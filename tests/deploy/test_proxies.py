"""nginx and HAProxy with the files that we give, in front of two real processes (REL-054, REL-073, SEC-153)."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from signal import SIGTERM

import httpx2
import pytest
from entrada_emulator.issuing.keys import SigningKey
from entrada_emulator.pytest_plugin import served

from tests.deploy import smuggled
from tests.deploy.balanced import COOKIE, ELSEWHERE, Balanced, balanced, haproxy, nginx
from tests.faults.people import SCRIPT, Person
from tests.servers import wait_until

FORGED = {"x-forwarded-for": "203.0.113.7", "forwarded": "for=203.0.113.7", "x-real-ip": "203.0.113.7"}
BEGUN = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module", params=[nginx, haproxy], ids=["nginx", "haproxy"])
async def site(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, entra_keys: tuple[SigningKey, ...]
) -> AsyncIterator[Balanced]:
    """The proxy and its two workers, ready."""
    folder: Path = tmp_path_factory.mktemp("site")
    with served(folder / "emulator", keys=entra_keys) as entra, balanced(entra, folder, request.param) as site:
        await site.whole()
        yield site


@asynccontextmanager
async def signed_in(site: Balanced) -> AsyncIterator[Person]:
    """Be somebody who has signed in over TLS, through whichever worker came each time."""
    person = site.person()
    try:
        await person.start(site.url)
        answer = await person.come_back(site.url)
        assert answer.status_code == 303, answer.text
        assert person.client.cookies.get(COOKIE)
        yield person
    finally:
        await person.close()


async def asked(person: Person, site: Balanced, *, until: asyncio.Event) -> set[tuple[str, int]]:
    """Read and write until told to stop; return how it went. The pages take no POST, so 405 is the application's."""
    seen = set()
    while not until.is_set():
        for method in ("GET", "POST"):
            answer = await person.client.request(method, f"{site.url}/who", headers=SCRIPT | {"origin": site.url})
            seen.add((method, answer.status_code))
        await asyncio.sleep(0.02)
    return seen


async def test_nobody_is_signed_out_when_a_worker_stops_or_dies(site: Balanced) -> None:
    """REL-073: through a graceful stop no request of anybody fails; through a kill no read does, and nobody is out."""
    first, enough = site.cluster.workers[0], asyncio.Event()
    async with signed_in(site) as person:
        asking = [asyncio.create_task(asked(person, site, until=enough)) for _ in range(3)]
        await asyncio.sleep(0.3)
        first.send(SIGTERM)
        assert await first.dead(within=40) == 0
        await asyncio.sleep(0.3)
        enough.set()
        assert set().union(*await asyncio.gather(*asking)) == {("GET", 200), ("POST", 405)}
        first.start()
        await site.whole()
        first.end()
        reads = [await person.client.get(f"{site.url}/who") for _ in range(10)]
        assert {answer.status_code for answer in reads} == {200}
    first.start()
    await site.whole()


async def test_only_the_proxy_says_who_the_client_is(site: Balanced) -> None:
    """SEC-153: what a client writes into forwarding headers reaches no worker, neither by nginx nor around it."""
    worker = site.cluster.workers[0]
    path = "/who?seen=through"
    async with signed_in(site) as person:
        for _ in range(4):
            assert (await person.client.get(f"{site.url}{path}", headers=FORGED)).status_code == 200
    around = httpx2.AsyncHTTPTransport(local_address="127.0.0.3")
    async with httpx2.AsyncClient(transport=around, trust_env=False) as client:
        host = {"host": f"localhost:{site.port}"}
        await client.get(f"http://127.0.0.1:{worker.port}/who?seen=around", headers=FORGED | host)
    assert f'{ELSEWHERE}:0 - "GET {path}' in site.seen
    assert "127.0.0.3" in next(line for line in site.seen.splitlines() if "seen=around" in line)
    assert "203.0.113.7" not in site.seen


async def test_no_code_is_in_what_the_proxy_writes(site: Balanced) -> None:
    """SEC-146, SEC-147: no log of it has the query of a callback, also when no worker answers it."""
    async with signed_in(site) as person:
        for worker in site.cluster.workers:
            worker.end()
        answer = await person.client.get(f"{site.url}/api/auth/callback?code=a-code-of-mia&state=a-state")
    assert answer.status_code in {502, 503}
    line = f'"GET /api/auth/callback" {answer.status_code} '
    await asyncio.to_thread(wait_until, lambda: line in site.said)
    assert '"GET /api/auth/callback" 303 ' in site.said
    assert "code=" not in site.said
    for worker in site.cluster.workers:
        worker.start()
    await site.whole()


async def test_no_request_is_hidden_in_another(site: Balanced) -> None:
    """REL-054: what could be read in two ways is one request or refused; nobody gets an answer that is not theirs."""
    host, enough = f"localhost:{site.port}", asyncio.Event()
    ambiguous, pipelined = smuggled.ambiguous(host), smuggled.pipelined(host)
    async with signed_in(site) as person:
        asking = asyncio.create_task(asked(person, site, until=enough))
        probes = ambiguous | pipelined
        sent = await sent_all(site, list(probes.values()))
        elsewhere = await sent_all(site, smuggled.for_elsewhere(host))
        enough.set()
        assert await asking == {("GET", 200), ("POST", 405)}
    answers = dict(zip(probes, sent, strict=True))
    for name, codes in answers.items():
        shown, hidden = site.seen.count(f"shown={name} "), site.seen.count(f"hidden={name} ")
        assert hidden == (name in pipelined), name
        assert shown <= 1, name
        assert len(codes) == 1 + hidden, name
    assert {codes[0] for name, codes in answers.items() if f"shown={name} " not in site.seen} <= {400, 422, 501}
    assert elsewhere == [[400]] * len(elsewhere)


async def sent_all(site: Balanced, probes: list[str]) -> list[list[int]]:
    """Send all at once, each on a connection of its own; return the statuses of the answers to each."""
    return await asyncio.gather(*(asyncio.to_thread(statuses, site, probe) for probe in probes))


def statuses(site: Balanced, probe: str) -> list[int]:
    """Send it as it is; return the statuses of what comes until the proxy closes, or has nothing more to say."""
    came = b""
    with (
        socket.create_connection(("localhost", site.port)) as plain,
        site.trust.wrap_socket(plain, server_hostname="localhost") as connection,
        suppress(ConnectionError, TimeoutError),
    ):
        connection.settimeout(2.0)
        connection.sendall(probe.encode("latin-1"))
        while more := connection.recv(65536):
            came += more
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3})", came)]


@pytest.mark.long
@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (f"GET /who HTTP/1.1\r\n{BEGUN}", b"X-More: a\r\n"),
        (f"POST /api/auth/login HTTP/1.1\r\n{BEGUN}Content-Length: 1000\r\n\r\n", b""),
    ],
    ids=["head", "body"],
)
async def test_slow_clients_are_let_go(site: Balanced, begun: str, more: bytes) -> None:
    """SEC-158: after ten seconds the connection is closed, however often a line of the head comes."""

    assert 9 < await asyncio.to_thread(_held_on, site, begun.encode(), more) < 40


def _held_on(site: Balanced, begun: bytes, more: bytes) -> float:
    """Return how many seconds it takes until a connection is closed on which little comes each second."""
    began = time.monotonic()
    with (
        socket.create_connection(("localhost", site.port)) as plain,
        site.trust.wrap_socket(plain, server_hostname="localhost") as connection,
        suppress(ConnectionError),
    ):
        connection.sendall(begun)
        connection.settimeout(1.0)
        while time.monotonic() - began < 60 and not _closed(connection):
            connection.sendall(more)
    return time.monotonic() - began


def _closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1000) == b""
    except TimeoutError:
        return False
