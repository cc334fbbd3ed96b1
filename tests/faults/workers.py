"""Several worker processes on one SQLite file, beside an emulator that counts: what production looks like, small."""

import asyncio
import json
import os
import signal
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx2
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra, ServedEntra

from entrada.sessions.stores.opening import open_store
from tests.chromium.sites import free_ports
from tests.faults.invariants import Visit
from tests.faults.people import COOKIE, Person, admitted_by
from tests.faults.points import arm
from tests.forked import ROOT, SOURCES, Running, Streams, start
from tests.front_door import SECRET

READY_WITHIN = 120.0  # seconds, on a machine that has other things to do
ANSWER_WITHIN = 60.0
APPLICATION = "tests.faults.worker_app:app"


@dataclass(slots=True)
class Worker:
    """One process."""

    port: int
    command: tuple[str, ...]
    """The module that is run as `__main__`, and its arguments."""
    environment: dict[str, str]
    log: Path
    points: Path
    process: Running | None = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        said = Streams(out=self.log, err=self.log)
        self.process = start(*self.command, environment=self.environment, cwd=ROOT, streams=said)

    def send(self, number: signal.Signals) -> None:
        """Send this process a signal."""
        assert self.process
        self.process.send_signal(number)

    def arm(self, point: str, number: signal.Signals) -> None:
        """Let it send itself a signal when it next comes to this point (`points.py`)."""
        arm(self.points, point, number)

    async def dead(self, *, within: float = 20.0) -> int:
        """Return how it ended."""
        assert self.process
        return await asyncio.to_thread(self.process.wait, within)

    async def killed_at_the_point(self) -> None:
        """Wait until it has killed itself where it was armed to, and start it again; `ready` says when it serves."""
        assert await self.dead() == -signal.SIGKILL
        assert not self.points.exists(), "it died elsewhere"
        self.start()

    async def stopped(self, *, within: float = 20.0) -> None:
        """Wait until it has stopped (SIGSTOP)."""
        assert self.process
        stat, until = Path(f"/proc/{self.process.pid}/stat"), time.monotonic() + within
        while stat.read_text().rpartition(")")[2].split()[0] != "T":
            assert time.monotonic() < until, "the worker did not come to the point"
            await asyncio.sleep(0.02)

    async def ready(self) -> None:
        """Wait until it answers that it is ready."""
        assert self.process
        until = time.monotonic() + READY_WITHIN
        async with httpx2.AsyncClient(trust_env=False) as client:
            while True:
                try:
                    if (await client.get(f"{self.url}/ready")).status_code == httpx2.codes.OK:
                        return
                except httpx2.TransportError:
                    pass
                dead = self.process.poll() is not None or time.monotonic() > until
                assert not dead, f"a worker is not ready:\n{self.log.read_text()[-3000:]}"
                await asyncio.sleep(0.1)

    def events(self) -> list[str]:
        """Return what happened here, by name and reason."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.removeprefix("EVENT ") for line in lines if line.startswith("EVENT ")]

    def end(self) -> None:
        """End it, whatever state it is in."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(timeout=15)


@dataclass(slots=True)
class Answered:
    """How one request went."""

    status: int
    """0 when the connection ended without an answer."""
    body: dict[str, str]
    seconds: float


