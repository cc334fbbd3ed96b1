"""How the rows of the log hang together: what makes an edited, removed or reordered row show.

    hash = SHA-256(format, hash of the row before in the same stream, the row in its canonical form)
    mac  = HMAC-SHA-256(a key of the ring, hash)

The hashes hold without any key, so a key that was dropped from the ring takes no proof away: a row of a newer key
vouches for all before it. Who it was, and what exactly, is in a row's hash as the digest of a salt and the values; when
somebody's data is erased the digest stays, and so does the chain. Why it is so: docs/decisions/0230.
"""

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from entrada.keyring import KeyRing

FORMAT = b"entrada-audit-1"
SALT_BYTES = 16
DIGEST_BYTES = 32
PLAIN = ("id", "stream", "at", "action", "outcome", "reason", "tenant_id", "person", "resource", "correlation_id",
         "uti")  # fmt: skip
AT, PERSON = PLAIN.index("at"), PLAIN.index("person")
"""The two that JSON cannot say as they are."""
WHO = ("user_key", "label", "address", "user_agent")
WHAT = ("details",)

Values = Mapping[str, Any]
_written = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode


def row_hash(before: bytes, row: Values) -> bytes:
    """Return the hash of a row that follows the row, or the beginning of a stream, whose hash is `before`."""
    values = [row[name] for name in PLAIN]
    values[AT] = row["at"].isoformat(timespec="microseconds") if row["at"] else None
    values[PERSON] = str(row["person"]) if row["person"] else None
    parts = [*values, digest(row["who_seal"], row, WHO).hex(), digest(row["what_seal"], row, WHAT).hex()]
    return sha256(FORMAT + len(before).to_bytes(1, "big") + before + _canonical(parts)).digest()


def digest(seal: bytes, row: Values, names: tuple[str, ...]) -> bytes:
    """Return the digest of these values: from the salt and them, or the one that stayed when they were erased."""
    if len(seal) == DIGEST_BYTES:
        return seal
    return sha256(seal + _canonical([row[name] for name in names])).digest()


def is_erased(seal: bytes) -> bool:
    """Say whether the values under this seal are gone."""
    return len(seal) == DIGEST_BYTES


@dataclass(frozen=True, slots=True)
class Head:
    """The end of one stream and where it was pruned to; its own MAC keeps both from being set back."""

    name: str
    last_id: int
    hash: bytes
    rows: int
    pruned_to: int
    pruned_hash: bytes
    key_id: str = ""
    mac: bytes = b""

    @property
    def is_new(self) -> bool:
        """Whether nothing was ever written to the stream."""
        return self.last_id == 0 and not self.mac

    def after(self, row_id: int, row: bytes, *, rows: int) -> "Head":
        """Return the head once the row with this id and hash is the last one, so many rows later."""
        return replace(self, last_id=row_id, hash=row, rows=self.rows + rows)

    @property
    def signed(self) -> bytes:
        """What its MAC is made of."""
        numbers = [self.name, self.last_id, self.hash.hex(), self.rows, self.pruned_to, self.pruned_hash.hex()]
        return b"head" + _canonical(numbers)


class ChainKeys:
    """Makes and checks the MACs, with the keys of one ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._secrets = {key.id: key.derive("audit") for key in ring.keys}
        self.active_id = ring.active.id

    def mac(self, value: bytes) -> bytes:
        """Return the MAC of a row's hash, or of a head, with the active key."""
        return hmac.digest(self._secrets[self.active_id], value, "sha256")

    def knows(self, key_id: str) -> bool:
        """Say whether this key is in the ring."""
        return key_id in self._secrets

    def holds(self, value: bytes, *, key_id: str, mac: bytes) -> bool:
        """Say whether the MAC is right; False too when its key is unknown."""
        secret = self._secrets.get(key_id)
        return secret is not None and hmac.compare_digest(hmac.digest(secret, value, "sha256"), mac)

    def vouch(self, head: Head) -> bool:
        """Say whether the end of a stream is as one of us left it."""
        return head.is_new or self.holds(head.signed, key_id=head.key_id, mac=head.mac)

    def sealed(self, head: Head) -> Head:
        """Return the head with its MAC."""
        return replace(head, key_id=self.active_id, mac=self.mac(head.signed))


def _canonical(values: list[Any]) -> bytes:
    """Return one spelling of a list of texts, numbers and nulls; no two lists share it."""
    return _written(values).encode()
