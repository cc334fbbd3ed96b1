"""nginx with the file that we give, in front of two workers under `entrada serve`: what the Compose file starts, small.

Changed in the file are addresses, ports and paths, for two applications on one machine; no limit and no directive.
"""

import re
import signal
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from entrada_emulator.pytest_plugin import ServedEntra

from tests.chromium.certificates import certificate_for
from tests.chromium.sites import free_ports
from tests.faults.people import Person, admitted_by
from tests.faults.workers import Cluster, cluster
from tests.servers import program, wait_until

FILE = Path(__file__).parents[2] / "deploy/nginx.conf"
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
    access_log: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca_file))

    def person(self, upn: str = "mia@birch.example", *, address: str = ELSEWHERE) -> Person:
        """Return somebody at this address, with a browser of their own."""
        person = Person(admitted_by(self.cluster.entra, upn))
        transport = httpx2.AsyncHTTPTransport(verify=self.trust, local_address=address)
        person.client = httpx2.AsyncClient(transport=transport, trust_env=False, timeout=60.0)
        return person


@contextmanager
def balanced(served: ServedEntra, folder: Path) -> Iterator[Balanced]:
    """Run two workers and nginx in front of them."""
    (port, plain) = free_ports(2)
    trusted = {"ENTRADA_BASE_URL": f"https://localhost:{port}", "ENTRADA_TRUSTED_PROXIES": "127.0.0.1"}
    with cluster(served, folder, workers=2, drain=DRAIN, **trusted) as workers:
        ca_file, chain = certificate_for("localhost", folder)
        configuration = _configuration(folder, chain, port, plain, [worker.port for worker in workers.workers])
        log = folder / "nginx.log"
        with log.open("wb") as said:
            command = [program("nginx"), "-p", str(folder), "-c", str(configuration), "-g", "daemon off;"]
            nginx = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            running = Balanced(port, workers, ca_file, folder / "access.log")
            wait_until(lambda: nginx.poll() is not None or (folder / "nginx.pid").exists())
            assert nginx.poll() is None, log.read_text()
            yield running
        finally:
            nginx.send_signal(signal.SIGTERM)
            nginx.wait(timeout=30)


def _configuration(folder: Path, chain: Path, port: int, plain: int, upstreams: list[int]) -> Path:
    """Write the file as it is given, with what names a place in a container naming one here."""
    text = FILE.read_text("utf-8")
    for number, upstream in enumerate(upstreams, 1):
        text = text.replace(f"application-{number}:8000", f"127.0.0.1:{upstream}")
    text = re.sub(r"(_temp_path )/tmp", rf"\1{folder}", text)
    for before, after in (
        ("listen 8443", f"listen 127.0.0.1:{port}"),
        ("listen 8080", f"listen 127.0.0.1:{plain}"),
        ("pid /run/nginx.pid", f"pid {folder}/nginx.pid"),
        ("access_log /dev/stdout", f"access_log {folder}/access.log"),
        ("tls/fullchain.pem", str(chain)),
        ("tls/privkey.pem", str(chain)),
        ("proxy_set_header Host $host;", f"proxy_set_header Host $host:{port};"),  # there, the port is the usual one
    ):
        assert before in text, before
        text = text.replace(before, after)
    file = folder / "nginx.conf"
    file.write_text(text)
    return file
