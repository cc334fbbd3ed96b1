"""How a value is shown: public ones as they are, secret ones by length and mark, passwords not at all."""

import hashlib
import hmac
import json
from typing import Any

from entrada_emulator.inspector.catalogue.parameters import Secrecy
from entrada_emulator.inspector.model import Shown

LONGEST = 600  # characters of a value on a page
MARK_LENGTH = 6  # hex digits: enough to tell the values of one flow apart, too few to look anything up by


class Marks:
    """Short marks of values, by a key that never leaves the process: equal values have equal marks."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, value: str) -> str:
        """The mark of a value."""
        return hmac.new(self._key, value.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:MARK_LENGTH]

    def shown(self, value: str, secrecy: Secrecy) -> Shown:
        """The value as a page may show it."""
        if secrecy == "hidden":
            return Shown()
        if secrecy == "marked":
            return Shown(None, self.of(value), len(value))
        return Shown(clipped(value), self.of(value) if secrecy == "compared" else "")


def clipped(value: str) -> str:
    """Text of anybody's, no longer than a page bears, and without halves of characters that no encoding takes."""
    whole = value.encode("utf-8", "replace").decode("utf-8")
    return whole if len(whole) <= LONGEST else f"{whole[:LONGEST]}… ({len(whole)} characters)"


def as_text(value: Any) -> str:
    """A member of a JSON object as text: strings as they are, everything else as JSON."""
    if isinstance(value, str):
        return clipped(value)
    try:
        return clipped(json.dumps(value, ensure_ascii=False))
    except (RecursionError, ValueError):
        return "(nested too deep to show)"
