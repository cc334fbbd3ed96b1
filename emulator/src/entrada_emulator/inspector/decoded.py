"""Tokens taken apart: header and claims with what each is for and what its reader must check. No signature."""

from datetime import UTC, datetime
from typing import Any

from entrada_emulator.inspector.catalogue.claims import CLAIMS, HEADER, TIMES, UNKNOWN, Claim
from entrada_emulator.inspector.model import ClaimRow, Token
from entrada_emulator.inspector.values import Marks, as_text
from entrada_emulator.issuing.jwt import NotOurToken, opened

READERS = {
    "id_token": ("ID token", "Read by the application, once, when the person signs in; it checks what is marked."),
    "access_token": ("Access token", "Read by the API alone; to the application it is opaque and may change shape."),
    "assertion": ("The access token that the API was called with", "Read by the API before it acts for anybody."),
    "client_assertion": ("Client assertion", "Made by the application; read by Entra, which checks what is marked."),
    "id_token_hint": ("ID token as a hint", "Read by Entra, to know whom to sign out."),
    "bearer": ("Access token that was shown", "Read by the API on every call; it checks what is marked."),
}


def decoded(name: str, token: str, *, marks: Marks) -> Token | None:
    """The token of this name; None where it is none that can be taken apart."""
    try:
        taken = opened(token)
    except NotOurToken:
        return None
    title, reader = READERS[name]
    header = tuple(_row(member, value, HEADER.get(member, UNKNOWN)) for member, value in taken.header.items())
    claims = tuple(_row(member, value, CLAIMS.get(member, UNKNOWN)) for member, value in taken.claims.items())
    return Token(title, reader, marks.shown(token, "marked"), header, claims)


def _row(name: str, value: Any, claim: Claim) -> ClaimRow:
    moment = _moment(value) if name in TIMES else ""
    return ClaimRow(as_text(name), as_text(value), claim.text, claim.must, moment)


def _moment(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    try:
        return datetime.fromtimestamp(value, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return ""
