"""Where a request goes at its upstream, and how addresses of the upstream are said to the browser: pure rules.

A path is passed on as it was written, or not at all. Nothing is tidied up: whoever tidies up what somebody else will
read again gives an attacker two readings of one path. So what any reader could take for a step up, an empty segment or
another host is refused, also when it is encoded once more, or hidden behind a path parameter (`..;x`).
"""

import re
from urllib.parse import SplitResult, quote_from_bytes, unquote_to_bytes, urljoin, urlsplit

WRITTEN = re.compile(rb"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]|^]|%[0-9A-Fa-f]{2})*)*")
HARMFUL = re.compile(r"[\x00-\x1f\x7f\\]|//")
KEPT_IN_QUERY = "".join(chr(each) for each in range(0x21, 0x7F) if chr(each) not in '"#<>')
MOST_ENCODINGS = 3  # of one another; nobody honest needs a second
DEFAULT_PORTS = {"https": 443, "http": 80}


def below(rest: bytes) -> str | None:
    """Return what follows the prefix as it is sent on; None when any reader could see another place in it."""
    if not WRITTEN.fullmatch(rest):
        return None
    seen = rest
    for _ in range(MOST_ENCODINGS):
        if not _stays(seen):
            return None
        decoded = unquote_to_bytes(seen)
        if decoded == seen:
            return rest.decode("ascii")
        seen = decoded
    return None


def target(base: str, rest: str, query: bytes) -> str:
    """Return the path and query of a request at the upstream; `base` is its own path, without a final slash."""
    path = f"{base}{rest}" or "/"
    return f"{path}?{quote_from_bytes(query, safe=KEPT_IN_QUERY)}" if query else path


def said_here(reference: str, *, asked: str, base: str, prefix: str) -> str | None:
    """Return an address of an answer (`Location`) as the browser may have it.

    What lies below the upstream's `base` is said by our `prefix`; another https site stays; None for what has no
    address here: other places of the upstream, which the browser cannot reach, and whatever is no clean address.
    """
    if not reference.isascii() or not reference.isprintable() or "\\" in reference or " " in reference:
        return None
    try:
        meant, ours = urlsplit(urljoin(asked, reference)), urlsplit(base)
        if _origin(meant) != _origin(ours):
            return meant.geturl() if meant.scheme == "https" and meant.hostname else None
    except ValueError:
        return None
    own_path = ours.path.rstrip("/")
    rest = meant.path.removeprefix(own_path)
    if not meant.path.startswith(own_path) or (rest and not rest.startswith("/")) or below(rest.encode()) is None:
        return None
    return meant._replace(scheme="", netloc="", path=f"{prefix}{rest}").geturl()


def _stays(seen: bytes) -> bool:
    """Say whether a path, decoded so far, has only plain segments in it."""
    try:
        text = seen.decode("utf-8")  # strictly: an overlong form of a dot is none
    except UnicodeDecodeError:
        return False
    segments = text.split("/")[1:]
    return not HARMFUL.search(text) and not any(_is_step(each) for each in segments if each)


def _is_step(segment: str) -> bool:
    """Say whether a segment could be taken for `.`, `..` or nothing, by servers that drop parameters or blanks."""
    return not segment.partition(";")[0].strip(" .")


def _origin(address: SplitResult) -> tuple[str, str | None, int | None]:
    return address.scheme, address.hostname, address.port or DEFAULT_PORTS.get(address.scheme)
