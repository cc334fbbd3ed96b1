"""What passing a request on costs: `proxy` beside the same written by hand, with a token and without one.

The portal has a process and a core of its own, with the emulated tenant in it; whoever calls, and the API that answers
at once with a kilobyte, share the other. All rows are of one process, called by turns.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from itertools import repeat
from pathlib import Path
from typing import Annotated

import httpx2
import uvloop
from entrada_emulator.pytest_plugin import new_entra
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from bench.load import call
from bench.over_http import TURNS, cpu_seconds
from bench.table import show
from entrada import ApiClient, CurrentUser, api_client, proxy
from tests.front_door import SESSION, running
from tests.proxied import HOST, SCOPE, Ways, served

SECONDS = 0.5
BODY = b"x" * 1024
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
ROWS = {
    "/session": "no API: who is signed in (CurrentUser)",
    "/bare/7": "by hand, without sign-in: httpx2 and StreamingResponse",
    "/hand/7": "by hand: api_client and StreamingResponse",
    "/api/orders/7": "proxy",
}


class Api(asyncio.Protocol):
    """Answers whatever comes at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if data.endswith(b"\r\n\r\n"):
            self._transport.write(ANSWER)  # type: ignore[attr-defined]  # create_server gives a Transport


def portal(app: FastAPI, to: str) -> None:
    """Add each way to the API."""
    proxy(app, "/api/orders", to=to, scopes=[SCOPE])
    pool = httpx2.AsyncClient(base_url=to, trust_env=False)

    async def streamed(client: httpx2.AsyncClient, rest: str, request: Request) -> StreamingResponse:
        kept = [line for line in request.headers.raw if line[0] not in {b"host", b"cookie"}]
        got = await client.send(client.build_request("GET", f"/{rest}", headers=kept), stream=True)
        return StreamingResponse(got.aiter_raw(), got.status_code, headers=dict(got.headers))

    @app.get("/session")
    async def session(user: CurrentUser) -> dict[str, str]:
        return {"hello": user.name}

    @app.get("/bare/{rest:path}")
    async def bare(rest: str, request: Request) -> StreamingResponse:
        return await streamed(pool, rest, request)

    @app.get("/hand/{rest:path}")
    async def hand(
        rest: str, request: Request, client: Annotated[ApiClient, api_client(to, SCOPE)]
    ) -> StreamingResponse:
        return await streamed(client, rest, request)


async def serve(api_port: int, folder: Path) -> None:
    """Serve the portal until the input ends; print its port and a session."""
    entra, ended = new_entra(), asyncio.Event()
    entra.consent(entra.user(), scopes=(SCOPE,))
    async with AsyncExitStack() as stack:
        given = {"options": {"transport": Ways(entra)}, "scopes": (SCOPE,), "limits": False, "store": "sqlite:"}
        build = lambda app: portal(app, f"http://127.0.0.1:{api_port}")  # noqa: E731
        door = await stack.enter_async_context(running(entra, folder, build=build, **given))
        port = await stack.enter_async_context(served(door.app, http="httptools"))
        print(json.dumps({"port": port, "session": await door.admitted()}), flush=True)
        loop = asyncio.get_running_loop()
        threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(ended.set)), daemon=True).start()
        await ended.wait()


@contextmanager
def api() -> Iterator[int]:
    """Run the API in a thread; gives its port."""
    loop = uvloop.new_event_loop()
    server = loop.run_until_complete(loop.create_server(Api, "127.0.0.1", 0))
    threading.Thread(target=loop.run_forever, daemon=True).start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)


def measure() -> None:
    """Print the table."""
    with api() as api_port, tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.passing_on", str(api_port), folder]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            told = json.loads(process.stdout.readline() if process.stdout else "")
            head = f"host: {HOST}\r\ncookie: {SESSION}={told['session']}\r\naccept: application/json\r\n\r\n"
            asked = {path: f"GET {path} HTTP/1.1\r\n{head}".encode() for path in ROWS}
            rates, costs = {path: [] for path in ROWS}, {path: [] for path in ROWS}
            for turn in range(TURNS + 1):
                for path in ROWS:
                    before = cpu_seconds(process.pid)
                    run = uvloop.run(call(told["port"], repeat(asked[path]), seconds=SECONDS))
                    if turn:  # the first warms it
                        rates[path].append(run.rate)
                        costs[path].append((cpu_seconds(process.pid) - before) / run.requests * 1e6)
            process.stdin.close() if process.stdin else None
    base = statistics.median(rates["/hand/7"])
    rows = [
        (said, f"{statistics.median(rates[path]):,.0f}", f"{statistics.median(rates[path]) / base:.2f}",
         f"{statistics.median(costs[path]):,.0f}")
        for path, said in ROWS.items()
    ]  # fmt: skip
    heads = ("what is asked", "requests/s", "of api_client by hand", "CPU µs")
    show(f"A kilobyte from another API (uvicorn, uvloop, httptools; one process; {TURNS} turns)", heads, rows)


if __name__ == "__main__":
    if hasattr(os, "sched_setaffinity") and len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2])))
