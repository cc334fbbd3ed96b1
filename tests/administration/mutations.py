"""Requests that are nearly right: what may stand in a path, a query, a header or a body, chosen by a seeded chance."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from entrada.web.routes.admin.schemas import FILTER, FORMAT, PEOPLE, PLACE, WHEN

SCRIPT = "<script>alert(1)</script>"
LOADING = '"><svg onload=alert(1)>'
SECRET = "kE7-Q_canary-9fZ-kE7-Q-8sW"
"""Stands where secrets stand: a code, a token, a cookie."""
PIECES = (
    "", "0", "-1", "1e9", "9" * 40, "null", "true", "\u0000", "\ufffd", "%", "%00", "..", "../..", "'", '"', "<b>",
    "{}", "a" * 300, "2026-13-40", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\u202e", "é",
    "\U0001f4a9", ",", ";", "urn:uuid:" + "1" * 32, "{" + "1" * 8 + "-1111-1111-1111-" + "1" * 12 + "}",
    "ffffffffffffffff-1", "-", "0-0", "day", "hour", "csv", "2026-01-01", "\ud7ff", "?", "#", "a b",
    SCRIPT, LOADING, "=1+1", "+1", "@SUM(A1)", "-1+1", "\t=1", "\uff1d1+1", "//evil.example", "/private",
    "\r\nset-cookie: a=b", "login", "1",
)  # fmt: skip
SIGN_IN = (
    "return_to", "login_hint", "domain_hint", "prompt", "remember", "flow", "with", "again", "for", "of", "why",
    "state", "code", "error", "error_description", "error_uri", "iss", "sid", "admin_consent", "tenant", "period",
    "done", "person", "id_token", "logout_token", "session_state",
)  # fmt: skip
SECRETS = ("code", "state", "id_token", "logout_token", "csrf_token", "session_state")
PARAMETERS = sorted({*PEOPLE, *PLACE, *FILTER, *FORMAT, *WHEN, *SIGN_IN, "unknown", ""})
GROUPS = (tuple(PEOPLE), (*FILTER, *PLACE), (*FILTER, *FORMAT), tuple(WHEN), SIGN_IN, PARAMETERS)
"""One of them for each query: what a route does not know it refuses, and then looks at nothing else."""
FIELDS = ("is_active", "is_admin", "department", "job_title", "display_name", "email", "", "__class__")
FORM_FIELDS = (
    "version", "role", "name", "department", "job_title", "erase", "csrf_token", "state", "code", "error", "",
)  # fmt: skip
FORM = "application/x-www-form-urlencoded"
KINDS = ("application/json", "application/json; charset=utf-16", "text/plain", "", "multipart/form-data; boundary=b")
HEADERS: tuple[tuple[str, Sequence[str]], ...] = (
    ("if-match", ("*", '"1"', 'W/"1"', '"', "x", '"' + "9" * 30 + '"', '"1", "2"')),
    ("accept", ("text/html", "application/json", "*/*", "", "x" * 200, "text/csv;q=2")),
    ("sec-fetch-mode", ("navigate", "no-cors", "cors", "")),
    ("sec-fetch-site", ("cross-site", "same-origin", "none", "\u00ff")),
    ("sec-fetch-dest", ("document", "script", "iframe")),
    ("sec-purpose", ("prefetch", "x")),
    ("origin", ("null", "http://localhost", "https://evil.example", "")),
    ("host", ("evil.example", "localhost:99999999", "[::1", "")),
    ("x-forwarded-for", ("1.2.3.4", "::1", "a" * 500, ",,,")),
    ("range", ("bytes=0-1", "bytes=-", "x")),
    ("cookie", ("", "=", ";;;", "a=b; " * 40, "entrada_session=\u00ff", 'x="', f"entrada_session={SECRET}")),
    ("authorization", ("Bearer", "Bearer a.b.c", "Basic YTpi", "Bearer " + "A" * 9000, "bearer \u00ff", "")),
    ("authorization", (f"Bearer {SECRET}", f"Basic {SECRET}", SECRET)),
    ("content-length", ("0", "-1", "99999999999999999999", "x")),
    ("transfer-encoding", ("chunked", "x")),
    ("x-csrf", ("0", "", "1" * 43, SECRET)),
    ("user-agent", ("", SCRIPT, "\u00ff" * 600)),
    ("accept-language", ("de", "*;q=9", "x" * 400)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One request: what `visit` takes."""

    method: str
    path: str
    query: bytes
    headers: list[tuple[str, str]]
    content: bytes


def value(chance: Random, depth: int = 0) -> Any:
    """Return something that JSON can say."""
    simple = [None, True, False, 0, -1, 1e308, 10**30, chance.choice(PIECES)]
    if depth < 3 and chance.random() < 0.3:
        return (
            [value(chance, depth + 1)] if chance.random() < 0.5 else {chance.choice(FIELDS): value(chance, depth + 1)}
        )
    return chance.choice(simple)


def address(path: str, chance: Random, known: str) -> str:
    """Return an address with what may stand in its places."""
    user = known if chance.random() < 0.7 else chance.choice((str(uuid4()), *PIECES[1:]))
    for place in ("{user_id}", "{id}"):
        path = path.replace(place, user)
    for place in ("{role:path}", "{handle}", "{tenant_id}", "{path:path}", "{name}"):
        path = path.replace(place, chance.choice(("x", *PIECES[1:])))
    return path


def query(chance: Random) -> bytes:
    """Return a query of few parameters, seldom one that is not even text."""
    if chance.random() < 0.05:
        return chance.randbytes(chance.randint(0, 30))
    return urlencode(pairs(chance.choice(GROUPS), chance), quote_via=quote).encode()


def pairs(names: Sequence[str], chance: Random) -> list[tuple[str, str]]:
    """Return few of these parameters or fields; what is secret by its name often is one that may be told nowhere."""
    chosen = [chance.choice(names) for _ in range(chance.randint(0, 3))]
    return [(name, SECRET if name in SECRETS and chance.random() < 0.5 else chance.choice(PIECES)) for name in chosen]


def body(chance: Random, *, form: bool) -> tuple[str, bytes]:
    """Return kind and bytes of a body: what fits, what does not, or bytes that are nothing."""
    if form and chance.random() < 0.8:
        kind, written = FORM, urlencode(pairs(FORM_FIELDS, chance)).encode()
    else:
        kind = chance.choice((*KINDS, FORM))
        written = json.dumps({chance.choice(FIELDS): value(chance) for _ in range(chance.randint(0, 3))}).encode()
    if written and chance.random() < 0.3:
        place = chance.randrange(len(written))
        written = written[:place] + chance.randbytes(chance.randint(0, 3)) + written[place + 1 :]
    return kind, written


def mutated(
    path: str, methods: Sequence[str], chance: Random, *, known: str, caller: Sequence[tuple[str, str]]
) -> Request:
    """Return a request of one route, by its caller in most cases; something in it is never as it should be."""
    method = chance.choice(methods) if chance.random() < 0.9 else chance.choice(("PATCH", "OPTIONS", "HEAD", "FOO"))
    kind, content = ("", b"") if method in {"GET", "HEAD"} else body(chance, form="{id}" in path or "auth" in path)
    headers = list(caller) if chance.random() < 0.85 else []
    if kind:
        headers.append(("content-type", kind))
    asked = query(chance)
    for _ in range(chance.choice((0, 1, 1, 2) if asked or content else (1, 1, 2))):
        name, values = chance.choice(HEADERS)
        headers.append((name, chance.choice(values)))
    return Request(method, address(path, chance, known), asked, headers, content)
