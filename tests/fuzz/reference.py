"""Strict JSON read in another way than the library's: by its own little parser, slowly, out of RFC 8259."""

import re
from math import isfinite
from typing import Any

DEEPEST = 900
"""Levels of nesting up to which both must agree; what is deeper may be refused."""
BLANK = re.compile(r"[ \t\n\r]*")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
PLAIN = re.compile(r'[^"\\\x00-\x1f]+')
HEX = re.compile(r"[0-9A-Fa-f]{4}")
ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
WORDS = {"true": True, "false": False, "null": None}
MOST_DIGITS = 4300


class NotSo(ValueError):
    """What was read is no strict JSON object."""


def strictly_read(data: bytes) -> dict[str, Any]:
    """Return the one object that `data` is; NotSo otherwise."""
    try:
        text = data.decode("utf-8")
        reader = Reader(text)
        value = reader.value(0)
    except (UnicodeDecodeError, IndexError, RecursionError):
        raise NotSo from None
    reader.blank()
    if reader.at != len(text) or not isinstance(value, dict):
        raise NotSo
    return value


class Reader:
    """Goes through a text once, from `at` on."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def blank(self) -> None:
        """Step over blanks."""
        self.at = BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]

    def take(self, expected: str) -> bool:
        """Step over this character, and tell whether it was there."""
        found = self.text.startswith(expected, self.at)
        self.at += len(expected) if found else 0
        return found

    def value(self, depth: int) -> Any:
        """Return the value that begins here."""
        self.blank()
        if depth > DEEPEST:
            raise NotSo
        for word, meaning in WORDS.items():
            if self.take(word):
                return meaning
        if self.take('"'):
            return self.string()
        if self.take("{"):
            return self.members(depth)
        return self.items(depth) if self.take("[") else self.number()

    def members(self, depth: int) -> dict[str, Any]:
        """Return the object whose brace was just read."""
        found: dict[str, Any] = {}
        self.blank()
        if self.take("}"):
            return found
        while True:
            self.blank()
            name = self.string() if self.take('"') else self.wrong()
            self.blank()
            if name in found or not self.take(":"):
                raise NotSo
            found[name] = self.value(depth + 1)
            self.blank()
            if self.take("}"):
                return found
            if not self.take(","):
                raise NotSo

    def items(self, depth: int) -> list[Any]:
        """Return the list whose bracket was just read."""
        found: list[Any] = []
        self.blank()
        if self.take("]"):
            return found
        while True:
            found.append(self.value(depth + 1))
            self.blank()
            if self.take("]"):
                return found
            if not self.take(","):
                raise NotSo

    def string(self) -> str:
        """Return the text whose quote was just read."""
        parts: list[str] = []
        while not self.take('"'):
            if plain := PLAIN.match(self.text, self.at):
                parts.append(plain[0])
                self.at = plain.end()
            elif self.take("\\"):
                parts.append(self.escape())
            else:
                raise NotSo
        try:
            return "".join(parts).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError:
            raise NotSo from None

    def escape(self) -> str:
        """Return the character whose backslash was just read."""
        letter = self.text[self.at]
        self.at += 1
        if letter != "u":
            return ESCAPES.get(letter) or self.wrong()
        digits = HEX.match(self.text, self.at)
        if digits is None:
            raise NotSo
        self.at = digits.end()
        return chr(int(digits[0], 16))

    def number(self) -> int | float:
        """Return the number that begins here."""
        found = NUMBER.match(self.text, self.at)
        if found is None:
            raise NotSo
        self.at = found.end()
        if found[1] is None and found[2] is None:
            if len(found[0].lstrip("-")) > MOST_DIGITS:
                raise NotSo
            return int(found[0])
        value = float(found[0])
        return value if isfinite(value) else self.wrong()

    def wrong(self) -> Any:
        """Say that it is no strict JSON."""
        raise NotSo
