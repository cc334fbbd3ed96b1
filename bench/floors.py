"""What a bearer token costs at the very least: no check and no guard, only what no stack like ours can do without.

That is FastAPI's own price of a dependency, a server's of the six headers that our answers carry, and the keyed hash by
which a token is found again; for a token that is verified each time, the bare signature check beside it.

`one_layer` and `one_layer_cold` go without the dependency and the headers too: an endpoint that asks nobody, behind one
ASGI layer that puts into the scope what it found.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from typing import Annotated

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from fastapi import Depends, FastAPI
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.bearer import MORE_THAN_ARE_REMEMBERED, callers, signing_key
from bench.contender import PATH, Prepared
from bench.signed_in import PERSON
from entrada import User

HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"frame-ancestors 'none'"),
    (b"x-correlation-id", b"0" * 32),
]
"""As ours send them with JSON over http; see tests/golden/headers.txt."""


async def warm(_folder: str) -> Prepared:
    """Prepare a token that is found again."""
    return Prepared(_application(remembered()), callers(1))


async def cold(_folder: str) -> Prepared:
    """Prepare tokens of which each has its signature checked each time, and nothing else."""
    return Prepared(_application(verified()), callers(MORE_THAN_ARE_REMEMBERED))


async def one_layer(_folder: str) -> Prepared:
    """Prepare a token that is found again in front of an endpoint that asks nobody."""
    return Prepared(_open_application(remembered()), callers(1))


async def one_layer_cold(_folder: str) -> Prepared:
    """Prepare tokens of which each has its signature checked in front of an endpoint that asks nobody."""
    return Prepared(_open_application(verified()), callers(MORE_THAN_ARE_REMEMBERED))


def remembered() -> Callable[[bytes], User]:
    """Return what finds the person of a header again by its keyed hash."""
    keyed = hashlib.sha256(os.urandom(64))
    known: dict[bytes, User] = {}

    def found(header: bytes) -> User:
        digest = keyed.copy()
        digest.update(header)
        return known.setdefault(digest.digest(), PERSON)

    return found


def verified() -> Callable[[bytes], User]:
    """Return what believes a header whose token has a good signature, whatever it says."""
    key = signing_key().public_key()

    def found(header: bytes) -> User:
        signed, _, signature = header.removeprefix(b"Bearer ").rpartition(b".")
        key.verify(base64.urlsafe_b64decode(signature + b"=="), signed, padding.PKCS1v15(), hashes.SHA256())
        return PERSON

    return found


def _open_application(found: Callable[[bytes], User]) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get(PATH)
    async def hello() -> dict[str, str]:
        return {"hello": "Ada"}

    app.add_middleware(_OneLayer, found=found)
    return app


class _OneLayer:
    """Puts who called into the scope."""

    def __init__(self, app: ASGIApp, found: Callable[[bytes], User]) -> None:
        self.app = app
        self.found = found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope["user"] = self.found(dict(scope["headers"])[b"authorization"])
        await self.app(scope, receive, send)


def _application(found: Callable[[bytes], User]) -> FastAPI:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def somebody(connection: HTTPConnection) -> User:
        return found(dict(connection.scope["headers"])[b"authorization"])

    @app.get(PATH)
    async def hello(user: Annotated[User, Depends(somebody)]) -> dict[str, str]:
        return {"hello": user.name}

    app.add_middleware(_Headers)
    return app


class _Headers:
    """Adds the headers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def complete_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *HEADERS]
            await send(message)

        await self.app(scope, receive, complete_and_send)
