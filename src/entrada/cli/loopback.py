"""A door on this machine for one answer of the authority (RFC 8252 section 7.3): open while a command waits."""

import asyncio
import errno
import hmac
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from urllib.parse import parse_qsl, urlsplit

from entrada.errors import SettingsRefused, TransactionRefused
from entrada.flows.signing_in.callback import AuthorizationResponse
from entrada.well_known import LOOPBACK

LONGEST_HEAD = 64 * 1024  # bytes of a request's head: codes have up to 16 KiB, cookies of this host come too
HEAD_SECONDS = 5.0
MOST_PARAMETERS = 50
MOST_TRIES = 5  # to find a port that is free at both addresses
ADDRESSES = {"localhost": ("127.0.0.1", "::1"), "127.0.0.1": ("127.0.0.1",), "::1": ("::1",)}
DONE = "You are signed in", "You may close this window and go back to the command line."
FAILED = "The sign-in failed", "The command line says why. You may close this window."
NOT_OURS = "Nothing is here", "This address waits for the end of a sign-in that was begun at the command line."


class Loopback:
    """Waits for the answer with this `state`; whatever else comes is sent away."""

    def __init__(self, path: str, *, state: str) -> None:
        self._path = path or "/"
        self._state = state
        self._answer: asyncio.Future[AuthorizationResponse] = asyncio.get_running_loop().create_future()
        self.redirect_uri = ""

    async def answer(self, *, seconds: float) -> AuthorizationResponse:
        """Return what came; TransactionRefused when nothing has come in time."""
        try:
            return await asyncio.wait_for(asyncio.shield(self._answer), seconds)
        except TimeoutError:
            raise TransactionRefused(f"nobody came back from the sign-in within {seconds:.0f} seconds") from None

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        """Answer one connection."""
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            writer.write(self._reply(head.split(b"\r\n", 1)[0].decode("latin-1")))
            await writer.drain()
        except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a browser that only opened a connection ahead of time, or went away
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    def _reply(self, request_line: str) -> bytes:
        method, _, rest = request_line.partition(" ")
        target = rest.rpartition(" ")[0]
        path, _, query = target.partition("?")
        if method != "GET" or path != self._path:
            return _page(404, *NOT_OURS)
        try:
            found = AuthorizationResponse.parse(
                parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
            )
        except (TransactionRefused, ValueError):
            return _page(400, *NOT_OURS)
        if self._answer.done() or not hmac.compare_digest(found.state.encode(), self._state.encode()):
            return _page(400, *NOT_OURS)  # SEC-011: an answer to somebody else's sign-in
        self._answer.set_result(found)
        return _page(200, *(FAILED if found.error else DONE))


@asynccontextmanager
async def listening(redirect_uri: str, *, state: str) -> AsyncIterator[Loopback]:
    """Listen at a loopback address as long as the block lasts; without a port in it, a free one is taken."""
    host, port, path = _parts(redirect_uri)
    door = Loopback(path, state=state)
    servers = await _opened(door, host, port)
    try:
        taken = _port_of(servers[0])
        door.redirect_uri = f"http://{f'[{host}]' if ':' in host else host}:{taken}{path}"
        yield door
    finally:
        await _close(servers)


async def _opened(door: Loopback, host: str, port: int) -> list[asyncio.Server]:
    """Listen at every address of the host at one port; a free one is looked for again when only one address has it."""
    for _ in range(1 if port else MOST_TRIES):
        servers: list[asyncio.Server] = []
        try:
            for address in ADDRESSES[host]:
                wanted = _port_of(servers[0]) if servers else port
                with _absence_forgiven():
                    servers.append(await asyncio.start_server(door.serve, address, wanted, limit=LONGEST_HEAD))
        except OSError:
            await _close(servers)
            continue
        if servers:
            return servers
    raise SettingsRefused([f"--redirect-uri: {host}:{port or ''} cannot be listened at; is something else there?"])


@contextmanager
def _absence_forgiven() -> Iterator[None]:
    """Let a machine be without IPv6, or without IPv4."""
    try:
        yield
    except OSError as error:
        if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
            raise


async def _close(servers: list[asyncio.Server]) -> None:
    for server in servers:
        server.close()
        await server.wait_closed()


def _parts(redirect_uri: str) -> tuple[str, int, str]:
    """Return host, port (0 for a free one) and path; SettingsRefused for what no command can listen at."""
    try:
        parts = urlsplit(redirect_uri)
        host, port = parts.hostname or "", parts.port or 0
    except ValueError:
        host, port = "", 0
    if host not in LOOPBACK or parts.scheme != "http" or parts.query or parts.fragment or parts.username:
        raise SettingsRefused(["--redirect-uri: must be http on this machine, such as http://localhost"])
    return host, port, parts.path


def _port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


def _page(status: int, title: str, text: str) -> bytes:
    body = f'<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{text}</p></html>'
    head = (
        f"HTTP/1.1 {status} {'OK' if status == 200 else 'Refused'}",  # noqa: PLR2004
        "Content-Type: text/html; charset=utf-8",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join((*head, "", body)).encode()
