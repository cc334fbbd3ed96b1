"""Tokens that were found good, until they expire: by a keyed hash, so that no token is held (SEC-056, API-3)."""

import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Generic, TypeVar

MOST = 10_000  # entries, about 20 MB; what does not fit is verified anew
KEY_BYTES = 64  # a whole block of SHA-256: it is taken in once, beforehand

V = TypeVar("V")


@dataclass(slots=True)
class Entry(Generic[V]):
    """What is known of one token; times in seconds since 1970."""

    value: V
    until: float
    """From then on it is not believed: the token's `exp`, or earlier."""
    sure_until: float
    """From then on its owner asks again whether the person may still come in."""


class ClaimsCache(Generic[V]):
    """At most `most` entries; the one that was longest unused makes room. Its key lives as long as the process.

    So the settings with which a token was verified are those of now: they do not change while a process lives.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._keyed = sha256(os.urandom(KEY_BYTES))
        self._entries: OrderedDict[bytes, Entry[V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def place(self, token: bytes) -> bytes:
        """Return where what is known of a token is kept: for whoever needs it more than once."""
        digest = self._keyed.copy()  # which has taken the key in already
        digest.update(token)
        return digest.digest()

    def get(self, token: bytes, *, now: float) -> Entry[V] | None:
        """Return the token's entry while it is believed."""
        return self.at(self.place(token), now=now)

    def at(self, place: bytes, *, now: float) -> Entry[V] | None:
        """Return the entry of this place while it is believed."""
        entry = self._entries.get(place)
        if entry is None:
            return None
        if now >= entry.until:
            del self._entries[place]
            return None
        self._entries.move_to_end(place)
        return entry

    def put(self, token: bytes, entry: Entry[V]) -> None:
        """Keep what was found out about a token."""
        self.put_at(self.place(token), entry)

    def put_at(self, place: bytes, entry: Entry[V]) -> None:
        """Keep what was found out about the token of this place."""
        self._entries[place] = entry
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def drop(self, token: bytes) -> None:
        """Forget one token."""
        self._entries.pop(self.place(token), None)

    def keep(self, believed: Callable[[V], bool]) -> None:
        """Forget every entry whose value is not believed any more."""
        for place in [place for place, entry in self._entries.items() if not believed(entry.value)]:
            del self._entries[place]

    def sweep(self, *, now: float) -> None:
        """Forget what has expired."""
        for place in [place for place, entry in self._entries.items() if now >= entry.until]:
            del self._entries[place]
