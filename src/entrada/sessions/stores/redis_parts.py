"""A part of a session as Redis holds it: its version, its length, its bytes."""

import struct
from typing import Any

from entrada.errors import StoreUnavailable
from entrada.sessions.stores.store import Stored

HEADER = struct.Struct(">QI")  # version and length, so that a value cut short is seen


def packed(part: bytes, version: int) -> bytes:
    """Return what is to be held."""
    return HEADER.pack(version, len(part)) + part


def unpacked(held: Any) -> Stored:
    """Return a part and its version; StoreUnavailable when it is cut short, for then nobody knows what it said."""
    if isinstance(held, bytes) and len(held) >= HEADER.size:
        version, length = HEADER.unpack_from(held)
        if len(held) == HEADER.size + length:
            return held[HEADER.size :], version
    raise StoreUnavailable("session store: Redis: a value is cut short or not ours")
