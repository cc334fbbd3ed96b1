"""Every guard of ours in one function, as short as Python has it: what could be had by giving everything else up.

It has no settings, proxies, sessions, bodies, WebSockets, reasons for a refusal, nor anything that could be read or
tested by itself. It tells what our way of writing costs, and what no way of writing can give.
"""

import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from random import Random
from typing import Any

from fastapi import FastAPI, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.bearer import MORE_THAN_ARE_REMEMBERED, Authority, callers
from bench.bearer_parts import opened_verifier
from bench.contender import PATH, Prepared
from bench.floors import HEADERS, remembered, verified
from bench.signed_in import PERSON
from entrada.provider.egress import Egress

Check = Callable[[bytes], Awaitable[Any]]

HARMLESS = {b"host", b"accept", b"accept-encoding", b"authorization", b"connection", b"cookie", b"user-agent"}
OWN, OWN_TREES = frozenset({"/api/auth/login"}), ("/entrada/", "/admin/", "/api/admin/")
HOSTS = (b"localhost:", b"127.0.0.1:")
MOST_BYTES, MOST_LINES, MOST_REQUESTS = 32 * 1024, 128, 1_000_000_000
BY_KIND = {b"application/json": HEADERS[:-1]}

numbers = Random()
correlation_id = ContextVar("correlation_id", default="")


async def warm(_folder: str) -> Prepared:
    """Prepare a token that is found again."""
    find = remembered()

    async def check(header: bytes) -> None:
        find(header)

    return Prepared(_application(check), callers(1))


async def cold(_folder: str) -> Prepared:
    """Prepare tokens of which each has its signature checked each time, and nothing else."""
    believe = verified()

    async def check(header: bytes) -> None:
        believe(header)

    return Prepared(_application(check), callers(MORE_THAN_ARE_REMEMBERED))


async def strict(_folder: str) -> Prepared:
    """Prepare tokens of which each is verified each time by ours; nobody is made of its claims, none is remembered."""
    egress = Egress(transport=Authority(), private_addresses_allowed=False)
    verifier = opened_verifier(egress)

    async def check(header: bytes) -> None:
        await verifier.verify(header[7:].decode("ascii"))

    return Prepared(_application(check), callers(MORE_THAN_ARE_REMEMBERED), egress.aclose)


def _application(check: Check) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(PATH)
    async def hello(request: Request) -> dict[str, str]:
        return {"hello": request.scope["user"].name}

    app.add_middleware(_Flat, check=check)
    return app


class _Flat:
    """Host, sizes, identity headers, credentials, limit, number, method, path; and the answer's headers."""

    def __init__(self, app: ASGIApp, check: Check) -> None:
        self.app = app
        self.check = check
        self.left = MOST_REQUESTS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        lines, path = scope["headers"], scope["path"]
        headers = dict(lines)
        if (
            len(headers) != len(lines)
            or not HARMLESS.issuperset(headers)
            or len(scope["query_string"]) + len(path) > MOST_BYTES
            or len(lines) > MOST_LINES
            or len(b"".join(headers.values())) > MOST_BYTES
            or not headers[b"host"].startswith(HOSTS)
            or headers[b"authorization"][:7].lower() != b"bearer "
            or b"cookie" in headers
            or scope["method"] not in {"GET", "HEAD"}
            or b"content-length" in headers
            or b"transfer-encoding" in headers
            or path in OWN
            or path.startswith(OWN_TREES)
        ):
            raise ValueError
        await self.check(headers[b"authorization"])
        self.left -= 1
        if self.left < 0 or time.time() < 0:  # the clock is asked for the token's end
            raise ValueError
        number = numbers.randbytes(16).hex()
        correlation_id.set(number)
        scope["user"] = PERSON

        def complete_and_send(message: Message) -> Awaitable[None]:
            if message["type"] == "http.response.start":
                given = message["headers"]
                kind = next(value for name, value in given if name == b"content-type")
                message["headers"] = [*given, *BY_KIND[kind], (b"x-correlation-id", number.encode())]
            return send(message)

        await self.app(scope, receive, complete_and_send)
