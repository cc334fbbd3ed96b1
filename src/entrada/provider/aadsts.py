"""The authority's refusals in our words: what happened, what the person can do, what the operator can mend.

Decisions are made from `error` and `suberror`, as Microsoft asks; the AADSTS numbers choose words only, but one,
which means throttling. Nothing of the authority's own text is repeated (SEC-015): it may come from a stranger's link,
and it names people.
"""

import re
from collections.abc import Mapping
from typing import Any

from entrada.errors import AuthorityRefused, AuthorityUnavailable, InteractionRequired, RenewalRefused
from entrada.provider.meanings import meaning_of
from entrada.provider.strict_json import NotStrict, json_object

NUMBER = re.compile(r"\b(AADSTS|AADB2C)([0-9]{4,9})\b")
ERROR_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")
GUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
TRACES = re.compile(rf"(Trace ID|Correlation ID): ({GUID})")
LONGEST_DESCRIPTION = 4096  # characters looked at
LONGEST_CLAIMS = 8192  # characters of a claims challenge
STEP_NEEDED = frozenset({"interaction_required", "login_required", "consent_required"})
STEP_SUBERRORS = frozenset(
    {
        "basic_action",
        "additional_action",
        "consent_required",
        "message_only",
        "user_password_expired",
        "device_authentication_failed",  # one API wants a device that another does not
    }
)

THROTTLED = frozenset({"AADSTS50196"})
"""Codes of an `invalid_grant` that says nothing of the grant: too many requests of one kind, which it calls a loop."""
THROTTLED_FOR = 60  # seconds; the authority names none
REFUSED_FOR = 60  # seconds until scopes that were refused are asked for again


OF_SCOPES = frozenset({"invalid_scope", "invalid_resource", "invalid_target"})
"""Words that are about the scopes that were asked for, and nothing else (RFC 6749 5.2, RFC 8707; Entra's own)."""


class ScopesRefused(AuthorityUnavailable):
    """Nobody gets tokens for these scopes; only the operator can mend that. Others are to be had as before."""


def refusal(error: str, description: str = "") -> AuthorityRefused:
    """Return what to raise for an error answer of /authorize or /token."""
    word = error if ERROR_WORD.fullmatch(error) else "server_error"
    aadsts = number_in(description)
    meaning = meaning_of(word, aadsts=aadsts)
    return AuthorityRefused(
        _detail(word, aadsts, description), error=word, aadsts=aadsts, public=f"{meaning.cause} {meaning.mend}"
    )


def renewal_refusal(body: Mapping[str, Any]) -> RenewalRefused | AuthorityUnavailable:
    """Return what to raise for an error body of /token in answer to a renewal.

    InteractionRequired when one more step by the person would do, RenewalRefused when the grant has ended,
    ScopesRefused when it is about what was asked for, and AuthorityUnavailable for everything else: a wrong secret or a
    fault there signs nobody out.
    """
    word, suberror, description = (_text(body, name) for name in ("error", "suberror", "error_description"))
    aadsts = number_in(description)
    detail = _detail(word if ERROR_WORD.fullmatch(word) else "server_error", aadsts, description)
    claims = _text(body, "claims")
    if word in STEP_NEEDED or (word == "invalid_grant" and (claims or suberror in STEP_SUBERRORS)):
        usable = claims if 0 < len(claims) <= LONGEST_CLAIMS else None
        return InteractionRequired(detail, aadsts=aadsts, claims=usable)
    if word == "invalid_grant" and aadsts in THROTTLED:
        return AuthorityUnavailable(detail, retry_after=THROTTLED_FOR)
    if word == "invalid_grant":
        return RenewalRefused(detail, aadsts=aadsts)
    if word in OF_SCOPES:
        return ScopesRefused(detail, retry_after=REFUSED_FOR)
    return AuthorityUnavailable(detail)


def number_in(description: str) -> str | None:
    """Return the code in a description, such as AADSTS50011, or None."""
    match = NUMBER.search(description[:LONGEST_DESCRIPTION])
    return match[0] if match else None


def operator_hint(body: bytes) -> str:
    """Return what an error body tells the operator, in our words, to put behind a status; empty when it is none."""
    try:
        members = json_object(body)
    except NotStrict:
        return ""
    word, description = _text(members, "error"), _text(members, "error_description")
    return f": {_detail(word, number_in(description), description)}" if ERROR_WORD.fullmatch(word) else ""


def _detail(word: str, aadsts: str | None, description: str) -> str:
    """Say for the operator what happened, with the ids that the authority's support asks for."""
    traces = [f"{name}: {value}" for name, value in TRACES.findall(description[:LONGEST_DESCRIPTION])]
    meaning = meaning_of(word, aadsts=aadsts)
    parts = (word, aadsts, meaning.operator, meaning.where, *traces)
    return "; ".join(part for part in parts if part)


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""
