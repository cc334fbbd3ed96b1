"""Where a person goes after sign-in: a path of this application, or nothing.

An allow-list of what a path and a query may hold, on the exact text that will be sent; never a parser's opinion of it.
Checked when the address is stored and again when it is used (SEC-115, SEC-116, RFC 9700 4.11).
"""

import re
from collections.abc import Collection
from urllib.parse import quote

LONGEST = 1024  # keeps the transaction cookie, which carries it, far below the 4096 bytes that browsers keep

_PCHAR = r"[A-Za-z0-9\-._~!$&'()*+,;=:@]"
_CONTROL_OR_SEPARATOR = r"(?:[01][0-9A-Fa-f]|7[Ff]|2[EeFf]|5[Cc])"  # controls, dot, slash, backslash
_SEGMENT = rf"(?!\.{{1,2}}(?:[/?]|\Z))(?:{_PCHAR}|%(?!{_CONTROL_OR_SEPARATOR})[0-9A-Fa-f]{{2}})+"
_QUERY = r"(?:[A-Za-z0-9\-._~!$&()*+,;=:@]|[/?]|%[0-9A-Fa-f]{2})*"
_ADDRESS = re.compile(rf"/(?:{_SEGMENT}(?:/{_SEGMENT})*/?)?(?:\?{_QUERY})?")


def accepted(text: str | None) -> str | None:
    """Return the address as it was given when it stays on this origin, else None."""
    if text is None or len(text) > LONGEST or not _ADDRESS.fullmatch(text):
        return None
    return text


def of_request(path: str, query: bytes) -> str | None:
    """Return the address of a request from its decoded path and raw query, or None when it is not a safe one."""
    address = quote(path, safe="/-._~!$&'()*+,;=:@")
    return accepted(f"{address}?{query.decode('latin-1')}" if query else address)


def of_referrer(referrer: str, origins: Collection[str]) -> str | None:
    """Return the page of ours that a form was sent from, or None; the browser's word, good for showing a page only."""
    origin = next((origin for origin in origins if referrer.startswith(f"{origin}/")), None)
    return accepted(referrer.removeprefix(origin)) if origin else None
