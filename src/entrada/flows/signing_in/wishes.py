"""What the application asks of the authority at a sign-in: it says so in a link that nobody else can make or change.

A visitor may type any address, so what an address says in plain words is believed for hints only (SEC-006). `prompt`,
`max_age` and `claims` change what a sign-in is; they travel sealed.
"""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, get_args

import msgspec

from entrada.clock import Clock
from entrada.keyring import Purpose
from entrada.sessions.sealing import Sealer

PURPOSE: Purpose = "sign-in-wish"
Prompt = Literal["login", "select_account", "consent"]
"""`none` is not among them: whoever must not be asked anything cannot be helped by a page either."""
PROMPTS: frozenset[str] = frozenset(get_args(Prompt))
CLAIMS_OF = frozenset({"id_token", "access_token"})
LONGEST_CLAIMS = 1024  # characters: the attempt's cookie, which carries none of it, is not the limit; addresses are
LONGEST_HINT = 320
LONGEST = 4096
LIFETIME = timedelta(days=1)  # of a link on a page that somebody has left open


class Wish(msgspec.Struct, frozen=True, array_like=True):
    """What is asked beside who it is; nothing of it by default."""

    prompt: str | None = None
    max_age: int | None = None
    """How old the sign-in at the authority may be, in seconds; the ID token must prove it."""
    claims: str | None = None
    """The `claims` parameter (OpenID Connect Core section 5.5), as JSON."""
    login_hint: str | None = None
    domain_hint: str | None = None

    def __repr__(self) -> str:
        return f"Wish(prompt={self.prompt!r}, max_age={self.max_age})"

    def parameters(self) -> dict[str, str]:
        """Return what asks for it in an authorization request, `claims` apart."""
        hints = {"prompt": self.prompt, "login_hint": self.login_hint, "domain_hint": self.domain_hint}
        age = {} if self.max_age is None else {"max_age": str(self.max_age)}
        return {name: value for name, value in hints.items() if value} | age

    def asked_claims(self) -> Mapping[str, Any]:
        """Return the claims that are asked for."""
        asked: Mapping[str, Any] = json.loads(self.claims) if self.claims else {}
        return asked


class Sealed(msgspec.Struct, frozen=True, array_like=True):
    """A wish in a link."""

    at: datetime
    wish: Wish


class Wishes:
    """Seals wishes into links and opens them again."""

    def __init__(self, sealer: Sealer, *, clock: Clock) -> None:
        self._sealer = sealer
        self._clock = clock

    def seal(self, wish: Wish) -> str:
        """Return the wish as the value of a parameter."""
        plain = msgspec.msgpack.encode(Sealed(self._clock(), wish))
        return self._sealer.seal_text(plain, purpose=PURPOSE, bound_to=())

    def open(self, text: str) -> Wish | None:
        """Return the wish; None when it was not sealed here, or is too old."""
        plain = self._sealer.open_text(text, purpose=PURPOSE, bound_to=()) if len(text) <= LONGEST else None
        if plain is None:
            return None
        try:
            sealed = msgspec.msgpack.decode(plain, type=Sealed)
        except msgspec.MsgspecError:
            return None
        return sealed.wish if self._clock() - sealed.at < LIFETIME else None


def made(
    *,
    prompt: Prompt | None = None,
    max_age: timedelta | None = None,
    claims: Mapping[str, Any] | None = None,
    login_hint: str | None = None,
    domain_hint: str | None = None,
) -> Wish:
    """Return a wish; ValueError says what of it cannot be asked."""
    if prompt is not None and prompt not in PROMPTS:
        raise ValueError(f"prompt: must be one of {', '.join(sorted(PROMPTS))}")
    if max_age is not None and max_age < timedelta(0):
        raise ValueError("max_age: cannot be negative")
    if claims is not None and not claims.keys() <= CLAIMS_OF:
        raise ValueError(f"claims: may be asked of {', '.join(sorted(CLAIMS_OF))} only")
    text = json.dumps(claims, separators=(",", ":")) if claims else None
    if text is not None and len(text) > LONGEST_CLAIMS:
        raise ValueError(f"claims: at most {LONGEST_CLAIMS} characters as JSON")
    if any(len(hint or "") > LONGEST_HINT for hint in (login_hint, domain_hint)):
        raise ValueError(f"login_hint, domain_hint: at most {LONGEST_HINT} characters")
    return Wish(prompt, None if max_age is None else int(max_age.total_seconds()), text, login_hint, domain_hint)
