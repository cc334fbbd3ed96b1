"""Test aids for applications behind Entrada: an application and an emulated tenant in one process, and real clients.

    @pytest.fixture
    async def site(entra, tmp_path):
        async with running(create_app, tenant=entra, data_dir=tmp_path) as site:
            yield site

    async def test_mia_reads_her_orders(site):
        mia = await site.signed_in("mia@birch.example")
        assert (await mia.get("/orders")).status_code == 200

`entra` is the fixture of `entrada-emulator`. People sign in by its pages, tokens are of its making: no back door.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import httpx2
from fastapi import FastAPI

from entrada.app import Entrada
from entrada.settings import Settings

SCRIPT = {"accept": "application/json", "sec-fetch-site": "same-origin", "x-csrf": "1"}
"""What a script of the application's own pages sends: an unsafe request needs it (docs/security-model.md)."""
NOT_FOUND = httpx2.codes.NOT_FOUND


class Tenant(Protocol):
    """An emulated tenant in process; `entrada_emulator.pytest_plugin.Entra` is one."""

    @property
    def hosts(self) -> Mapping[str, Any]:
        """The ASGI applications that answer under the authority's host names."""

    def now(self) -> datetime:
        """Return the emulated time."""

    def settings(self) -> Mapping[str, str]:
        """Return tenant_id, client_id and client_secret of an application of the tenant."""

    async def sign_in(self, client: httpx2.AsyncClient, url: str, name: str) -> httpx2.Response:
        """Sign a person in by the tenant's pages, from this address on; return the answer that it ends with."""


class Hosts(httpx2.AsyncBaseTransport):
    """A network without sockets: host names that lead to ASGI applications; any other is an error of the network."""

    def __init__(self, hosts: Mapping[str, Any]) -> None:
        self._transports = {host: httpx2.ASGITransport(app=app) for host, app in hosts.items()}

    def add(self, host: str, app: Any) -> None:
        """Have an application answer under this name too."""
        self._transports[host] = httpx2.ASGITransport(app=app)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Hand the request to its host's application."""
        transport = self._transports.get(request.url.host)
        if transport is None:
            raise httpx2.ConnectError(f"no host {request.url.host} in this test", request=request)
        return await transport.handle_async_request(request)


class Site:
    """A running application; `entrada` and `hosts` are its parts, `app` is itself."""

    def __init__(self, app: FastAPI, entrada: Entrada, *, tenant: Tenant, hosts: Hosts, stack: AsyncExitStack) -> None:
        self.app = app
        self.entrada = entrada
        self.hosts = hosts
        self._tenant = tenant
        self._stack = stack

    async def stranger(self) -> httpx2.AsyncClient:
        """Return a client without a session, which calls as scripts of the application's own pages do."""
        client = httpx2.AsyncClient(transport=self.hosts, base_url=self.entrada.settings.base_url, headers=SCRIPT)
        return await self._stack.enter_async_context(client)

    async def signed_in(self, name: str) -> httpx2.AsyncClient:
        """Return the client of a person who has signed in by the tenant's pages; AssertionError when that fails."""
        client = await self.stranger()
        prefix = self.entrada.settings.prefix
        ended = await self._tenant.sign_in(client, f"{self.entrada.settings.base_url}{prefix}/login", name)
        if (await client.get(f"{prefix}/me")).status_code != httpx2.codes.OK:
            missing = "; build has to install the Entrada that it gets" if ended.status_code == NOT_FOUND else ""
            at = f"status {ended.status_code} at {_path(ended)}"
            raise AssertionError(f"{name} is not signed in; it ended with {at}{missing}")
        return client

    async def bearer(self, token: str) -> httpx2.AsyncClient:
        """Return a client that calls with this access token."""
        headers = {"accept": "application/json", "authorization": f"Bearer {token}"}
        client = httpx2.AsyncClient(transport=self.hosts, base_url=self.entrada.settings.base_url, headers=headers)
        return await self._stack.enter_async_context(client)


@asynccontextmanager
async def running(
    build: Callable[[Entrada], FastAPI], *, tenant: Tenant, data_dir: Path, **values: Any
) -> AsyncIterator[Site]:
    """Run the application that `build` makes around an Entrada, bound to the tenant and its clock.

    `values` are settings; what is not given comes from the environment, but for tenant, client and session store.
    Clients are closed at the end. SettingsRefused names every fault.
    """
    given = {**tenant.settings(), "data_dir": data_dir, "store": "memory:", **values}
    hosts = Hosts(tenant.hosts)
    entrada = Entrada(Settings.load(**given), clock=tenant.now, transport=hosts)
    app = build(entrada)
    if not isinstance(app, FastAPI):
        raise TypeError(
            "build returned no FastAPI application; it makes one, installs the Entrada that it gets, returns it"
        )
    for host in entrada.settings.served_hosts:
        hosts.add(host, app)
    async with app.router.lifespan_context(app), AsyncExitStack() as stack:
        yield Site(app, entrada, tenant=tenant, hosts=hosts, stack=stack)


def _path(answer: httpx2.Response) -> str:
    """Return an answer's address without its query, which may hold a code."""
    return str(answer.request.url.copy_with(query=None))
