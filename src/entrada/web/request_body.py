"""What a person's browser has sent with a form, so that it can be put on hold when the request meets a step-up."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.types import Message, Receive

from entrada.flows.stepping_up.interruptions import MOST_BYTES

KINDS = frozenset(
    {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain", "application/json"}
)  # what HTML forms send, and JSON
LONGEST_TYPE = 256  # a boundary has at most 70 characters


class Recorded:
    """A `receive` that remembers what came through it, up to 64 KiB."""

    def __init__(self, receive: Receive, content_type: str) -> None:
        self.content_type = content_type
        self._receive = receive
        self._parts: list[bytes] = []
        self._size = 0
        self._whole = False
        self._broken = False

    async def __call__(self) -> Message:
        """Hand on the next message."""
        message = await self._receive()
        if message["type"] != "http.request":
            self._broken = self._broken or not self._whole
            return message
        self._note(message.get("body", b""))
        self._whole = self._whole or not message.get("more_body", False)
        return message

    async def body(self) -> bytes | None:
        """Return the whole body, reading what nobody has read yet; None when it is too long or did not come."""
        while not self._whole and not self._broken and self._size <= MOST_BYTES:
            await self()
        return b"".join(self._parts) if self._whole and self._size <= MOST_BYTES else None

    def _note(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= MOST_BYTES:
            self._parts.append(part)
        else:
            self._parts.clear()


@dataclass(slots=True)
class Given:
    """A `receive` that gives one body, then what the connection says."""

    body: bytes
    then: Receive
    _done: bool = False

    async def __call__(self) -> Message:
        """Give the body first."""
        if self._done:
            return await self.then()
        self._done = True
        return {"type": "http.request", "body": self.body, "more_body": False}


def kind_of(headers: Mapping[bytes, bytes]) -> str | None:
    """Return the content type of a body that may be held; None for any other."""
    given = headers.get(b"content-type", b"").decode("latin-1")
    fits = len(given) <= LONGEST_TYPE and given.partition(";")[0].strip().lower() in KINDS
    return given if fits else None
