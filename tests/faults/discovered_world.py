"""A discovery with an authority that fails in every way, and a clock that tests move."""

import asyncio
import gzip
import json

from entrada.errors import TokenRefused
from entrada.provider.authority import Authority
from entrada.provider.discovery import Discovery
from entrada.provider.egress import Egress
from tests.authority_app import HOST, AuthorityApp, Clock, answer, jwk, settings
from tests.internet import Internet


class World:
    """A discovery, its authority and its clock."""

    def __init__(self, *, production: bool = True, **changes) -> None:
        self.app = AuthorityApp()
        self.clock = Clock()
        self.internet = Internet({HOST: self.app})
        egress = Egress(transport=self.internet, private_addresses_allowed=False, total_seconds=0.2)
        authority = Authority.from_settings(settings(**changes))
        self.discovery = Discovery(authority, egress, self.clock, production=production, jitter=lambda: 0.5)

    @property
    def fetches(self) -> tuple[int, int]:
        return self.app.hits["metadata"], self.app.hits["keys"]

    async def settle(self) -> None:
        """Let what goes on in the background end."""
        for _ in range(50):
            await asyncio.sleep(0)
        await self.discovery._keys.in_flight()
        await self.discovery._metadata.in_flight()

    async def known(self, *kids: str) -> set[str]:
        """Return which of these keys are accepted now."""
        found = set()
        for kid in kids:
            try:
                found.add((await self.discovery.key(kid)).id)
            except TokenRefused:
                continue
        return found


async def silent(scope, receive, send) -> None:
    await asyncio.Event().wait()


async def huge(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    while True:
        await send({"type": "http.response.body", "body": b" " * 65536, "more_body": True})


async def bomb(scope, receive, send) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-encoding", b"gzip")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": gzip.compress(b" " * 10_000_000)})


async def redirect(scope, receive, send) -> None:
    headers = [(b"location", b"https://evil.example/keys"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 302, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"keys": [jwk("evil")]}).encode()})


async def early(scope, receive, send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"keys": [', "more_body": True})


FAULTS = {
    "silent": silent,
    "huge": huge,
    "gzip bomb": bomb,
    "redirect": redirect,
    "early end": early,
    "500": answer(b"{}", status=500),
    "503": answer(b"", status=503, content_type="text/html"),
    "404": answer(b"<h1>Not found</h1>", status=404, content_type="text/html"),
    "HTML": answer(b"<html></html>", content_type="text/html"),
    "HTML as JSON": answer(b"<html></html>"),
    "truncated": answer(b'{"keys": [{"kty": "RSA"'),
    "an array": answer(b"[]"),
    "empty": answer(b""),
    "no keys": answer(b'{"keys": []}'),
    "junk keys": answer(b'{"keys": [null, 5, {"kty": "oct", "kid": "one", "k": "AA"}]}'),
    "10 000 keys": answer(json.dumps({"keys": [{"kty": "x"}] * 10_000}).encode()),
    "UTF-16": answer('{"keys": []}'.encode("utf-16")),
    "deep": answer(b'{"keys":' + b"[" * 100_000),
    "duplicate members": answer(json.dumps({"keys": [jwk("evil")]})[:-1].encode() + b', "keys": []}'),
}
