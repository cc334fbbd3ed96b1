"""What is measured: an application with one protected JSON endpoint, and the headers of somebody who may call it."""

import importlib
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fastapi import FastAPI

PATH = "/hello"
BASE = "bare FastAPI"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An application ready to be called, and the header lines of its signed-in callers, who call in turn."""

    app: FastAPI
    callers: list[dict[str, str]] = field(default_factory=lambda: [{}])
    close: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True, slots=True)
class Contender:
    """One row of the tables; `build` is `module:function`, imported only in the process that measures it."""

    name: str
    build: str
    needs: str | None = None
    """A server that must be found on the machine, such as redis-server."""

    @property
    def possible(self) -> bool:
        """Whether what it needs is here."""
        return self.needs is None or shutil.which(self.needs) is not None

    async def prepare(self, folder: str) -> Prepared:
        """Build the application in a folder of its own and sign somebody in."""
        module, _, function = self.build.partition(":")
        prepared: Prepared = await getattr(importlib.import_module(module), function)(folder)
        return prepared


CONTENDERS = (
    Contender(BASE, "bench.bare:build"),
    Contender("bare FastAPI, a dependency that returns a constant", "bench.bare:with_dependency"),
    Contender("Entrada, session in memory", "bench.ours:in_memory"),
    Contender("Entrada, session in memory, asked in the function", "bench.ours:in_memory_inside"),
    Contender("Entrada, 1 000 sessions on SQLite", "bench.ours:on_sqlite"),
    Contender("Entrada, the same, asked in the function", "bench.ours:on_sqlite_inside"),
    Contender("Entrada, 1 000 000 sessions on SQLite", "bench.ours:on_large_sqlite"),
    Contender("Entrada, 1 000 sessions on Redis", "bench.ours:on_redis", needs="redis-server"),
    Contender("Entrada, bearer token remembered (warm)", "bench.bearer:warm"),
    Contender("Entrada, bearer token remembered, asked in the function", "bench.bearer:warm_inside"),
    Contender("Entrada, bearer token verified each time (cold)", "bench.bearer:cold"),
    Contender("Entrada, bearer token verified each time, asked in the function", "bench.bearer:cold_inside"),
    Contender("no check at all: dependency, headers, keyed hash of the token", "bench.floors:warm"),
    Contender("no check but the bare signature: dependency, headers", "bench.floors:cold"),
    Contender("no check at all: keyed hash of the token in one ASGI layer", "bench.floors:one_layer"),
    Contender("no check but the bare signature in one ASGI layer", "bench.floors:one_layer_cold"),
    Contender("all guards in one flat function, token remembered", "bench.flat:warm"),
    Contender("all guards in one flat function, the bare signature", "bench.flat:cold"),
    Contender("all guards in one flat function, token verified by ours", "bench.flat:strict"),
    Contender("a hand-written PyJWT dependency", "bench.bearer:pyjwt"),
    Contender("fastapi-azure-auth", "bench.bearer:azure_auth"),
    Contender("SessionMiddleware alone (signed cookie)", "bench.peers:signed_cookie"),
    Contender("starsessions, memory", "bench.peers:starsessions_memory"),
    Contender("starsessions, Redis", "bench.peers:starsessions_redis", needs="redis-server"),
    Contender("axmp-oidc-bff-provider, memory", "bench.peers:axmp_memory"),
    Contender("the documents' stack", "bench.peers:documents_stack"),
)
