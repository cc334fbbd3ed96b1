"""The ASGI application called without sockets: processor time a request, as a multiple of bare FastAPI's.

This repeats within a few per cent and is the figure to steer by.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from itertools import cycle, islice
from typing import Any

from starlette.types import Message

from bench.contender import BASE, CONTENDERS, PATH, Prepared
from bench.sizes import size
from bench.table import show

CALLS, ROUNDS = size((300, 35), (3, 1))  # short rounds in turn: what else the machine does then falls on all alike


async def _receive() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


def _scope(headers: dict[str, str]) -> dict[str, Any]:
    lines = [(b"host", b"localhost:8000"), (b"accept", b"application/json")]
    lines += [(name.encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": PATH,
        "raw_path": PATH.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": lines,
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }


async def _round(prepared: Prepared, callers: Iterator[dict[str, str]]) -> float:
    """Return the microseconds of processor time that one call takes."""
    statuses: set[int] = set()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.add(message["status"])

    started = time.process_time()
    for caller in islice(callers, CALLS):
        await prepared.app(_scope(caller), _receive, send)
    spent = time.process_time() - started
    if statuses != {200}:
        raise RuntimeError(f"answered {sorted(statuses)}")
    return spent / CALLS * 1e6


async def _all() -> dict[str, list[float]]:
    seen: dict[str, list[float]] = {}
    ready: dict[str, tuple[Prepared, Iterator[dict[str, str]]]] = {}
    async with AsyncExitStack() as stack:
        parent = stack.enter_context(tempfile.TemporaryDirectory())
        for contender in filter(lambda each: each.possible, CONTENDERS):
            print(f"  preparing: {contender.name} …", file=sys.stderr)
            prepared = await contender.prepare(tempfile.mkdtemp(dir=parent))
            ready[contender.name] = prepared, cycle(prepared.callers)
            if prepared.close:
                stack.push_async_callback(prepared.close)
            await stack.enter_async_context(prepared.app.router.lifespan_context(prepared.app))
        for number in range(ROUNDS):
            if number % 5 == 0:
                print(f"  round {number + 1} of {ROUNDS} …", file=sys.stderr)
            for name, (prepared, callers) in ready.items():
                seen.setdefault(name, []).append(await _round(prepared, callers))
    return seen


def measure() -> None:
    """Print the table."""
    times = {name: statistics.median(rounds) for name, rounds in asyncio.run(_all()).items()}
    show(
        "The ASGI application without sockets (processor time; median of rounds)",
        ("stack", "µs a request", "of base"),
        [(name, f"{spent:.0f}", f"{spent / times[BASE]:.2f}") for name, spent in times.items()],
    )
