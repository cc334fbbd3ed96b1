"""Where an unsafe request comes from: two independent proofs before a session cookie is believed (SEC-089, SEC-090).

First the browser's word: `Sec-Fetch-Site` says same-origin or none or, where a browser does not send it, `Origin` is
exactly ours. Second something that another site cannot send: the header `X-CSRF`, which needs a CORS preflight, or the
form field `csrf_token`, an HMAC over the session id under the server's key.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.types import Message, Receive

from entrada.keyring import KeyRing
from entrada.sessions.suffixes import STEM

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADER = b"x-csrf"
FIELD = "csrf_token"
PLAIN_HEADER_VALUE = "1"
MOST_FORM_BYTES = 64 * 1024  # how far into a body the field is looked for: it comes first in a form of ours
MULTIPART_FIELD = re.compile(rb'name="csrf_token"\r\n\r\n([A-Za-z0-9_-]{43})\r\n')


class CsrfTokens:
    """Makes and recognises the token of a session, under any key of the ring."""

    def __init__(self, ring: KeyRing) -> None:
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Make tokens with this ring's active key from now on, and recognise those of its keys."""
        self._keys = tuple(key.derive("csrf-token") for key in ring.keys)

    def token(self, session_id: str) -> str:
        """Return the token for forms shown within this session: 43 characters."""
        return _mac(self._keys[0], session_id)

    def recognises(self, token: str, session_id: str) -> bool:
        """Say whether this is a token of this session; compared in constant time."""
        candidate = token.encode("latin-1", "replace")
        return any(hmac.compare_digest(candidate, _mac(key, session_id).encode()) for key in self._keys)


def comes_from_us(headers: Mapping[bytes, bytes], origins: frozenset[str]) -> bool:
    """Say whether the browser names one of our own pages, or the person, as the source of the request."""
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site in {b"same-origin", b"none"}
    return headers.get(b"origin", b"").decode("latin-1") in origins


async def token_in_form(content_type: bytes, receive: Receive) -> tuple[str | None, Receive]:
    """Return the form field's value, if the body's first part has one, and a `receive` that gives the body again."""
    kind = content_type.split(b";")[0].strip().lower()
    if kind not in {b"application/x-www-form-urlencoded", b"multipart/form-data"}:
        return None, receive
    messages, body = await _peek(receive)
    found = _in_multipart(body) if kind == b"multipart/form-data" else _in_urlencoded(body)
    return found, _replay(messages, receive)


def _mac(key: bytes, session_id: str) -> str:
    stem = session_id[:STEM]  # what an open page shows stays good when the identifier changes its ending (0416)
    digest = hmac.digest(key, stem.encode("latin-1", "replace"), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


async def _peek(receive: Receive) -> tuple[list[Message], bytes]:
    messages: list[Message] = []
    body = b""
    while len(body) < MOST_FORM_BYTES:
        message = await receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    return messages, body[:MOST_FORM_BYTES]


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def again() -> Message:
        return next(waiting, None) or await receive()

    return again


def _in_urlencoded(body: bytes) -> str | None:
    fields = [value for name, value in parse_qsl(body.decode("latin-1")) if name == FIELD]
    return fields[0] if len(fields) == 1 else None


def _in_multipart(body: bytes) -> str | None:
    found = MULTIPART_FIELD.findall(body)
    return found[0].decode() if len(found) == 1 else None
