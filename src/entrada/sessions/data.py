"""The application's own data in a session: names with JSON values, each by itself, so that two changes can be merged.

Every request of the session reads it with the record: it is for a choice and a few ids, not for documents.
"""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from entrada.errors import SessionDataRefused

MOST_BYTES = 16 * 1024  # of all names and values together, as they are kept
_decoder = msgspec.msgpack.Decoder(dict[str, bytes])

Values = Mapping[str, bytes]
"""Each value as JSON, by its name."""
Changes = Mapping[str, bytes | None]
"""What a request has set, as JSON, and what it has taken away."""


def to_json(name: object, value: Any) -> bytes:
    """Return one value as it is kept; SessionDataRefused when it is no JSON, or its name no text."""
    if not isinstance(name, str):
        raise SessionDataRefused("session data: names are text")
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        raise SessionDataRefused(f"session data: the value of {name!r} is no JSON") from None


def changes(before: Values, after: Mapping[str, Any]) -> Changes:
    """Return what became otherwise: also what was changed inside a list or an object."""
    now = {name: to_json(name, value) for name, value in after.items()}
    changed: dict[str, bytes | None] = {name: value for name, value in now.items() if before.get(name) != value}
    return changed | dict.fromkeys(before.keys() - now.keys())


def merged(values: Values, changed: Changes) -> Values:
    """Return the values with these changes: a name that was changed elsewhere meanwhile and not here stays so."""
    return {name: value for name, value in {**values, **changed}.items() if value is not None}


def encode(values: Values) -> bytes:
    """Return the bytes to keep, none for no values; SessionDataRefused when they are too many."""
    data = msgspec.msgpack.encode(values) if values else b""
    if len(data) > MOST_BYTES:
        raise SessionDataRefused(f"session data: {len(data)} bytes; a session keeps {MOST_BYTES}")
    return data


def decode(data: bytes) -> Values:
    """Return what `encode` was given."""
    return _decoder.decode(data) if data else {}
