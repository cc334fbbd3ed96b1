"""The way to the APIs that the application calls: one pool of connections for all its clients.

What is proxied goes by a pool for each upstream: answers may last for hours, and a slow one holds up no other.
"""

from collections.abc import Callable

import httpx2

from entrada import tracing

GRAPH = "https://graph.microsoft.com"


Another = Callable[[], httpx2.AsyncBaseTransport]
"""Makes a transport with a pool of its own."""


class Outbound(httpx2.AsyncBaseTransport):
    """One pool of connections shared by every client; a client that is closed leaves it open."""

    def __init__(self, transport: httpx2.AsyncBaseTransport, *, graph_url: str, another: "Another") -> None:
        self._transport = transport
        self._graph_url = graph_url
        self._another = another
        self._apart: dict[str, Outbound] = {}

    def apart(self, name: str) -> "Outbound":
        """Return the way of this name, which shares no connection with the others; it is closed with this one."""
        if name not in self._apart:
            self._apart[name] = Outbound(self._another(), graph_url=self._graph_url, another=self._another)
        return self._apart[name]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send by the shared pool; who gets the token goes on with the trace, if there is one."""
        with tracing.span(f"{request.method} API", kind="client", server__address=_host(request)) as made:
            if made is None:
                return await self._transport.handle_async_request(request)
            if "authorization" in request.headers:
                tracing.hand_on(request.headers)
            answer = await self._transport.handle_async_request(request)
            made.set_attribute("http.response.status_code", answer.status_code)
            return answer

    async def close_pool(self) -> None:
        """Close the connections, when the application stops."""
        for way in (*self._apart.values(),):
            await way.close_pool()
        await self._transport.aclose()

    def address(self, base: str) -> str:
        """Return where an API is: Microsoft Graph's public address stands for the one in the settings."""
        if base == GRAPH or base.startswith(f"{GRAPH}/"):
            return self._graph_url + base.removeprefix(GRAPH)
        return base


def _host(call: httpx2.Request) -> str:
    return call.url.host
