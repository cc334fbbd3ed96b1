"""REL-051: clients that are slow on purpose, against `entrada serve`: cut, while others are served."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_port, wait_until

ROOT = Path(__file__).resolve().parents[2]
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


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server that waits one second for a head."""
    folder, chosen = tmp_path_factory.mktemp("slow"), free_port()
    (folder / "quick.py").write_text(APPLICATION, "utf-8")
    command = [sys.executable, "-m", "entrada.cli", "serve", "quick:app", "--port", str(chosen), "--head-seconds", "1"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT / 'src'}"}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: answers(chosen))
        yield chosen
    finally:
        process.kill()
        process.wait()


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
