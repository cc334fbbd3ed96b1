"""Requests that nobody means: whatever is in a path, a query, a header or a body, the answer is a refusal (SEC-177)."""

import json
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from entrada.web.routes.admin.schemas import FILTER, FORMAT, PEOPLE, PLACE, WHEN
from entrada.web.routes.admin.table import ROOT, TABLE
from tests.administration.site import ADA, ADMIN, AdminSite, somebody

ROUNDS = 12  # of each operation; `python -m pytest` has no time for ten thousand
PIECES = (
    "", "0", "-1", "1e9", "9" * 40, "null", "true", "\u0000", "\ufffd", "%", "%00", "..", "../..", "'", '"', "<b>",
    "{}", "a" * 300, "2026-13-40", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "\u202e", "é",
    "\U0001f4a9", ",", ";", "urn:uuid:" + "1" * 32, "{" + "1" * 8 + "-1111-1111-1111-" + "1" * 12 + "}",
    "ffffffffffffffff-1", "-", "0-0", "day", "hour", "csv", "2026-01-01", "\ud7ff", "?", "#", "a b",
)  # fmt: skip
PARAMETERS = sorted({*PEOPLE, *PLACE, *FILTER, *FORMAT, *WHEN, "unknown", ""})
FIELDS = ("is_active", "is_admin", "department", "job_title", "display_name", "email", "", "__class__")
KINDS = ("application/json", "application/json; charset=utf-16", "text/plain", "", "multipart/form-data")


def value(chance: Random, depth: int = 0) -> Any:
    """Return something that JSON can say."""
    simple = [None, True, False, 0, -1, 1e308, 10**30, chance.choice(PIECES)]
    if depth < 3 and chance.random() < 0.3:
        return (
            [value(chance, depth + 1)] if chance.random() < 0.5 else {chance.choice(FIELDS): value(chance, depth + 1)}
        )
    return chance.choice(simple)


def body(chance: Random) -> bytes:
    """Return the body of a change: JSON that fits, JSON that does not, or bytes that are none."""
    written = json.dumps({chance.choice(FIELDS): value(chance) for _ in range(chance.randint(0, 3))}).encode()
    if chance.random() < 0.3:
        place = chance.randrange(len(written))
        written = written[:place] + chance.randbytes(chance.randint(0, 3)) + written[place + 1 :]
    return written


def address(path: str, chance: Random, known: str) -> str:
    """Return an address with what may stand in its places."""
    user = known if chance.random() < 0.7 else chance.choice((str(uuid4()), *PIECES[1:]))
    piece = quote(chance.choice(("x", *PIECES[1:])), safe="")
    return ROOT + path.replace("{user_id}", quote(user, safe="")).replace("{role:path}", piece).replace(
        "{handle}", piece
    )


async def test_no_request_breaks_anything(site: AdminSite) -> None:
    """Each operation, asked in ways that are nearly right: 2xx, a redirect of nobody, or 4xx, and never 5xx."""
    ada, chance, found = await site.of(ADA), Random(20260105), dict[int, int]()
    for path, ways in TABLE.items():
        for method in (*ways, "PATCH", "OPTIONS"):
            known = str((await somebody(site)).id)
            for _ in range(ROUNDS):
                asked = {chance.choice(PARAMETERS): chance.choice(PIECES) for _ in range(chance.randint(0, 3))}
                headers = {"content-type": chance.choice(KINDS)}
                if chance.random() < 0.5:
                    headers["if-match"] = chance.choice(
                        ("*", '"1"', 'W/"1"', '"', "x", '"' + "9" * 30 + '"', '"1", "2"')
                    )
                content = body(chance) if method != "GET" else b""
                where = address(path, chance, known)
                answer = await ada.request(method, where, params=asked, headers=headers, content=content)
                assert answer.status_code < 500, (method, where, asked, headers, content)
                found[answer.status_code] = found.get(answer.status_code, 0) + 1
    assert found.keys() >= {200, 400, 404, 405}
    assert (await ada.get(f"{ADMIN}/users")).status_code == 200
