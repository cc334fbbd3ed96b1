"""The two sites of a walk, each a program: the example at https://portal.birch.example, the emulator on localhost.

Only Chromium knows where portal.birch.example is, because it is told. To a browser the two are different sites, by name
and by scheme, as an application and Microsoft are: SameSite cookies behave as they do in earnest.
"""

import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import httpx2

from examples import run
from examples.auth_code_flow.demo import demo
from examples.demo import Demo
from examples.supervisor import Program
from tests.chromium.emulated import Tenant
from tests.forked import ROOT, SOURCES, Running, Streams, start

EXAMPLE = "examples.auth_code_flow.app:app"
REGISTERED = demo({})
HOST = "portal.birch.example"
READY_WITHIN = 120.0  # seconds, on a machine that has other things to do


def free_ports(count: int) -> list[int]:
    """Return ports of this machine on which nothing listens."""
    with ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


@contextmanager
def emulator(folder: Path) -> Iterator[run.Ports]:
    """Run the emulator as `make demo` does; return where it listens, and where an application could."""
    ports = run.Ports(*free_ports(3))
    program = run.emulator(ports, folder / "emulator")
    with running(program, folder / "emulator.log", lambda: answers(program.ready)):
        yield ports


@contextmanager
def application(
    folder: Path,
    tenant: Tenant,
    *,
    certificate: Path,
    settings: Mapping[str, str],
    host: str = HOST,
    app: str = EXAMPLE,
    registered: Demo = REGISTERED,
) -> Iterator[int]:
    """Run the example as `make demo` does, but over TLS under its own host name; return its port."""
    (port,) = free_ports(1)
    program = run.application("auth_code_flow", registered, tenant.ports, tenant.data)
    over_tls = replace(
        program,
        command=(
            sys.executable, "-m", "uvicorn", app, "--host", "127.0.0.1",
            "--port", str(port), "--ssl-certfile", str(certificate), "--log-level", "warning",
        ),
        environment={
            **program.environment,
            "ENTRADA_BASE_URL": f"https://{host}",
            "AZURE_REDIRECT_URI": f"https://{host}{registered.prefix}/callback",
            "ENTRADA_DATA_DIR": str(folder / "data"),
            **settings,
        },
    )  # fmt: skip
    ready = f"https://127.0.0.1:{port}/ready"
    with running(over_tls, folder / "application.log", lambda: answers(ready, host=host)):
        yield port


@contextmanager
def running(program: Program, log: Path, is_ready: Callable[[], bool], *, cwd: Path = ROOT) -> Iterator[None]:
    """Run a program until the block ends; what it says goes into `log`, and into the failure if it does not start."""
    environment = {**program.environment, "PYTHONPATH": SOURCES}
    python, option, *command = program.command
    assert (python, option) == (sys.executable, "-m")
    process = start(*command, environment=environment, cwd=cwd, streams=Streams(out=log, err=log))
    try:
        _wait(process, is_ready, log)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(process: Running, is_ready: Callable[[], bool], log: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while not is_ready():
        if process.poll() is not None or time.monotonic() > until:
            raise AssertionError(f"{process.module} is not ready:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def answers(url: str, *, host: str | None = None) -> bool:
    """Say whether the address answers 200; its certificate is for Chromium to check, not for this."""
    headers = {"host": host} if host else {}
    with httpx2.Client(verify=False, trust_env=False) as client:
        try:
            return client.get(url, headers=headers).status_code == httpx2.codes.OK
        except httpx2.TransportError:
            return False
