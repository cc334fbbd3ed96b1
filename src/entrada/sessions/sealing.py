"""Sealing and signing under the key ring, so that what we keep elsewhere is not changed or moved, nor read if sealed.

Sealed (AES-256-GCM): length of the key id (1 byte) · key id · nonce (12 bytes) · ciphertext and tag. Nonces are random;
NIST SP 800-38D allows 2**32 of them per key, so each purpose has a derived key and a ring is rotated at least yearly.
Signed (keyed BLAKE2b, RFC 7693): length of the key id · key id · tag (32 bytes) · the bytes themselves.
"""

import base64
import binascii
import hmac
import os
from dataclasses import dataclass, field
from hashlib import blake2b

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from entrada.keyring import KeyRing, Purpose

NONCE_BYTES = 12
TAG_BYTES = 16
SIGNATURE_BYTES = 32


@dataclass(frozen=True, slots=True)
class _Tool:
    """One key of the ring, made ready for one purpose; `label` binds both into what it makes."""

    cipher: AESGCM = field(repr=False)
    signer: blake2b = field(repr=False)
    """Keyed, and past the label; copied for each signature, which saves taking the key in again."""
    label: bytes


class Sealer:
    """Seals and signs with the active key; opens and verifies with any key of the ring."""

    def __init__(self, ring: KeyRing) -> None:
        self.use(ring)

    def use(self, ring: KeyRing) -> None:
        """Seal with this ring's active key from now on, and open with its keys only."""
        self._ring = ring
        self._active_id = ring.active.id.encode()
        self._header = bytes((len(self._active_id),)) + self._active_id
        self._tools: dict[tuple[Purpose, bytes], _Tool] = {}

    def seal(self, plain: bytes, *, purpose: Purpose, bound_to: tuple[bytes, ...]) -> bytes:
        """Return `plain` sealed for one purpose; only the same purpose and `bound_to` open it again."""
        tool, nonce = self._tool(purpose, self._active_id), os.urandom(NONCE_BYTES)
        return self._header + nonce + tool.cipher.encrypt(nonce, plain, tool.label + _joined(bound_to))

    def open(self, sealed: bytes, *, purpose: Purpose, bound_to: tuple[bytes, ...]) -> bytes | None:
        """Return what was sealed, or None: tampered, truncated, moved, or of a key we do not have (SEC-169)."""
        start = 1 + sealed[0] if sealed else 0
        if len(sealed) < start + NONCE_BYTES + TAG_BYTES:
            return None
        nonce, body = sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :]
        try:
            tool = self._tool(purpose, sealed[1:start])
            return tool.cipher.decrypt(nonce, body, tool.label + _joined(bound_to))
        except (InvalidTag, KeyError):
            return None

    def made(self, sealed: bytes) -> bool:
        """Say whether these bytes say that the active key sealed or signed them; nothing is checked."""
        return sealed.startswith(self._header)

    def resealed(self, sealed: bytes, *, purpose: Purpose, bound_to: tuple[bytes, ...]) -> bytes | None:
        """Return it under the active key, itself when it is so already; None when it does not open."""
        if self.made(sealed):
            return sealed
        plain = self.open(sealed, purpose=purpose, bound_to=bound_to)
        return None if plain is None else self.seal(plain, purpose=purpose, bound_to=bound_to)

    def sign(self, plain: bytes, *, purpose: Purpose, bound_to: bytes) -> bytes:
        """Return `plain`, readable, with a proof that we wrote it for this purpose and `bound_to`."""
        tool = self._tool(purpose, self._active_id)
        return self._header + _signature(tool, plain, bound_to) + plain

    def verify(self, signed: bytes, *, purpose: Purpose, bound_to: bytes) -> bytes | None:
        """Return what was signed, or None when it is tampered, truncated, moved, or of a key we do not have."""
        start = 1 + signed[0] if signed else 0
        signature, plain = signed[start : start + SIGNATURE_BYTES], signed[start + SIGNATURE_BYTES :]
        try:
            tool = self._tool(purpose, signed[1:start])
        except KeyError:
            return None
        return plain if hmac.compare_digest(signature, _signature(tool, plain, bound_to)) else None

    def seal_text(self, plain: bytes, *, purpose: Purpose, bound_to: tuple[bytes, ...]) -> str:
        """Seal for a cookie: base64url without padding, 4 characters for each 3 bytes of `plain` and about 40 more."""
        return _spelt(self.seal(plain, purpose=purpose, bound_to=bound_to))

    def open_text(self, text: str, *, purpose: Purpose, bound_to: tuple[bytes, ...]) -> bytes | None:
        """Open what `seal_text` made; None for anything else, whatever a stranger may send."""
        try:
            sealed = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error, ValueError):
            return None
        if _spelt(sealed) != text:  # base64 has several spellings of the same bytes; ours is one
            return None
        return self.open(sealed, purpose=purpose, bound_to=bound_to)

    def _tool(self, purpose: Purpose, key_id: bytes) -> _Tool:
        """Return the tool of one purpose and key; KeyError for a key that is not in the ring."""
        try:
            return self._tools[purpose, key_id]
        except KeyError:
            secret = {key.id.encode(): key for key in self._ring.keys}[key_id].derive(purpose)
            label = _joined((b"entrada-1", purpose.encode(), key_id))
            signer = blake2b(label, key=secret, digest_size=SIGNATURE_BYTES)
            tool = self._tools[purpose, key_id] = _Tool(cipher=AESGCM(secret), signer=signer, label=label)
            return tool


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key that these bytes say they were sealed or signed with; nothing is checked."""
    return sealed[1 : 1 + sealed[0]].decode("ascii", "replace") if sealed else ""


def _spelt(sealed: bytes) -> str:
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def _signature(tool: _Tool, plain: bytes, bound_to: bytes) -> bytes:
    signer = tool.signer.copy()
    signer.update(len(bound_to).to_bytes(4, "big") + bound_to + plain)
    return signer.digest()


def _joined(parts: tuple[bytes, ...]) -> bytes:
    """Join the parts with their lengths, so that no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])
