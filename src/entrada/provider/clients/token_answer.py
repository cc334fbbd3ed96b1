"""What a token endpoint answered, read strictly before anybody believes it (RFC 6749 section 5; SEC-029, SEC-030).

Both token clients read through here; MSAL is handed what is left, never the raw answer.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from entrada.errors import AuthorityUnavailable
from entrada.provider.egress import Answer

SHORT_LIFE = 300  # seconds: what a token lives whose answer does not say, or says nonsense
LONGEST_LIFE = 7 * 24 * 3600  # seconds; no access token of an interactive sign-in lives longer than a session (7 days)
MOST_DIGITS = 10  # of an expires_in written as text; more is nonsense
TOKEN = re.compile(r"[\x21-\x7e]+")  # RFC 6749 appendix A.12 and A.17, without the blank: it goes into a header
ERROR_WORD = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,64}")  # RFC 6749 section 5.2, without the blank
OK, TOO_MANY = 200, 429
REFUSALS = range(400, 500)
OUTAGES = frozenset({"server_error", "temporarily_unavailable"})  # words that blame nobody


@dataclass(frozen=True, slots=True)
class TokensGranted:
    """A grant succeeded."""

    access_token: str = field(repr=False)
    expires_in: int
    """Seconds, 0 to LONGEST_LIFE."""
    scopes: tuple[str, ...] | None
    """What was granted; None when the answer leaves it out, which means: what was asked for."""
    refresh_token: str | None = field(repr=False)
    id_token: str | None = field(repr=False)
    client_info: str | None = field(repr=False)
    """Entra's: the account's home, base64url JSON."""


@dataclass(frozen=True, slots=True)
class GrantRefused:
    """The authority said no: `error` is its OAuth word, `body` the whole answer."""

    error: str
    description: str | None
    body: Mapping[str, Any] = field(repr=False)


def read(answer: Answer) -> TokensGranted | GrantRefused:
    """Return what a token endpoint's answer says; AuthorityUnavailable when it says nothing that can be used.

    429, every 5xx and the words of RFC 6749 for an outage are no refusal: nobody may be signed out for them (SEC-110).
    """
    if answer.status != OK and (answer.status not in REFUSALS or answer.status == TOO_MANY):
        raise AuthorityUnavailable(f"token endpoint: answer {answer.status}", retry_after=answer.retry_after)
    body = answer.json_object()
    if answer.status == OK and "error" not in body:
        return _granted(body)
    refused = GrantRefused(error=_error_word(body), description=_text(body, "error_description"), body=body)
    if refused.error in OUTAGES:
        raise AuthorityUnavailable(f"token endpoint: {refused.error}", retry_after=answer.retry_after)
    return refused


def lifetime(expires_in: object) -> int:
    """Return a token's life in seconds from whatever `expires_in` is: never negative, never endless (SEC-030)."""
    if isinstance(expires_in, str):  # Entra's v1 endpoints write it so
        expires_in = int(expires_in) if _is_short_number(expires_in) else None
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float):
        return SHORT_LIFE
    if isinstance(expires_in, float) and not math.isfinite(expires_in):
        return SHORT_LIFE
    return max(0, min(math.floor(expires_in), LONGEST_LIFE))


def _granted(body: Mapping[str, Any]) -> TokensGranted:
    token_type = body.get("token_type")
    if not isinstance(token_type, str) or token_type.lower() != "bearer":
        raise AuthorityUnavailable("token endpoint: token_type is not Bearer")
    access_token = _token(body, "access_token")
    if access_token is None:
        raise AuthorityUnavailable("token endpoint: no access_token")
    scope = _text(body, "scope")
    return TokensGranted(
        access_token=access_token,
        expires_in=lifetime(body.get("expires_in")),
        scopes=None if scope is None else tuple(scope.split()),
        refresh_token=_token(body, "refresh_token"),
        id_token=_token(body, "id_token"),
        client_info=_token(body, "client_info"),
    )


def _token(body: Mapping[str, Any], name: str) -> str | None:
    value = _text(body, name)
    if value is not None and not TOKEN.fullmatch(value):
        raise AuthorityUnavailable(f"token endpoint: {name} is not a token")
    return value


def _text(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise AuthorityUnavailable(f"token endpoint: {name} is not text")
    return value


def _error_word(body: Mapping[str, Any]) -> str:
    word = _text(body, "error")
    if word is None or not ERROR_WORD.fullmatch(word):
        raise AuthorityUnavailable("token endpoint: neither tokens nor an error")
    return word


def _is_short_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS
