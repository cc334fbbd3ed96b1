"""An authority in front of which anything may go wrong: `Between` passes on to it, or answers in its place."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

from tests.authority_app import answer, jwk

MIB = 1024 * 1024
BOMB = gzip.compress(b" " * 20 * MIB)
TOKEN, KEYS, METADATA = "/oauth2/v2.0/token", "/discovery/v2.0/keys", "/.well-known/openid-configuration"


class Between:
    """`instead` maps the end of a path to what answers it; `asked` counts requests to each; `address` is the last."""

    def __init__(self, authority: Any) -> None:
        self.authority = authority
        self.instead: dict[str, Any] = {}
        self.asked: dict[str, int] = {}
        self.address: dict[str, str] = {}
        self.at_once = self.most_at_once = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        for end in (TOKEN, KEYS, METADATA):
            if path.endswith(end):
                self.address[end] = f"https://{dict(scope['headers'])[b'host'].decode()}{path}"
                self.asked[end] = self.asked.get(end, 0) + 1
        app = next((app for end, app in self.instead.items() if path.endswith(end)), self.authority)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await app(scope, receive, send)
        finally:
            self.at_once -= 1


def changed(between: Between, **members: Any) -> Callable[..., Any]:
    """Return the authority with these members of its document otherwise; None takes one away."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = bytearray()

        async def keep(message: Any) -> None:
            body.extend(message.get("body", b""))

        await between.authority(scope, receive, keep)
        document = {name: value for name, value in (json.loads(body) | members).items() if value is not None}
        await answer(json.dumps(document).encode())(scope, receive, send)

    return app


def status(code: int, *, retry_after: str | None = None) -> Any:
    """Return an application that has nothing but a status."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"retry-after", retry_after.encode())] if retry_after else []
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


async def silent(scope: Any, receive: Any, send: Any) -> None:
    """Take the request and never answer."""
    await asyncio.Event().wait()


async def _endless(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    for _ in range(1600):
        await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})


async def _bomb(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BOMB})


async def _early(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"access_token": "', "more_body": True})


GARBAGE: dict[str, Any] = {
    "HTML": answer(b"<!doctype html><title>Sign in to this network</title>", content_type="text/html"),
    "HTML called JSON": answer(b"<!doctype html><title>Sign in</title>"),
    "truncated JSON": answer(b'{"access_token": "eyJ'),
    "an array": answer(b"[]"),
    "nothing": answer(b""),
    "another charset": answer('{"a": 1}'.encode("utf-16"), content_type="application/json; charset=utf-16"),
    "bytes that are no UTF-8": answer(b'{"access_token": "\xff\xfe"}'),
    "100 000 deep": answer(b'{"a":' * 100_000),
    "repeated members": answer(b'{"error": "invalid_grant", "error": "invalid_grant"}'),
    "100 MiB": _endless,
    "gzip bomb": _bomb,
    "early close": _early,
    "a redirect": status(302),
    "a refusal without words": answer(b"{}", status=400),
}

JUNK_KEYS: dict[str, Any] = {
    "empty": answer(b'{"keys": []}'),
    "10 000 keys": answer(json.dumps({"keys": [{"kty": "RSA", "kid": str(n)} for n in range(10_000)]}).encode()),
    "duplicate kids": answer(json.dumps({"keys": [jwk("one", kid="same"), jwk("two", kid="same")]}).encode()),
    "junk alone": answer(b'{"keys": [null, 7, "x", {"kty": "oct", "kid": "a", "k": "AAAA"}]}'),
    "a redirect": status(302),
    "HTML": GARBAGE["HTML"],
}
