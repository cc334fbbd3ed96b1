"""What may not be read in a log, and how it is made unreadable (SEC-146, SEC-147). Pure rules on text.

The first line of defence is that nothing secret is handed to a logger; these rules are the second, and the only one
for libraries that log what they send. They would rather hide too much than too little.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[hidden]"
DEEPEST = 6  # levels of nested values that a log line keeps; what lies deeper is hidden

SECRET_NAMES = frozenset(
    """
    access_token refresh_token id_token id_token_hint token tokens code code_verifier state nonce secret client_secret
    client_assertion assertion password passwd pwd session session_id sid session_state client_info login_hint
    logout_hint csrf csrf_token x-csrf-token api_key apikey x-api-key private_key credential sig
    cookie set-cookie authorization proxy-authorization
    """.split()  # noqa: SIM905
)

_HEADERS = "proxy-authorization|authorization|set-cookie|cookie"
_NAMES = "|".join(sorted(map(re.escape, SECRET_NAMES - set(_HEADERS.split("|"))), key=len, reverse=True))
# name=value, "name": "value", (b'name', b'value')
_IS = r"""(?:["']?\s{0,3}[:=]\s{0,3}(?:b?["'])?|["']\s?,\s?b?["'])"""
# Each with words of which one is in every text that it changes: most texts are seen through without a pattern.
_RULES = (
    (
        ("authorization", "cookie"),
        re.compile(rf"(?<![\w-])({_HEADERS})({_IS})[^\r\n]+", re.IGNORECASE | re.ASCII),
        rf"\1\2{HIDDEN}",
    ),
    (
        tuple(":=,"),
        re.compile(rf"""(?<![\w-])({_NAMES})({_IS})[^\s&"',;)}}\]]+""", re.IGNORECASE | re.ASCII),
        rf"\1\2{HIDDEN}",
    ),
    (
        ("bearer", "basic"),
        re.compile(r"\b(bearer|basic)\s{1,3}[\w.~+/=-]{8,}", re.IGNORECASE | re.ASCII),
        rf"\1 {HIDDEN}",
    ),
    (("eyj",), re.compile(r"(?<![\w-])eyJ[\w-]{8,}(?:\.[\w-]*){0,4}", re.ASCII), HIDDEN),
    (("://",), re.compile(r"://[^\s/@:]{0,256}:[^\s/@]{1,256}@", re.ASCII), f"://{HIDDEN}@"),  # in a connection string
)
LONG = 40
_LONG = re.compile(rf"[\w-]{{{LONG},}}", re.ASCII)  # 240 bits in base64url: a session id, state, verifier or key

_UNPRINTABLE = [
    *range(0x20),
    *range(0x7F, 0xA0),
    *(0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0xFEFF),
    *range(0x202A, 0x202F),
    *range(0x2066, 0x206A),
]
_ESCAPES = {number: f"\\u{number:04x}" for number in _UNPRINTABLE}


def mask(text: str) -> str:
    """Hide what is a secret by its name or by its form."""
    folded = text.lower()
    for marks, pattern, replacement in _RULES:
        for mark in marks:  # any() costs more than what it asks, and every text of every log line comes by here
            if mark in folded:
                text = pattern.sub(replacement, text)
                break
    return _LONG.sub(_unless_readable, text) if len(text) >= LONG else text


def _unless_readable(match: re.Match[str]) -> str:
    """Keep digests, identifiers and rules of dashes: only random text mixes small letters and capitals so long."""
    run = match[0]
    return HIDDEN if run.lower() != run and run.upper() != run else run


def printable(text: str) -> str:
    """Show control and direction characters as escapes, so that no text can begin, hide or colour a line."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_ESCAPES).encode("utf-8", "backslashreplace").decode()


def clean(text: str) -> str:
    """Return text as it may stand on one line of a log."""
    return printable(mask(text))


def clean_lines(text: str) -> str:
    """Return text of many lines, such as a traceback, each but the first indented: none can pose as an entry."""
    return "\n    ".join(map(clean, text.splitlines()))


def clean_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return named values as they may be logged: those with a secret's name hidden, all others cleaned."""
    return {clean(str(name)): clean_value(value, name=str(name)) for name, value in fields.items()}


def clean_value(value: Any, *, name: str = "", depth: int = 0) -> Any:
    """Return one value as it may be logged, of any type; nested ones to a bounded depth."""
    if value is None or isinstance(value, bool | int | float):
        return value if name.lower() not in SECRET_NAMES or isinstance(value, bool | None) else HIDDEN
    if name.lower() in SECRET_NAMES or depth > DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return {clean(str(key)): clean_value(item, name=str(key), depth=depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_value(item, depth=depth + 1) for item in value]
    return clean(value if isinstance(value, str) else _text_of(value))


def _text_of(value: object) -> str:
    """Return the value's text; a value that fails to say it must not fail what is being logged (SEC-149)."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"
