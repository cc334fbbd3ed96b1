"""REL-051: clients that are slow on purpose, against `entrada serve`: cut, while others are served."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.forked import SOURCES, Streams, start
from tests.servers import free_port, wait_until

GET = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
APPLICATION = """
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})
"""


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(GET)
            return connection.recv(100).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[int]:
    """Run `entrada serve` with these options; yield its port."""
    (folder / "quick.py").write_text(APPLICATION, "utf-8")
    chosen = free_port()
    process = start(
        *("entrada.cli", "serve", "quick:app", "--port", str(chosen), *options),
        environment=os.environ | {"PYTHONPATH": SOURCES},
        cwd=folder,
        streams=Streams(),
    )
    try:
        wait_until(lambda: answers(chosen))
        yield chosen
    finally:
        process.kill()
        process.wait(timeout=30)


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that waits one second for a head."""
    with serving(tmp_path_factory.mktemp("slow"), "--head-seconds", "1") as chosen:
        yield chosen


@pytest.mark.parametrize("first", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: a\r\nx: ", GET + b"GET / HTTP/1.1\r\nx"])
def test_slow_heads(port: int, first: bytes) -> None:
    """REL-051, SEC-158: a head that is not whole in time is waited for no longer, also the second of a connection."""
    slow = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(50)]
    for connection in slow:
        connection.sendall(first)
    assert answers(port)
    for connection in slow:
        while connection.recv(1000):  # what was asked for is answered; then the server closes, or this times out
            pass
        connection.close()


def test_endless_heads(port: int) -> None:
    """REL-052, SEC-157: a head without end is cut at 64 KiB."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nx: ")
        sent = 0
        try:
            while sent < 50_000_000:
                sent += connection.send(b"a" * 8192)
        except OSError:
            pass
        assert sent < 50_000_000
    assert answers(port)


def test_a_connection_serves_again_and_again(port: int) -> None:
    """The control: requests that are whole are answered, one after the other on one connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for _ in range(3):
            connection.sendall(GET)
            seen = b""
            while not seen.endswith(b"ok"):
                seen += connection.recv(1000)
            assert seen.startswith(b"HTTP/1.1 200")


def test_how_long_an_idle_connection_is_kept_is_set(tmp_path: Path) -> None:
    """Behind a proxy that keeps connections, ours last longer than its: a request never meets one that is closing."""
    with (
        serving(tmp_path, "--keep-alive-seconds", "600") as kept,
        serving(tmp_path, "--keep-alive-seconds", "1") as soon_closed,
        socket.create_connection(("127.0.0.1", kept), timeout=60) as long,
        socket.create_connection(("127.0.0.1", soon_closed), timeout=60) as short,
    ):
        for connection in (long, short):  # the long one first: kept for as long, it would be closed first
            asked(connection)
        while short.recv(1000):
            pass
        asked(long)


def asked(connection: socket.socket) -> None:
    """Ask, and read the answer to its end."""
    connection.sendall(GET)
    answer = b""
    while not answer.endswith(b"ok"):
        answer += (said := connection.recv(1000))
        assert said, "the connection was closed"
