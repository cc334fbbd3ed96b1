"""One attempt to sign in, from the redirect to the authority until its answer: sealed, in the browser's own keeping.

`state` names the attempt in public; the sealed text proves that this browser began it (SEC-003, RFC 9700 4.7). What the
callback needs is in here, so that nothing is taken from the address it came by (SEC-004).
"""

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec

from entrada.keyring import Purpose
from entrada.sessions.sealing import Sealer

PURPOSE: Purpose = "transaction-cookie"
HANDLE_LENGTH = 16  # 96 bits of a hash of `state`: tells attempts apart, says nothing about it
CLOCKS_APART = timedelta(minutes=5)  # of two hosts, one of which begins what the other ends
HANDLE = re.compile(rf"[A-Za-z0-9_-]{{{HANDLE_LENGTH}}}")


@dataclass(frozen=True, slots=True)
class Transaction:
    """What was asked of the authority, and where the person was going."""

    issuer: str
    client_id: str
    redirect_uri: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    scopes: tuple[str, ...]
    return_to: str
    created: datetime
    replaces: str | None = field(repr=False, default=None)
    """The session that this browser had when the attempt began; it ends when the attempt succeeds."""
    remember: bool = False
    """Whether the person chose to be remembered."""
    claims: str | None = None
    """The claims challenge that this attempt is to meet."""
    flow: str | None = None
    """The user flow that it goes through instead of the one of signing in."""
    asked: tuple[str, ...] = ()
    """What this attempt, and those a moment before, are to prove beyond who it is."""
    onboards: str | None = None
    """The tenant that a consent has named, which this attempt is to confirm."""
    max_age: int | None = None
    """How old the sign-in may be that the ID token proves, in seconds."""
    device: str | None = field(repr=False, default=None)
    """The number of this browser's device when the attempt began; a cross-site answer comes without its cookie."""

    def begun_within(self, lifetime: timedelta, *, now: datetime) -> bool:
        """Say whether the attempt is still open."""
        return still_open(self.created, lifetime, now=now)

    def answers(self, state: str) -> bool:
        """Say whether `state` is this attempt's; compared in constant time (SEC-013)."""
        return hmac.compare_digest(self.state.encode(), state.encode("utf-8", "replace"))


def still_open(begun: datetime, lifetime: timedelta, *, now: datetime) -> bool:
    """Say whether what was begun then is not too old; on another host, whose clock was ahead, it may be to come."""
    return -CLOCKS_APART <= now - begun < lifetime


def handle_of(state: str) -> str:
    """Return the public handle of an attempt: the end of its cookie's name."""
    digest = hashlib.sha256(b"entrada transaction " + state.encode("utf-8", "replace")).digest()
    return base64.urlsafe_b64encode(digest).decode()[:HANDLE_LENGTH]


def seal(transaction: Transaction, *, sealer: Sealer) -> str:
    """Return the attempt as a cookie value, bound to its handle (SEC-085)."""
    handle = handle_of(transaction.state)
    return sealer.seal_text(msgspec.msgpack.encode(transaction), purpose=PURPOSE, bound_to=(handle.encode(),))


def unseal(handle: str, value: str, *, sealer: Sealer) -> Transaction | None:
    """Return the attempt, or None when the value was not sealed here under this handle."""
    plain = sealer.open_text(value, purpose=PURPOSE, bound_to=(handle.encode(),))
    if plain is None:
        return None
    try:
        return msgspec.msgpack.decode(plain, type=Transaction)
    except msgspec.DecodeError:
        return None
