"""REL-002, REL-004: the line to the authority fails in every way a line can; each call ends in time, and plainly."""

import asyncio
import os
import time
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from entrada.errors import AuthorityUnavailable
from entrada.provider.egress import Egress
from tests.faults.invariants import Held
from tests.faults.tcp_proxy import Fault, Proxy, proxy

BODY = b'{"name": "' + b"x" * 400 + b'"}'
ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY) + BODY
TOTAL = 1.0  # seconds for a call here; ten in earnest
BUSY = 5.0  # seconds more, on a machine that runs other tests


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
    assert time.monotonic() - began < TOTAL + BUSY
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


async def drip(writer: asyncio.StreamWriter) -> None:
    for byte in ANSWER:
        if writer.is_closing():
            return
        writer.write(bytes((byte,)))
        await asyncio.sleep(0.2)


async def old(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + BODY)


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 104857600\r\n\r\n")
    for _ in range(1600):
        writer.write(b" " * 65536)
        await writer.drain()


async def early(writer: asyncio.StreamWriter) -> None:
    writer.write(ANSWER[:-50])


async def no_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"220 mail.example ESMTP\r\n")


async def many_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n" + b"x-more: " + b"y" * 60_000 + b"\r\n")
    for _ in range(200):
        writer.write(b"x-more: " + b"y" * 60_000 + b"\r\n")
        await writer.drain()


async def silent(writer: asyncio.StreamWriter) -> None:
    while not writer.is_closing():
        await asyncio.sleep(0.02)


@asynccontextmanager
async def server(behave: Callable[[asyncio.StreamWriter], Awaitable[None]]) -> AsyncIterator[tuple[str, list[int]]]:
    """Run a server that behaves so, once on each connection; the list says how many are open, and were at most."""
    counts, serving = [0, 0], dict[asyncio.StreamWriter, asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            serving[writer] = task
        counts[0] += 1
        counts[1] = max(counts)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await behave(writer)
                writer.close()
                await writer.wait_closed()
        finally:
            counts[0] -= 1
            writer.transport.abort()

    running = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}/", counts
    running.close()
    for writer in serving:
        writer.transport.abort()
    await asyncio.gather(*serving.values())


@pytest.mark.parametrize("behave", [drip, endless, early, no_http, many_headers, silent])
async def test_answers_that_no_server_should_give(
    egress: Egress, behave: Callable[[asyncio.StreamWriter], Awaitable[None]]
) -> None:
    """REL-002, REL-004: a byte now and then, 100 MiB, cut short, no HTTP, endless headers: refused in time and flat."""
    async with server(behave) as (url, _):
        tracemalloc.start()
        began = time.monotonic()
        with pytest.raises(AuthorityUnavailable):
            await egress.get(url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert time.monotonic() - began < TOTAL + BUSY
        assert peak < 16 * 1024 * 1024


async def test_an_old_server_is_understood(egress: Egress) -> None:
    """REL-004: HTTP/1.0, which ends its answer by closing, is read like any other."""
    async with server(old) as (url, _):
        assert (await egress.get(url)).json_object() == {"name": "x" * 400}


async def test_connections_to_a_silent_server_are_bounded(egress: Egress) -> None:
    """REL-002, I5: a hundred calls at once open twenty connections, end in time, leave nothing; others are called."""
    async with server(old) as (well, _):
        assert (await egress.get(well)).status == 200
    before, tasks = Held.by(os.getpid()), len(asyncio.all_tasks())
    async with server(silent) as (url, counts), server(old) as (well, _):
        began = time.monotonic()
        calls = [asyncio.create_task(egress.get(url)) for _ in range(100)]
        while counts[0] < 20 and not all(call.done() for call in calls):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # in which no more come
        assert counts == [20, 20]
        assert (await egress.get(well)).status == 200
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {AuthorityUnavailable}
        assert time.monotonic() - began < TOTAL + BUSY
    await asyncio.sleep(0.1)
    Held.by(os.getpid()).assert_no_more_than(before)  # asyncio keeps a few threads that look names up
    assert len(asyncio.all_tasks()) <= tasks
