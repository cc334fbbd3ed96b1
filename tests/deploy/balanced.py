"""A proxy with the file that we give for it, in front of two workers under `entrada serve`: the Compose file, small.

Changed in the file are addresses, ports and paths, for two applications on one machine; no limit and no directive.
"""

import asyncio
import re
import secrets
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx2
from entrada_emulator.pytest_plugin import ServedEntra

from tests.chromium.certificates import certificate_for
from tests.chromium.sites import free_ports
from tests.faults.people import Person, admitted_by
from tests.faults.workers import READY_WITHIN, Cluster, cluster
from tests.servers import program, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
DRAIN = 3.0  # seconds, as it is by itself; nginx keeps idle connections for less
COOKIE = "__Host-entrada"
ELSEWHERE = "127.0.0.2"
"""An address of this machine that stands for somebody else's."""


@dataclass(frozen=True, slots=True)
class Balanced:
    """The proxy, the workers behind it, and how to be somebody in front of it."""

    port: int
    cluster: Cluster
    ca_file: Path
    logs: tuple[Path, ...]
    """All that the proxy writes."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def said(self) -> str:
        """What the proxy has written."""
        return "".join(log.read_text("latin-1") for log in self.logs if log.exists())

    @property
    def seen(self) -> str:
        """What the workers have written."""
        return "".join(worker.log.read_text() for worker in self.cluster.workers)

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    async def whole(self) -> None:
        """Wait until each worker is ready, and the proxy sends requests to each: it may still think one is gone."""
        await asyncio.gather(*(worker.ready() for worker in self.cluster.workers))
        mark, until = f"whole={secrets.token_hex(8)}", time.monotonic() + READY_WITHIN
        async with httpx2.AsyncClient(verify=self.trust, trust_env=False) as client:
            while not all(mark in worker.log.read_text() for worker in self.cluster.workers):
                assert time.monotonic() < until, self.said[-2000:]
                await client.get(f"{self.url}/who?{mark}")
                await asyncio.sleep(0.05)

    def person(self, upn: str = "mia@birch.example", *, address: str = ELSEWHERE) -> Person:
        """Return somebody at this address, with a browser of their own."""
        person = Person(admitted_by(self.cluster.entra, upn))
        transport = httpx2.AsyncHTTPTransport(verify=self.trust, local_address=address)
        person.client = httpx2.AsyncClient(transport=transport, trust_env=False, timeout=60.0)
        return person


@dataclass(frozen=True, slots=True)
class Places:
    """Where on this machine is what a file of ours names in a container."""

    folder: Path
    chain: Path
    """The certificate of localhost, with its key."""
    port: int
    plain: int
    upstreams: list[int]


Proxy = Callable[[Places], list[str]]
"""Writes a proxy's file, and returns the command that runs it in the foreground."""


@contextmanager
def balanced(served: ServedEntra, folder: Path, proxy: Proxy) -> Iterator[Balanced]:
    """Run two workers and the proxy in front of them."""
    (port, plain) = free_ports(2)
    trusted = {"ENTRADA_BASE_URL": f"https://localhost:{port}", "ENTRADA_TRUSTED_PROXIES": "127.0.0.1"}
    with cluster(served, folder, workers=2, drain=DRAIN, **trusted) as workers:
        ca_file, chain = certificate_for("localhost", folder)
        places = Places(folder, chain, port, plain, [worker.port for worker in workers.workers])
        log = folder / "proxy.log"
        with log.open("wb") as said:
            process = subprocess.Popen(proxy(places), stdout=said, stderr=said)
        try:
            running = Balanced(port, workers, ca_file, (log, folder / "access.log"))
            wait_until(lambda: process.poll() is not None or _listens(port))
            assert process.poll() is None, log.read_text()
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def nginx(places: Places) -> list[str]:
    """Be nginx."""
    folder, port = places.folder, places.port
    changes = (
        (r"(_temp_path )/tmp", rf"\1{folder}"),
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("listen 8080", f"listen 127.0.0.1:{places.plain}"),
        ("pid /run/nginx.pid", f"pid {folder}/nginx.pid"),
        ("access_log /dev/stdout", f"access_log {folder}/access.log"),
        ("tls/fullchain.pem", str(places.chain)),
        ("tls/privkey.pem", str(places.chain)),
        (r"proxy_set_header Host \$host;", f"proxy_set_header Host $host:{port};"),  # there, the port is the usual one
    )
    file = _written("nginx.conf", places, changes)
    return [program("nginx"), "-p", str(folder), "-c", str(file), "-g", "daemon off;"]


def haproxy(places: Places) -> list[str]:
    """Be HAProxy."""
    changes = (
        ("bind :8443", f"bind 127.0.0.1:{places.port}"),
        ("bind :8080", f"bind 127.0.0.1:{places.plain}"),
        ("tls/site.pem", str(places.chain)),
        ("app.example.com", f"localhost:{places.port}"),
    )
    return [program("haproxy"), "-db", "-f", str(_written("haproxy.cfg", places, changes))]


def _written(name: str, places: Places, changes: tuple[tuple[str, str], ...]) -> Path:
    """Write the file as it is given, with what names a place in a container naming one here."""
    text = (DEPLOY / name).read_text("utf-8")
    upstreams = [
        (rf"application-{number}:8000", f"127.0.0.1:{port}") for number, port in enumerate(places.upstreams, 1)
    ]
    for before, after in (*upstreams, *changes):
        text, changed = re.subn(before, after, text)
        assert changed, before
    file = places.folder / name
    file.write_text(text)
    return file