@dataclass(slots=True)
class Cluster:
    """The workers, the authority, and the time they agree on."""

    served: ServedEntra
    workers: list[Worker]
    clock: Path
    data: Path
    """The workers' data directory."""
    _seen: int = field(default=0)

    @property
    def entra(self) -> Entra:
        return self.served.entra

    def move_clock(self, by: timedelta) -> None:
        """Let time pass, for the authority and all workers."""
        self.entra.state.clock.move(by)
        with self.clock.open("r+b") as file:  # in place: a file that is empty for a moment ends whoever has it mapped
            file.write(struct.pack("d", self.entra.state.clock.offset.total_seconds()))

    def renewals(self) -> int:
        """Return how many renewals the authority has been asked for since this was last asked."""
        asked = [one for one in self.entra.state.recorder.requests("token") if "refresh_token" in one.form]
        new, self._seen = len(asked) - self._seen, len(asked)
        return new

    async def stored_keys(self) -> list[bytes]:
        """Return what the living sessions are called in the store."""
        store = open_store("sqlite:", data_dir=self.data, clock=self.entra.state.clock.now)
        try:
            return [key async for key, _, _ in store.scan()]
        finally:
            await store.close()

    def person(self, upn: str = "mia@birch.example") -> Person:
        """Return somebody with a browser of their own."""
        return Person(admitted_by(self.entra, upn))

    async def sign_in(self, upn: str = "mia@birch.example") -> str:
        """Sign a person in at the first worker; return the session id."""
        person, worker = self.person(upn), self.workers[0]
        await person.start(worker.url)
        await person.come_back(worker.url)
        session = person.session
        await person.close()
        assert session, worker.log.read_text()[-2000:]
        return session

    def visit(self, worker: Worker, *, path: str = "/who") -> Visit:
        """Return the way to a page of this worker, for the probe of the invariants."""

        async def visit(session: str | None) -> int:
            try:
                return (await self.ask(worker, session or "", path=path)).status
            except (OSError, TimeoutError):
                return 0

        return visit

    async def ask(self, worker: Worker, session: str, *, path: str = "/token") -> Answered:
        """Send one request with a session to one worker."""
        request = (
            f"GET {path} HTTP/1.1\r\nhost: localhost\r\naccept: application/json\r\n"
            f"cookie: {COOKIE}={session}\r\nconnection: close\r\n\r\n"
        )
        began = time.monotonic()
        async with asyncio.timeout(ANSWER_WITHIN):
            reader, writer = await asyncio.open_connection("127.0.0.1", worker.port)
            with closing(writer):
                writer.write(request.encode())
                head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1]) if head else 0
        return Answered(status, json.loads(body) if body else {}, time.monotonic() - began)

    async def storm(self, session: str, *, each: int, workers: list[Worker] | None = None) -> list[Answered]:
        """Send so many requests to each worker at once."""
        return await asyncio.gather(
            *(self.ask(worker, session) for _ in range(each) for worker in workers or self.workers)
        )


@contextmanager
def cluster(
    served: ServedEntra,
    folder: Path,
    *,
    workers: int,
    points: bool = False,
    drain: float | None = None,
    **settings: str | None,
) -> Iterator[Cluster]:
    """Run so many workers on one data directory; `points` lets them be armed, and makes them slow.

    With `drain` they are run as documented for production, by `entrada serve`, and drain for so many seconds. A setting
    that is None is left out.
    """
    clock = folder / "clock"
    clock.write_bytes(struct.pack("d", served.entra.state.clock.offset.total_seconds()))
    ports = free_ports(workers)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ENTRADA_", "AZURE_"))},
        "PYTHONPATH": SOURCES,
        "AZURE_TENANT_ID": seeds.BIRCH.id,
        "AZURE_CLIENT_ID": seeds.WEB_APP,
        "AZURE_CLIENT_SECRET": SECRET,
        "AZURE_AUTHORITY": served.authority,
        "ENTRADA_GRAPH_URL": served.service.public_origin,
        "ENTRADA_CA_FILE": served.ca_file,
        "ENTRADA_BASE_URL": f"http://localhost:{ports[0]}",
        "ENTRADA_DATA_DIR": str(folder / "data"),
        "ENTRADA_SESSION_IDLE_MINUTES": str(60 * 24 * 30),
        "ENTRADA_SESSION_EXPIRY_DAYS": "90",
        "ENTRADA_TOKEN_REFRESH_CHECK_INTERVAL_SECS": "3600",
        "FAULTS_CLOCK": str(clock),
    }
    given = {name: value for name, value in (environment | settings).items() if value is not None}
    with ExitStack() as stack:
        running = Cluster(served, [], clock, folder / "data")
        for port in ports:
            named = folder / f"points-{port}"
            command = _serve(port, drain) if drain is not None else _uvicorn(port)
            own = {**given, "FAULTS_POINTS": str(named) if points else ""}
            worker = Worker(port, command, own, folder / f"worker-{port}.log", named)
            stack.callback(worker.end)
            worker.start()
            running.workers.append(worker)
        yield running


def _uvicorn(port: int) -> tuple[str, ...]:
    where = ("--host", "127.0.0.1", "--port", str(port), "--backlog", "1024")
    return ("uvicorn", APPLICATION, *where, "--log-level", "warning")


def _serve(port: int, drain: float) -> tuple[str, ...]:
    return ("entrada.cli", "serve", APPLICATION, "--port", str(port), "--drain-seconds", str(drain))
