"""REL-002, REL-004: the line to the authority fails in every way a line can; each call ends in time, and plainly."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from entrada.errors import AuthorityUnavailable
from entrada.provider.egress import Egress
from tests.faults.tcp_proxy import Fault, Proxy, proxy

BODY = b'{"name": "' + b"x" * 400 + b'"}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
TOTAL = 1.0  # seconds for a call here; ten in earnest


@pytest.fixture
async def line() -> AsyncIterator[Proxy]:
    """A line to a server that always answers well."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            while (await reader.readline()).strip():
                pass
            writer.write(ANSWER)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with proxy(server.sockets[0].getsockname()[1]) as running:
        yield running
    server.close()


@pytest.fixture
async def egress() -> AsyncIterator[Egress]:
    door = Egress(private_addresses_allowed=True, total_seconds=TOTAL)
    yield door
    await door.aclose()


def address(line: Proxy) -> str:
    return f"http://127.0.0.1:{line.port}/"


@pytest.mark.parametrize("fault", ["blackhole", "drop", "half_open", "truncate", "garbage"])
async def test_each_fault_ends_in_time(line: Proxy, egress: Egress, fault: Fault) -> None:
    """REL-002, REL-004: no answer that can be used is AuthorityUnavailable within the total, and then all is well."""
    line.fault = fault
    began = time.monotonic()
    with pytest.raises(AuthorityUnavailable):
        (await egress.get(address(line))).json_object()
    assert time.monotonic() - began < TOTAL + 1
    line.fault = "none"
    assert (await egress.get(address(line))).json_object()


async def test_a_slow_line_is_waited_for(line: Proxy, egress: Egress) -> None:
    """REL-002: slow is not gone, while it is within the total."""
    line.fault, line.seconds = "delay", 0.2
    assert (await egress.get(address(line))).json_object()


async def test_a_connection_that_died_while_it_was_kept(line: Proxy, egress: Egress) -> None:
    """REL-014: a pooled connection that was reset meanwhile is not the next call's trouble."""
    assert (await egress.get(address(line))).json_object()
    line.drop_all()
    await asyncio.sleep(0.05)
    assert (await egress.get(address(line))).json_object()
