"""The server's keys: a ring of them with ids, the first active, one secret per purpose derived from each.

Text form, as in the setting `keys`: `id:secret` pairs, newest first, separated by commas or line ends; a secret is 32
bytes in base64url. A `+` before an id: this key opens already, and waits until all workers know it before it seals.
"""

import base64
import binascii
import itertools
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Literal

from entrada.errors import SettingsRefused

KEY_BYTES = 32  # 256 bits: what AES-256-GCM takes, and the least that SEC-172 allows
LEAST_DISTINCT_BYTES = 16  # 32 random bytes have about 30 distinct values; fewer than 16 has never come from a CSPRNG
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
WAITING = "+"

Purpose = Literal[
    "session-id",
    "session-record",
    "session-tokens",
    "session-data",
    "session-index",
    "session-handle",
    "session-suffix",
    "transaction-cookie",
    "csrf-token",
    "failed-sign-in",
    "step-up",
    "downstream-token",
    "device",
    "onboarding",
    "sign-in-wish",
    "audit",
]
"""What a derived secret is for; each is independent of the others (SEC-171)."""


@dataclass(frozen=True, slots=True)
class Key:
    """One secret of the ring."""

    id: str
    secret: bytes = field(repr=False)
    waiting: bool = False
    """Whether it only opens until it is made active: so that no worker meets the seal of a key it does not know."""

    def derive(self, purpose: Purpose) -> bytes:
        """Return this key's 32-byte secret for one purpose (HKDF-SHA256, RFC 5869)."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=b"entrada/" + purpose.encode()).derive(
            self.secret
        )


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys in use: the first seals, all open; those that wait come last."""

    keys: tuple[Key, ...]

    @property
    def active(self) -> Key:
        """The key that everything new is made with."""
        return self.keys[0]

    @classmethod
    def parse(cls, text: str) -> "KeyRing":
        """Read the text form; SettingsRefused names what is wrong with which key, never the key."""
        pairs = [entry.strip() for entry in re.split("[,\n]", text) if entry.strip()]
        faults = [] if pairs else ["keys: empty; make one with `python -m entrada.keyring`"]
        keys: list[Key] = []
        for position, pair in enumerate(pairs, 1):
            key_id, _, encoded = pair.partition(":")
            key, fault = _read(key_id, encoded)
            if fault:
                faults.append(f"keys: number {position}: {fault}; make a new one with `python -m entrada.keyring`")
            elif key:
                keys.append(key)
        if len({key.id for key in keys}) < len(keys) or len({key.secret for key in keys}) < len(keys):
            faults.append("keys: an id or a secret is repeated; each key needs its own")
        if keys and all(key.waiting for key in keys):
            faults.append("keys: one must be active: take the + from the id of the newest")
        if faults:
            raise SettingsRefused(faults)
        return cls(keys=tuple(sorted(keys, key=lambda key: key.waiting)))

    @property
    def waiting(self) -> "Key | None":
        """The key that becomes active next, if there is one."""
        return next((key for key in self.keys if key.waiting), None)

    def text(self) -> str:
        """Return the text form, a key a line. It holds the secrets: for the file of the ring and nothing else."""
        return "".join(f"{WAITING if key.waiting else ''}{key.id}:{_encoded(key.secret)}\n" for key in self.keys)

    def with_waiting(self, key: Key) -> "KeyRing":
        """Return the ring with one more key, which opens and does not seal yet."""
        return KeyRing(keys=(*self.keys, replace(key, waiting=True)))

    def promoted(self) -> "KeyRing":
        """Return the ring with the key that waited as the active one; all the others go on opening."""
        newest = self.waiting
        if newest is None:
            raise ValueError("no key is waiting")
        return KeyRing(keys=(replace(newest, waiting=False), *(key for key in self.keys if key != newest)))

    def without(self, key_id: str) -> "KeyRing":
        """Return the ring without one key; KeyError when it is unknown, ValueError when it is the active one."""
        if key_id not in {key.id for key in self.keys}:
            raise KeyError(key_id)
        if key_id == self.active.id:
            raise ValueError("the active key stays")
        return KeyRing(keys=tuple(key for key in self.keys if key.id != key_id))


def generate() -> str:
    """Return a new key in text form: a short random id and 32 bytes from the operating system."""
    return f"{secrets.token_hex(4)}:{_encoded(secrets.token_bytes(KEY_BYTES))}"


def _encoded(secret: bytes) -> str:
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode()


def _read(key_id: str, encoded: str) -> tuple[Key | None, str | None]:
    """Return the key, or what is wrong with it."""
    waiting, key_id = key_id.startswith(WAITING), key_id.removeprefix(WAITING)
    if not KEY_ID.fullmatch(key_id):
        return None, "the id before the colon must be 1 to 32 letters, digits, - or _"
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None, "the secret is not base64url"
    if len(secret) != KEY_BYTES:
        return None, f"the secret must be {KEY_BYTES} bytes (256 bits)"
    if not _looks_random(secret):
        return None, "the secret is not random"
    return Key(id=key_id, secret=secret, waiting=waiting), None


def _looks_random(secret: bytes) -> bool:
    """Say whether it may have come from a CSPRNG: no words, no counting, no repetition; chance fails one in 10**9."""
    steps = {(after - before) % 256 for before, after in itertools.pairwise(secret)}
    return (
        len(set(secret)) >= LEAST_DISTINCT_BYTES
        and len(steps) >= LEAST_DISTINCT_BYTES // 2
        and not secret.isascii()
        and secret[:16] != secret[16:]
    )


if __name__ == "__main__":
    print(generate())  # noqa: T201
