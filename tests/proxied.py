"""A portal that passes requests on, and the API behind it: both served by uvicorn on ports of this machine."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import uvicorn
from entrada_emulator.directory import seeds
from entrada_emulator.pytest_plugin import Entra
from fastapi import FastAPI

from entrada import proxy
from entrada.provider.network import NetworkTransport, trusted_certificates
from tests.front_door import BASE, SESSION, FrontDoor, routes, running
from tests.internet import Internet

SCOPE = f"api://{seeds.API}/Orders.Read"
HOST = BASE.partition("://")[2]
PATIENCE = 30.0
FROM_PAGE = {"sec-fetch-site": "same-origin", "x-csrf": "1"}
Answers = Callable[[Any, Any, Any], Awaitable[None]]


class Ways(httpx2.AsyncBaseTransport):
    """The way out of the application: the authority in process, this machine by its real network."""

    def __init__(self, entra: Entra, ca_file: Path | None = None) -> None:
        self.internet = Internet({"login.microsoftonline.com": entra.app, "graph.microsoft.com": entra.app})
        self.network = NetworkTransport(trust=trusted_certificates(ca_file), private_addresses_allowed=True)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        way = self.network if request.url.host in {"127.0.0.1", "localhost"} else self.internet
        return await way.handle_async_request(request)

    async def aclose(self) -> None:
        await self.network.aclose()


@dataclass(slots=True)
class Seen:
    """What came to the API."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = field(default=b"", repr=False)

    def values(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each == name]


class Api:
    """The API behind: it notes what comes and tells it, or answers by `answer`, which gets what ASGI gives."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Answers | None = None
        self.websocket: Answers | None = None
        self.gone = asyncio.Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        target = scope["raw_path"].decode("latin-1") + (f"?{q.decode()}" if (q := scope["query_string"]) else "")
        lines = [(name.decode(), value.decode("latin-1")) for name, value in scope["headers"]]
        seen = Seen(scope.get("method", "WEBSOCKET"), target, lines)
        self.seen.append(seen)
        if scope["type"] == "websocket":
            assert self.websocket
            await self.websocket(scope, receive, send)
        elif self.answer:
            await self.answer(scope, receive, send)
        else:
            seen.body = await whole(receive)
            told = {"method": seen.method, "target": target, "length": len(seen.body)}
            await respond(send, json.dumps(told).encode(), ("content-type", "application/json"))

    @contextmanager
    def answering(self, answer: Answers) -> Iterator[None]:
        """Answer so for a while."""
        self.answer = answer
        try:
            yield
        finally:
            self.answer = None


async def whole(receive: Any) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError("the body broke off")
        body, more = body + message.get("body", b""), message.get("more_body", False)
    return body


async def respond(send: Any, body: bytes, *lines: tuple[str, str], status: int = 200) -> None:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Server(uvicorn.Server):
    """Leaves the signals of the process alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def served(app: Any, **options: Any) -> AsyncIterator[int]:
    """Serve an application in this loop; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(
            app,
            log_config=None,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            **options,
        )
        server = Server(config)
        task = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:
            await asyncio.sleep(0.01)
        yield listening.getsockname()[1]
        server.should_exit = True
        await task


@dataclass(slots=True)
class Site:
    """A portal in front of an API, and somebody who is signed in."""

    door: FrontDoor
    api: Api
    api_port: int
    port: int
    session: str = field(repr=False)

    def client(self, *, session: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Return who calls the portal: with the session, as a script of its page does."""
        own = {
            "host": HOST,
            "cookie": f"{SESSION}={session or self.session}",
            "accept": "application/json",
            **FROM_PAGE,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        return httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", headers=own, timeout=PATIENCE, trust_env=False
        )

    async def raw(self, *lines: str, body: bytes = b"", session: bool = True) -> tuple[str, dict[str, str], bytes]:
        """Send a request as it is written, and return the status line, headers and rest of what comes back."""
        cookie = [f"Cookie: {SESSION}={self.session}"] if session else []
        head = [lines[0], f"Host: {HOST}", *cookie, "X-CSRF: 1", "Sec-Fetch-Site: same-origin", *lines[1:]]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write("\r\n".join([*head, "Connection: close", "", ""]).encode("latin-1") + body)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        writer.close()
        start, _, rest = answer.partition(b"\r\n\r\n")
        status, *said = start.decode("latin-1").split("\r\n")
        return status, {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in said)}, rest


Build = Callable[[FastAPI, str], None]


def one_api(app: FastAPI, to: str) -> None:
    """Pass everything at /api/orders on."""
    proxy(app, "/api/orders", to=f"{to}/v1", scopes=[SCOPE])


@asynccontextmanager
async def fronted(
    entra: Entra,
    data_dir: Path,
    build: Build = one_api,
    *,
    signed_in: bool = True,
    certificate: Path | None = None,
    **values: Any,
) -> AsyncIterator[Site]:
    """Run the portal and the API, with Mia signed in; `build` is told where the API is.

    With a `certificate`, which has its key beside it, the API is served over TLS under the name localhost.
    """
    api = Api()
    async with served(api, ssl_certfile=certificate) as api_port:
        to = f"https://localhost:{api_port}" if certificate else f"http://127.0.0.1:{api_port}"

        def with_routes(app: FastAPI) -> None:
            routes(app)
            build(app, to)

        options, given = {"transport": Ways(entra, values.get("ca_file"))}, {"scopes": (SCOPE,), **values}
        async with (
            running(entra, data_dir, build=with_routes, options=options, **given) as door,
            served(door.app) as port,
        ):
            entra.consent(entra.user(), scopes=(SCOPE,))
            yield Site(door, api, api_port, port, await door.admitted() if signed_in else "nobody")
