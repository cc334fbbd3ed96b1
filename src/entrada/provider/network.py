"""The way out to the network: TLS always checked, and the address checked that is really connected to.

The check is on the address that a name resolved to, at the moment of connecting, so a name that answers differently
the second time gains nothing (SEC-068).
"""

import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import anyio
import httpcore2
import httpx2

CONNECTIONS = 50  # in all; each host has its own cap in `egress`
IDLE_SECONDS = 30.0  # for which a connection that nobody uses is kept; authorities and large APIs keep theirs longer
KEEP_ALIVE: tuple[httpcore2.SOCKET_OPTION, ...] = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    *(
        (socket.IPPROTO_TCP, number, value)
        for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 20), ("TCP_KEEPCNT", 3))  # seconds, and probes
        if (number := getattr(socket, name, None)) is not None
    ),
)
"""A host that vanishes without a word is missed after two minutes, also where an answer may be silent for longer."""


def trusted_certificates(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a TLS context that trusts the system's authorities and, in addition, those of `ca_file` (SEC-024)."""
    context = httpx2.create_ssl_context(trust_env=True)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(cafile=ca_file)
    return context


@dataclass(frozen=True, slots=True)
class Reach:
    """Which addresses may be called: public ones, and all private ones or those of named networks."""

    private_addresses_allowed: bool
    private_networks: tuple[str, ...] = ()

    def allows(self, address: str) -> bool:
        """Tell whether this IP address may be called; a link-local one (cloud metadata) never may (SEC-068)."""
        parsed = ip_address(address.partition("%")[0])
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        if parsed.is_link_local or parsed.is_multicast or parsed.is_unspecified:
            return False
        if self.private_addresses_allowed or parsed.is_global:
            return True
        return any(parsed in ip_network(network) for network in self.private_networks)


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to allowed addresses only."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Resolve the host and connect to the first of its allowed addresses that answers."""
        failure: Exception = httpcore2.ConnectError("no allowed address")
        for address in await allowed_addresses(host, port, self._reach):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure


async def allowed_addresses(host: str, port: int, reach: Reach) -> list[str]:
    """Return the addresses of a host that may be called; httpcore2's ConnectError when its name has none at all."""
    try:
        found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore2.ConnectError("the name does not resolve") from error
    addresses = dict.fromkeys(str(address[0]) for *_, address in found)
    return [address for address in addresses if reach.allows(address)]


@contextmanager
def _in_words_of_httpx(request: httpx2.Request) -> Iterator[None]:
    """Raise httpx2's error in place of httpcore2's of the same name: callers of a client know no others."""
    try:
        yield
    except (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError) as error:
        kind: type[httpx2.TransportError] = getattr(httpx2, type(error).__name__)
        raise kind(str(error), request=request) from error


class _Stream(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response, request: httpx2.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _in_words_of_httpx(self._request):
            async for chunk in self._response.aiter_stream():
                yield chunk

    async def aclose(self) -> None:
        await self._response.aclose()


class NetworkTransport(httpx2.AsyncBaseTransport):
    """httpx2's transport over httpcore2, with the address check."""

    def __init__(
        self,
        *,
        trust: ssl.SSLContext,
        private_addresses_allowed: bool,
        private_networks: Sequence[str] = (),
        connections: int = CONNECTIONS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        """Trust whom the context of `trusted_certificates` does: one serves several, for it takes long to make."""
        reach = Reach(private_addresses_allowed, private_networks=tuple(private_networks))
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=connections,
            keepalive_expiry=idle_seconds,
            socket_options=KEEP_ALIVE,
            network_backend=CheckedBackend(reach),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        url = request.url
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _in_words_of_httpx(request):
            answer = await self._pool.handle_async_request(sent)
        stream = _Stream(answer, request)
        return httpx2.Response(answer.status, headers=answer.headers, stream=stream, extensions=answer.extensions)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._pool.aclose()
