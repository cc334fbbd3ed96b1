"""How much a request may bring, and how long it may take to bring it (SEC-157, SEC-158)."""

import asyncio
import time
from collections.abc import Mapping

from starlette.requests import HTTPConnection
from starlette.types import Message, Receive, Scope

from entrada.errors import EntradaError, HeadersTooLarge, RequestRefused
from entrada.guard_errors import BodyTooLarge, BodyTooSlow, UrlTooLong
from entrada.settings import Settings
from entrada.web.context import Context
from entrada.web.failures import refuse
from entrada.web.forms import MOST_BYTES

MOST_URL_BYTES = 32 * 1024  # an answer in the address has a code of 1.5 kB; proxies commonly stop at 8 KiB
MOST_HEADER_BYTES = 32 * 1024  # the Cookie header, which has a limit of its own, and as much again
MOST_HEADERS = 128
MOST_FIELDS = 1000  # Starlette's own cap for forms, here before anything is read into fields
BYTES_PER_SECOND = 8 * 1024  # slower than any line that people use
LONGEST_NUMBER = 18  # digits of a length; Python refuses to read some thousand of them
FORM = b"application/x-www-form-urlencoded"


def check_head(headers: Mapping[bytes, bytes], scope: Scope) -> None:
    """Refuse an address or headers of a size that nobody honest sends; `headers` are those of `scope`, by name."""
    if len(scope["query_string"]) + len(scope["path"]) > MOST_URL_BYTES:
        raise UrlTooLong("the address is over 32 KiB")
    lines = scope["headers"]
    if len(lines) > MOST_HEADERS:
        raise HeadersTooLarge("more than 128 header lines")
    values = headers.values() if len(headers) == len(lines) else [value for _, value in lines]
    if len(b"".join(values)) > MOST_HEADER_BYTES:
        raise HeadersTooLarge("the headers are over 32 KiB")


class BodyLimits:
    """Gives each request's body its bounds."""

    def __init__(self, settings: Settings, *, own_paths: frozenset[str], own_trees: tuple[str, ...]) -> None:
        self._most = settings.most_body_bytes
        self._further = settings.body_limits
        self._seconds = float(settings.body_seconds)
        self._own_paths = own_paths
        self._own_trees = own_trees

    def bounded(self, scope: Scope, context: Context, receive: Receive) -> Receive:
        """Return a `receive` that gives the body within its bounds; BodyTooLarge if its length says that it is over."""
        most = self._most_of(scope["path"])
        given = context.headers.get(b"content-length")
        if given is not None:
            _check_length(given, most, closes=_closes(scope))
        is_form = context.headers.get(b"content-type", b"").lower().startswith(FORM)
        return Bounded(scope, receive, most=most, seconds=self._seconds, is_form=is_form)

    def _most_of(self, path: str) -> int:
        if path in self._own_paths or path.startswith(self._own_trees):
            return MOST_BYTES
        return next((most for beginning, most in self._further if path.startswith(beginning)), self._most)


class Bounded:
    """A `receive` that counts what comes and how long it takes; what is over is refused, and read no further."""

    def __init__(self, scope: Scope, receive: Receive, *, most: int, seconds: float, is_form: bool) -> None:
        self._scope = scope
        self._receive = receive
        self._most = most
        self._ends = time.monotonic() + seconds
        self._is_form = is_form
        self._size = 0
        self._fields = 1
        self._whole = False

    async def __call__(self) -> Message:
        """Give the next message."""
        if self._whole:
            return await self._receive()
        left = self._ends + self._size / BYTES_PER_SECOND - time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, left)):
                message = await self._receive()
        except TimeoutError:
            raise self._refused(BodyTooSlow("the body came too slowly", closes=_closes(self._scope))) from None
        if message["type"] == "http.request":
            self._count(message.get("body", b""))
            self._whole = not message.get("more_body", False)
        return message

    def _count(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._most:
            raise self._refused(_too_large(self._most, closes=_closes(self._scope)))
        if self._is_form:
            self._fields += part.count(b"&")
            if self._fields > MOST_FIELDS:
                raise self._refused(BodyTooLarge(f"over {MOST_FIELDS} fields", closes=_closes(self._scope)))

    def _refused(self, error: EntradaError) -> Exception:
        return refuse(HTTPConnection(self._scope), error)  # FastAPI makes 400 of any error but an HTTPException


def _check_length(given: bytes, most: int, *, closes: bool) -> None:
    if not given.isdigit():
        raise RequestRefused("content-length is no number")
    if len(given) > LONGEST_NUMBER or int(given) > most:
        raise _too_large(most, closes=closes)


def _too_large(most: int, *, closes: bool) -> BodyTooLarge:
    more = "" if most == MOST_BYTES else "; ENTRADA_LARGE_BODIES=/your-path=BYTES lets a path take more"
    return BodyTooLarge(f"over {most} bytes{more}", closes=closes)


def _closes(scope: Scope) -> bool:
    """Say whether the connection can be told to close, so that the rest of the body is not waited for."""
    return str(scope.get("http_version", "1.1")).startswith("1")
