"""What the store and pages call sessions and people: keyed hashes, one for each key of the ring, the newest first.

Without a key of the ring nobody gets from one name to another: not from a dump to a cookie, nor from a page to a dump.
"""

import base64
import re
from hashlib import blake2b
from hmac import compare_digest

from entrada.keyring import KeyRing
from entrada.principal import User

SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")  # 256 bits, base64url
HANDLE_BYTES = 16  # a name among one person's sessions, not a secret
SUFFIX_BYTES = 16  # nobody guesses it, and it is worth nothing without the 256 bits before it
SUFFIX = 22  # characters of base64url that it is


class Names:
    """Hashes under one key ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._id_hashes = tuple(blake2b(key=key.derive("session-id"), digest_size=32) for key in ring.keys)
        self._index_keys = tuple(key.derive("session-index") for key in ring.keys)
        self._handle_keys = tuple(key.derive("session-handle") for key in ring.keys)
        self._suffix_keys = {key.id: key.derive("session-suffix") for key in ring.keys}
        self._active_id = ring.active.id

    def keys(self, session_id: str) -> tuple[bytes, ...]:
        """Return the store keys that this id may have; none for what cannot be an id of ours."""
        if not SESSION_ID.fullmatch(session_id):
            return ()
        message = session_id.encode()
        return tuple([_digest(keyed, message) for keyed in self._id_hashes])

    def user(self, user: User) -> tuple[bytes, ...]:
        """Return what the store's index may call this person."""
        return self._indexed(b"user", user.key.encode())

    def sid(self, issuer: str, sid: str) -> tuple[bytes, ...]:
        """Return what the store's index may call this session of the authority."""
        return self._indexed(b"sid", len(issuer.encode()).to_bytes(4, "big") + issuer.encode() + sid.encode())

    def suffix(self, stem: str, number: int, *, found_by: str) -> str:
        """Return what the identifier of a session that this key found has after its stem: a hash, and the number.

        That key and no other, for it stays in the ring for as long as the session does.
        """
        key = self._suffix_keys.get(found_by) or self._suffix_keys[self._active_id]
        return f"{_short(key, f'{stem}{number}'.encode('utf-8', 'replace'), SUFFIX_BYTES)}{number}"

    def handle(self, key: bytes) -> str:
        """Return what pages and APIs call the session of this store key: 22 characters of base64url."""
        return _handle(self._handle_keys[0], key)

    def is_handle(self, handle: str, key: bytes) -> bool:
        """Say whether pages may have called the session of this store key so, under any key of the ring."""
        given = handle.encode("utf-8", "replace")
        return any(compare_digest(given, _handle(secret, key).encode()) for secret in self._handle_keys)

    def _indexed(self, kind: bytes, value: bytes) -> tuple[bytes, ...]:
        return tuple([blake2b(value, key=key, person=kind, digest_size=32).digest() for key in self._index_keys])


def _digest(keyed: blake2b, message: bytes) -> bytes:
    digest = keyed.copy()  # which has taken the key in already
    digest.update(message)
    return digest.digest()


def _handle(secret: bytes, key: bytes) -> str:
    return _short(secret, key, HANDLE_BYTES)


def _short(secret: bytes, message: bytes, size: int) -> str:
    digest = blake2b(message, key=secret, digest_size=size).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
