"""An internet without sockets: host names that lead to ASGI applications, and nothing else.

`Internet({"login.microsoftonline.com": authority})` is a transport for httpx2 clients. Any other host is an error that
looks like a network's. Answers stream, so that limits on size are met while the answer is still being made.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

Message = MutableMapping[str, Any]
Application = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]


class Internet(httpx2.AsyncBaseTransport):
    """Hosts by name (`host` or `host:port`); `calls` lists each request's method and address, oldest first."""

    def __init__(self, hosts: MutableMapping[str, Application]) -> None:
        self.hosts = hosts
        self.calls: list[tuple[str, str]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Hand the request to its host's application and return the answer as it is being made."""
        self.calls.append((request.method, str(request.url)))
        app = self.hosts.get(request.url.netloc.decode()) or self.hosts.get(request.url.host)
        if app is None:
            raise httpx2.ConnectError(f"no host {request.url.host} in this internet", request=request)
        exchange = _Exchange(app, request)
        return await exchange.start()


class _Exchange(httpx2.AsyncByteStream):
    """One request on its way through one application."""

    def __init__(self, app: Application, request: httpx2.Request) -> None:
        self._app = app
        self._request = request
        self._answers: asyncio.Queue[Message | None] = asyncio.Queue(1)
        self._gone = asyncio.Event()
        self._received = False
        self._failure: BaseException | None = None

    async def start(self) -> httpx2.Response:
        self._body = await self._request.aread()
        self._task = asyncio.get_running_loop().create_task(self._run())
        try:
            message = await self._next()
        except BaseException:
            await self.aclose()
            raise
        return httpx2.Response(message["status"], headers=message.get("headers", []), stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        more = True
        while more:
            message = await self._next()
            more = message.get("more_body", False)
            yield message.get("body", b"")
        self._gone.set()
        await asyncio.wait({self._task})

    async def aclose(self) -> None:
        self._gone.set()
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _next(self) -> Message:
        message = await self._answers.get()
        if message is not None:
            return message
        if self._failure:
            raise self._failure
        raise httpx2.RemoteProtocolError("the application ended its answer early", request=self._request)

    async def _run(self) -> None:
        try:
            await self._app(self._scope(), self._receive, self._answers.put)
        except Exception as failure:
            self._failure = failure
        await self._answers.put(None)

    async def _receive(self) -> Message:
        if self._received:
            await self._gone.wait()
            return {"type": "http.disconnect"}
        self._received = True
        return {"type": "http.request", "body": self._body, "more_body": False}

    def _scope(self) -> MutableMapping[str, Any]:
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port or (443 if url.scheme == "https" else 80)),
            "client": ("127.0.0.1", 50000),
            "root_path": "",
        }
