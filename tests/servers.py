"""Programs that tests drive; real Redis and PostgreSQL on free ports of this machine, ended with their tests."""

import atexit
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

PATIENCE = 60.0  # seconds for a server to start on a busy machine
PORTS = range(20_000, 32_000)  # below those that Linux gives to connections going out
_given: set[int] = set()


def found(*names: str) -> str | None:
    """Return where the first of these programs is that is here."""
    places = [str(path) for path in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    search = os.pathsep.join([*places, os.environ.get("PATH", ""), "/usr/sbin"])  # where Debian has nginx
    return next((path for name in names if (path := shutil.which(name, path=search))), None)


def program(*names: str) -> str:
    """Return where a program is; without it the test is skipped, and fails where CI=true says that it must be there."""
    if path := found(*names):
        return path
    import pytest

    reason = f"{names[0]} is not installed (see .ci/packages)"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI=true, and {reason}")
    raise pytest.skip.Exception(reason)


def free_port() -> int:
    """Return a port that nobody has, not one that the system gives to whoever asks: it could be gone a moment later."""
    for port in random.sample(PORTS, len(PORTS)):
        with socket.socket() as probing, suppress(OSError):
            probing.bind(("127.0.0.1", port))
            if port not in _given:
                _given.add(port)
                return port
    raise RuntimeError("not one port is free")


def wait_until(ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.02)


@dataclass
class RedisServer:
    """One redis-server; what it keeps is in its directory, so that it can be killed and started again."""

    directory: Path
    options: tuple[str, ...] = ()
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> "RedisServer":
        self.directory.mkdir(exist_ok=True)
        command = [program("redis-server", "valkey-server"), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.directory), "--save", "", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers)
        return self

    def _answers(self) -> bool:
        assert self.process
        assert self.process.poll() is None, f"redis-server ended before it served on port {self.port}"
        return self.said("PING") == "PONG"

    def said(self, *command: str) -> str:
        """Send one command and return its answer's first line, or what follows the length of a string."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                words = [f"${len(word.encode())}\r\n{word}\r\n" for word in command]
                connection.sendall(f"*{len(words)}\r\n{''.join(words)}".encode())
                answer = connection.recv(1_000_000).decode("latin-1")
        except OSError as error:
            return f"-{error}"
        kind, rest = answer[:1], answer[1:].split("\r\n")
        return "\r\n".join(rest[1:]).rstrip("\r\n") if kind == "$" else f"{'-' if kind == '-' else ''}{rest[0]}"

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop_answering(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def redis_server(directory: Path, *options: str) -> Iterator[RedisServer]:
    server = RedisServer(directory, options).start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def redis_cluster(directory: Path, *, replicas: bool = False) -> Iterator[list[RedisServer]]:
    """Three primaries that share the slots, and if wanted three replicas, the first of the first and so on."""
    directory.mkdir(exist_ok=True)
    options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0")
    count = 6 if replicas else 3
    known = f"cluster_known_nodes:{count}"
    nodes = [
        RedisServer(directory / str(number), (*options, "--cluster-port", str(free_port()))) for number in range(count)
    ]
    try:
        for node in nodes:
            node.start()
        for node, (first, last) in zip(nodes, ((0, 5460), (5461, 10922), (10923, 16383)), strict=False):
            assert node.said("CLUSTER", "ADDSLOTSRANGE", str(first), str(last)) == "OK"
        for epoch, node in enumerate(nodes, 1):
            node.said("CLUSTER", "SET-CONFIG-EPOCH", str(epoch))
            nodes[0].said("CLUSTER", "MEET", "127.0.0.1", str(node.port), node.options[-1])
        for node in nodes:
            wait_until(lambda node=node: "cluster_state:ok" in node.said("CLUSTER", "INFO"))  # type: ignore[misc]
            wait_until(lambda node=node: known in node.said("CLUSTER", "INFO"))  # type: ignore[misc]
        for primary, replica in zip(nodes[:3], nodes[3:], strict=False):
            _follow(replica, primary)
        yield nodes
    finally:
        for node in nodes:
            node.kill()


def _follow(replica: RedisServer, primary: RedisServer) -> None:
    primary_id = primary.said("CLUSTER", "MYID")
    wait_until(lambda: replica.said("CLUSTER", "REPLICATE", primary_id) == "OK")
    wait_until(lambda: "master_link_status:up" in replica.said("INFO", "replication"))


@dataclass
class Watched:
    """A primary with a replica, and a sentinel that watches them."""

    primary: RedisServer
    replica: RedisServer
    sentinel: RedisServer

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/front-door"


@contextmanager
def watched_redis(directory: Path) -> Iterator[Watched]:
    directory.mkdir(exist_ok=True)
    primary = RedisServer(directory / "primary").start()
    replica = RedisServer(directory / "replica", ("--replicaof", f"127.0.0.1 {primary.port}"))
    sentinel = RedisServer(directory / "sentinel")
    try:
        replica.start()
        sentinel.directory.mkdir()
        configuration = sentinel.directory / "sentinel.conf"
        configuration.write_text(
            f"port {sentinel.port}\nbind 127.0.0.1\ndir {sentinel.directory}\n"
            f"sentinel monitor front-door 127.0.0.1 {primary.port} 1\n"
            "sentinel down-after-milliseconds front-door 1000\nsentinel failover-timeout front-door 5000\n"
        )
        sentinel.process = subprocess.Popen(
            [program("redis-server", "valkey-server"), str(configuration), "--sentinel"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: sentinel.said("PING") == "PONG")
        wait_until(lambda: "master_link_status:up" in replica.said("INFO", "replication"))
        wait_until(lambda: "slaves=1" in sentinel.said("INFO", "sentinel"))
        yield Watched(primary, replica, sentinel)
    finally:
        for server in (sentinel, replica, primary):
            server.kill()


@dataclass
class PostgresServer:
    """A PostgreSQL cluster of its own; root runs it as `nobody`, because PostgreSQL refuses root."""

    directory: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://entrada@127.0.0.1:{self.port}/postgres"

    def make(self) -> "PostgresServer":
        """Be a cluster as initdb makes it: a copy of the first of this process, which takes a ninth of the time."""
        if os.getuid() == 0:
            shutil.chown(self.directory, "nobody")
        subprocess.run(["cp", "-R", f"{_as_made()}/.", str(self.directory)], check=True, **_as_nobody())
        return self

    def start(self) -> "PostgresServer":
        command = [program("postgres"), "-D", str(self.directory), "-p", str(self.port), "-h", "127.0.0.1"]
        command += ["-c", "unix_socket_directories=", "-c", "max_connections=200", "-c", "fsync=off"]
        command += ["-c", "dynamic_shared_memory_type=mmap"]  # in its directory: a killed one leaves none behind
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **_as_nobody())
        wait_until(self._answers)
        return self

    def kill(self) -> None:
        """End it as a power cut would: the postmaster and all that it started."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None
            (self.directory / "postmaster.pid").unlink(missing_ok=True)

    def _answers(self) -> bool:
        """Say whether a start-up message is answered with a request to authenticate, as a server does that is up."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                names = b"user\0entrada\0database\0postgres\0\0"
                connection.sendall((len(names) + 8).to_bytes(4, "big") + (196608).to_bytes(4, "big") + names)
                return connection.recv(1) == b"R"
        except OSError:
            return False


@cache
def _as_made() -> str:
    """What initdb leaves, in a directory that goes with this process."""
    folder = tempfile.TemporaryDirectory(prefix="entrada-postgresql-made-")
    atexit.register(folder.cleanup)
    if os.getuid() == 0:
        shutil.chown(folder.name, "nobody")
    command = [program("initdb"), "-D", folder.name, "-U", "entrada", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run(command, check=True, capture_output=True, **_as_nobody())
    return folder.name


def _as_nobody() -> dict[str, object]:
    options: dict[str, object] = {"start_new_session": True, "cwd": "/"}
    if os.getuid() == 0:
        options |= {"user": "nobody", "group": pwd.getpwnam("nobody").pw_gid, "extra_groups": []}
    return options


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A cluster in a directory of its own: pytest's are closed to `nobody`, and closed again by each run of pytest."""
    with tempfile.TemporaryDirectory(prefix="entrada-postgresql-") as directory:
        server = PostgresServer(Path(directory)).make().start()
        try:
            yield server
        finally:
            server.kill()
