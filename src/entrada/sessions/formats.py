"""How what a session holds is written: one byte of format version, then msgpack. An unknown version says nothing."""

from typing import Generic, TypeVar

import msgspec

T = TypeVar("T")


class Format(Generic[T]):
    """One version of one kind of content."""

    def __init__(self, version: int, kind: type[T]) -> None:
        self._mark = bytes((version,))
        self._version = version
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder = msgspec.msgpack.Decoder(kind)

    def encode(self, content: T) -> bytes:
        """Return the content's bytes."""
        return self._mark + self._encoder.encode(content)

    def decode(self, data: bytes) -> T | None:
        """Return the content, or None when its version is unknown or the bytes are none of it (SEC-079)."""
        if not data or data[0] != self._version:
            return None
        try:
            return self._decoder.decode(memoryview(data)[1:])
        except msgspec.MsgspecError:
            return None
