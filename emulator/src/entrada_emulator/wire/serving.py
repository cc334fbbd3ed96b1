"""Serving: https for clients and http for people, two listeners of one process."""

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import uvicorn
from starlette.applications import Starlette

from entrada_emulator.app import create_app
from entrada_emulator.directory.world import World
from entrada_emulator.state import State
from entrada_emulator.wire.certificates import TlsFiles, tls_files, write_private
from entrada_emulator.wire.safety import RefusedToStart, refuse_microsoft_names, refuse_open_address

BACKLOG = 128
GRACE = 3  # seconds that open connections get to finish when the server stops


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to listen; port 0 takes a free one."""

    host: str = "127.0.0.1"
    name: str = "localhost"
    """The host name in every URL."""
    https_port: int = 0
    http_port: int = 0
    dangerously_bind_any_address: str | None = None
    """Why other machines may reach it; without a reason only loopback is bound."""


class Listener(uvicorn.Server):
    """A server that leaves signals to the process: two would each take them from the other."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Starts to listen and says so."""
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Lets running requests finish, then drops connections that clients keep open for nothing."""
        with anyio.move_on_after(GRACE):
            await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        for connection in self.server_state.connections:
            if connection.transport is not None:
                connection.transport.abort()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leaves signals alone."""
        yield


@dataclass(frozen=True, slots=True)
class Service:
    """An emulator with its sockets bound, ready to run."""

    app: Starlette
    public_origin: str
    pages_origin: str
    files: TlsFiles
    control_key_file: Path
    servers: tuple[tuple[Listener, socket.socket], ...]

    async def run(self, *, on_ready: Callable[[], None], stop: asyncio.Event) -> None:
        """Serves until `stop` is set, then finishes cleanly. `on_ready` is called once both listeners answer."""
        running = [asyncio.create_task(server.serve(sockets=[bound])) for server, bound in self.servers]
        await asyncio.gather(*(server.listening.wait() for server, _ in self.servers))
        on_ready()
        await stop.wait()
        for server, _ in self.servers:
            server.should_exit = True
        await asyncio.gather(*running)


def prepare(world: World, *, address: Address, data_dir: Path, state: State | None = None) -> Service:
    """Binds both ports and makes the certificate and the application for them.

    Raises `RefusedToStart` for an address that others can reach, a name of Microsoft's, or production.
    """
    refuse_open_address(address.host, allowed=bool(address.dangerously_bind_any_address))
    refuse_microsoft_names(f"https://{address.name}")
    secure, plain = _bound(address.host, address.https_port), _bound(address.host, address.http_port)
    public, pages = f"https://{address.name}:{_port(secure)}", f"http://{address.name}:{_port(plain)}"
    app = create_app(world, state=state, public_origin=public, pages_origin=pages)
    files = tls_files(data_dir, name=address.name)
    control_key_file = data_dir / "control-key"
    write_private(control_key_file, app.state.emulator.state.control_key.encode())
    servers = ((_server(app, files), secure), (_server(app, None), plain))
    origins = app.state.emulator.origins
    return Service(app, origins.login, origins.pages, files, control_key_file, servers)


async def serve_until_signalled(service: Service, *, on_ready: Callable[[], None]) -> None:
    """Serves until SIGINT or SIGTERM."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await service.run(on_ready=on_ready, stop=stop)


def _server(app: Starlette, files: TlsFiles | None) -> Listener:
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        ssl_certfile=files.certificate if files else None,
        ssl_keyfile=files.key if files else None,
    )
    config.load()  # a broken certificate must be told now, not in a background task
    return Listener(config)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise RefusedToStart(
            f"{host} port {port}: {error.strerror}; choose another by --https-port or --http-port; 0 takes a free one"
        ) from None
    bound.listen(BACKLOG)
    return bound


def _port(bound: socket.socket) -> int:
    port: int = bound.getsockname()[1]
    return port
