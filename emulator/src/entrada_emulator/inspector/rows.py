"""From one recorded request to rows: its parameters with their checks, its cookies, its tokens, its refusal."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from starlette.requests import cookie_parser

from entrada_emulator.clients.checks import s256
from entrada_emulator.inspector.catalogue import cookies as jar
from entrada_emulator.inspector.catalogue.checks import CHECKS
from entrada_emulator.inspector.catalogue.mends import MENDS, OTHERWISE
from entrada_emulator.inspector.catalogue.parameters import (
    ADMINCONSENT,
    AUTHORIZE,
    DEVICECODE,
    GRAPH,
    LOGOUT,
    PAGES,
    TOKEN,
    UNKNOWN,
    Parameters,
)
from entrada_emulator.inspector.decoded import decoded
from entrada_emulator.inspector.model import CheckRow, CookieRow, Refusal, Row, Shown, Token
from entrada_emulator.inspector.notes import Check, CheckName, Notes
from entrada_emulator.inspector.values import Marks, as_text, clipped
from entrada_emulator.wire.recorder import Recorded

TABLES: Mapping[str, Parameters] = {
    "authorize": AUTHORIZE,
    "token": TOKEN,
    "logout": LOGOUT,
    "devicecode": DEVICECODE,
    "adminconsent": ADMINCONSENT,
    "graph": GRAPH,
}
SENT_TOKENS = ("client_assertion", "assertion", "id_token_hint")
CODE = re.compile(r"AAD(?:STS|B2C)(\d+)")
MOST_ROWS = 60  # parameters of one request; anybody may send more
HEADERS: Mapping[str, tuple[str, tuple[CheckName, ...]]] = {
    "bearer": (
        "The access token, in the header that RFC 6750 gives it.",
        ("token_signature", "token_audience", "token_times"),
    ),
    "basic": ("Client id and secret in a header instead of the form.", ("client_authentication",)),
}


def parameter_rows(request: Recorded, *, marks: Marks) -> tuple[Row, ...]:
    """Every parameter of the request."""
    table = TABLES.get(request.endpoint, PAGES)
    sent = request.query | request.form
    rows = [
        Row(
            clipped(name),
            _shown(name, value, table=table, marks=marks),
            table.get(name, UNKNOWN).text,
            table.get(name, UNKNOWN).need,
            check_rows(request.notes, only=table.get(name, UNKNOWN).checks),
        )
        for name, value in list(sent.items())[:MOST_ROWS]
    ]
    return (*_authorization(request, marks), *rows)


def missing_rows(request: Recorded) -> tuple[tuple[str, str], ...]:
    """Parameters that would have been wise to send."""
    table = TABLES.get(request.endpoint, PAGES)
    return tuple((name, one.missed) for name, one in table.items() if one.missed and not request.query.get(name))


def member_rows(members: Mapping[str, Any], table: Parameters, *, marks: Marks) -> tuple[Row, ...]:
    """Every member of an answer."""
    return tuple(
        Row(name, _shown(name, as_text(value), table=table, marks=marks), table.get(name, UNKNOWN).text)
        if table.get(name, UNKNOWN).secrecy == "clear"
        else Row(name, _shown(name, str(value), table=table, marks=marks), table.get(name, UNKNOWN).text)
        for name, value in members.items()
    )


def check_rows(notes: Notes, *, only: tuple[CheckName, ...] | None = None) -> tuple[CheckRow, ...]:
    """The checks that were made, all or those of one parameter."""
    return tuple(_check_row(check) for name, check in notes.checks.items() if only is None or name in only)


def cookie_rows(request: Recorded) -> tuple[CookieRow, ...]:
    """The cookies that came and those that the answer set."""
    sent = cookie_parser(request.headers.get("cookie", ""))
    came = [CookieRow(clipped(name), "sent", _purpose(name)) for name in list(sent)[:MOST_ROWS] if name]
    return (*came, *(_set_cookie(header) for header in request.answered.cookies))


def sent_tokens(request: Recorded, *, marks: Marks) -> tuple[Token, ...]:
    """The tokens in the request, taken apart."""
    sent = request.query | request.form
    found = [(name, sent[name]) for name in SENT_TOKENS if name in sent]
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found.append(("bearer", credentials))
    return tuple(token for name, value in found if (token := decoded(name, value, marks=marks)))


def given_tokens(members: Mapping[str, Any], *, marks: Marks) -> tuple[Token, ...]:
    """The tokens in an answer, taken apart."""
    found = ((name, members[name]) for name in ("id_token", "access_token") if isinstance(members.get(name), str))
    return tuple(token for name, value in found if (token := decoded(name, value, marks=marks)))


def refusal_of(text: str, notes: Notes) -> Refusal:
    """What the sentence of a refusal means, with the check that failed and the mend."""
    first = text.partition("\r\n")[0]
    found = CODE.search(first)
    failed = next((check for check in reversed(notes.checks.values()) if check.verdict == "failed"), None)
    explained = CHECKS[failed.name] if failed else None
    mend = MENDS.get(int(found[1])) if found else None
    return Refusal(
        found[0] if found else "",
        clipped(first.removeprefix(f"{found[0]}: ") if found else first),
        mend or (explained.mend if explained else OTHERWISE),
        explained.title if explained else "",
    )


def _check_row(check: Check) -> CheckRow:
    explained = CHECKS[check.name]
    mend = explained.mend if check.verdict == "failed" else ""
    return CheckRow(explained.title, check.verdict, clipped(check.told), mend)


def _shown(name: str, value: str, *, table: Parameters, marks: Marks) -> Shown:
    shown = marks.shown(value, table.get(name, UNKNOWN).secrecy)
    if name == "code_verifier" and value.isascii():
        return Shown(shown.text, shown.mark, shown.length, f"Its SHA-256 has the mark {marks.of(s256(value))}.")
    return shown


def _authorization(request: Recorded, marks: Marks) -> Iterator[Row]:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() in HEADERS:
        told, checks = HEADERS[scheme.lower()]
        shown = marks.shown(credentials, "marked")
        yield Row(f"Authorization: {scheme.title()}", shown, told, "Required", check_rows(request.notes, only=checks))


def _purpose(name: str) -> str:
    return jar.COOKIES.get(name.removeprefix("__Host-"), jar.FOREIGN)


def _set_cookie(header: str) -> CookieRow:
    pair, *attributes = [part.strip() for part in header.split(";")]
    name = pair.partition("=")[0]
    removed = any(attribute.lower() == "max-age=0" for attribute in attributes)
    told = tuple(_attribute(attribute) for attribute in attributes)
    return CookieRow(name, "removed" if removed else "set", _purpose(name), told)


def _attribute(attribute: str) -> str:
    meaning = jar.ATTRIBUTES.get(attribute.lower())
    return f"{attribute} ({meaning})" if meaning else attribute
