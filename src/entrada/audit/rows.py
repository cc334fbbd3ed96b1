"""An event becomes a row: cleaned, cut to a length, and with salts of its own."""

import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Literal, get_args
from uuid import UUID

from entrada.audit.chain import SALT_BYTES
from entrada.events import AdministrationName, Event, EventName
from entrada.redaction import clean, clean_fields, printable

Stream = Literal["activity", "administration"]
STREAMS: tuple[Stream, ...] = ("activity", "administration")
ADMINISTRATION: frozenset[EventName] = frozenset(get_args(AdministrationName))
"""What is kept longer than what people do every day; a stream is pruned from its beginning only, so it has its own."""

LONGEST = {"user_agent": 256, "address": 64, "correlation_id": 64, "uti": 64, "tenant_id": 64, "resource": 256}
LONGEST_TEXT = 512
MOST_DETAILS = 8_000  # characters of JSON
TOO_LONG = '{"omitted":"too long"}'


def stream_of(name: EventName) -> Stream:
    """Return the stream that events of this name are written to."""
    return "administration" if name in ADMINISTRATION else "activity"


def row_of(event: Event, *, person: UUID | None, label: str | None) -> dict[str, Any]:
    """Return the row of an event, but for its place in the chain."""
    texts = {name: _text(name, getattr(event, name)) for name in _TEXTS}
    return {
        "stream": stream_of(event.name),
        "at": event.at,
        "action": event.name,
        "outcome": event.outcome,
        "person": person,
        **texts,
        "label": _text("label", event.label or label),
        "details": _details(event.details),
        "who_seal": secrets.token_bytes(SALT_BYTES),
        "what_seal": secrets.token_bytes(SALT_BYTES),
    }


_TEXTS = ("reason", "tenant_id", "resource", "correlation_id", "uti", "user_key", "address", "user_agent")
_IDENTIFIERS = frozenset({"tenant_id", "resource", "correlation_id", "uti", "user_key"})  # some look like secrets


def _text(name: str, value: str | None) -> str | None:
    """Return a text on one line that every database takes, cut to its length."""
    if value is None:
        return None
    shown = _cleaned(value) if name == "user_agent" and len(value) <= LONGEST_TEXT else _plain(name, value)
    return shown[: LONGEST.get(name, LONGEST_TEXT)]


def _plain(name: str, value: str) -> str:
    return printable(value) if name in _IDENTIFIERS else clean(value)


_cleaned = lru_cache(maxsize=512)(clean)
"""For user agents: there are few, and to look through one takes longer than to make the rest of its row."""


def _details(values: Mapping[str, Any]) -> str | None:
    if not values:
        return None
    written = json.dumps(clean_fields(values), ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return written if len(written) <= MOST_DETAILS else TOO_LONG
