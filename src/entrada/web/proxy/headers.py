"""Which headers go up to an upstream, and which come back: pure rules.

Up goes what the browser says about what it wants; never what says who it is (that is the token's part), where it comes
from (ours), or where else to go. Back comes what the upstream says about its answer; never what it says about the
whole site, which is ours: its cookies, its policies, who else may read it.
"""

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from entrada.web.cookies import pairs
from entrada.web.guards.identity_headers import names_somebody
from entrada.web.middleware.headers import NOT_MODIFIED, is_document

Header = tuple[bytes, bytes]

OF_ONE_CONNECTION = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade http2-settings".split()
)
"""RFC 9110 7.6.1, with those that only old clients and HTTP/2 have."""

NOT_UP = re.compile(
    rb"host|content-length|authorization|cookie|expect|origin|referer|x-csrf|x-correlation-id|baggage"
    rb"|sec-.*|forwarded|x-forwarded(-.*)?|x-real-ip|x-client-ip|x-cluster-client-ip|true-client-ip"
    rb"|cf-connecting-ip|fastly-client-ip|x-host|x-original-.*|x-rewrite-.*|x-http-method(-override)?"
    rb"|x-method-override|x-url-scheme|front-end-https|x-envoy-.*|x-accel-.*|x-sendfile.*|proxy-.*"
)
"""Ours to say, or the browser's word to us; the last lines are believed by servers that stand behind a proxy."""

NOT_BACK = re.compile(
    rb"set-cookie2?|clear-site-data|service-worker-allowed|www-authenticate|proxy-.*|(proxy-)?authentication-info"
    rb"|access-control-.*|timing-allow-origin|strict-transport-security|public-key-pins.*|expect-ct"
    rb"|content-security-policy.*|x-frame-options|x-content-type-options|x-xss-protection|referrer-policy"
    rb"|permissions-policy|feature-policy|document-policy.*|require-document-policy|cross-origin-.*"
    rb"|origin-agent-cluster|x-permitted-cross-domain-policies|x-dns-prefetch-control|alt-svc|nel|report-to"
    rb"|reporting-endpoints|accept-ch|critical-ch|speculation-rules|supports-loading-mode|set-login|refresh|sourcemap"
    rb"|x-sourcemap|server|x-powered-by|x-aspnet.*-version|x-generator|date|x-accel-.*|x-sendfile|x-lighttpd-.*"
    rb"|x-correlation-id|cache-control|expires|pragma|.+-cache-control|surrogate-.*"
)
"""What would speak for the whole site, for other layers in front of us, or of what the upstream is made."""

INERT = b"default-src 'none'; sandbox; frame-ancestors 'none'"
"""The policy of a document that an upstream sends: it is shown, but nothing of it runs with the browser's session."""
LINK = re.compile(rb"<([^<>]*)>")
REFERENCES = frozenset({b"location", b"content-location"})
PRIVATE = re.compile(rb"(?:^|[,\s])(?:private|no-store)(?:$|[,\s])", re.IGNORECASE)
WITHOUT_BODY = frozenset({204, NOT_MODIFIED})
EVENTS = b"text/event-stream"


def to_upstream(lines: Iterable[Header], *, cookies: Collection[str]) -> list[Header]:
    """Return the lines of a request that go on; of cookies those of these names only."""
    lines = list(lines)
    named = _named_by_connection(lines)
    kept = [(name, value) for name, value in lines if not (_plain(name) in named or _is_not_for_upstream(_plain(name)))]
    given = b"; ".join(value for name, value in lines if name == b"cookie")
    chosen = "; ".join(f"{name}={value}" for name, value in pairs(given) if name in cookies) if cookies else ""
    return [*kept, (b"cookie", chosen.encode("latin-1"))] if chosen else kept


def from_upstream(lines: Sequence[Header], *, status: int) -> list[Header]:
    """Return the lines of an answer that come back, in lower case, with what we add; references are still as given."""
    lines = [(name.lower(), value) for name, value in lines]
    named = _named_by_connection(lines)
    given = {name: b",".join(value for each, value in lines if each == name) for name, _ in lines}
    kept = [(name, value) for name, value in lines if not (name in named or NOT_BACK.fullmatch(name))]
    if b"transfer-encoding" in given or status in WITHOUT_BODY:  # a length that is said twice is said by two mouths
        kept = [(name, value) for name, value in kept if name != b"content-length"]
    return [*kept, *_added(given, status)]


def is_event_stream(lines: Iterable[Header]) -> bool:
    """Say whether an answer is a stream of server-sent events."""
    return any(name.lower() == b"content-type" and value.strip().lower().startswith(EVENTS) for name, value in lines)


def _added(given: dict[bytes, bytes], status: int) -> list[Header]:
    """Return what we say of an answer.

    It was made for one person, so no cache keeps it, unless the upstream said that theirs may. There the request
    carried Authorization, which shared caches respect; here it carries a cookie, which they do not.
    """
    said, added = given.get(b"cache-control", b""), []
    if PRIVATE.search(said):
        added.append((b"cache-control", said))
    elif status != NOT_MODIFIED:  # its headers replace those of the answer that the browser has kept
        added.append((b"cache-control", b"no-store"))
    if is_event_stream(given.items()):
        added.append((b"x-accel-buffering", b"no"))  # proxies in front hold nothing back
    if _may_be_shown(given) and status not in WITHOUT_BODY:
        added.append((b"content-security-policy", INERT))
    return added


def _may_be_shown(given: dict[bytes, bytes]) -> bool:
    """Say whether a browser may show an answer as a page: any kind of XML is one, and a series of parts may be."""
    kind = given.get(b"content-type", b"").partition(b";")[0].strip().lower()
    return is_document(given) or kind.endswith(b"xml") or kind.startswith(b"multipart/")


def _is_not_for_upstream(name: bytes) -> bool:
    return name in OF_ONE_CONNECTION or NOT_UP.fullmatch(name) is not None or names_somebody(name)


def _named_by_connection(lines: Iterable[Header]) -> frozenset[bytes]:
    """Return the headers that go no further than one connection: those of the standard, and those that it names."""
    said = b",".join(value for name, value in lines if name == b"connection")
    return OF_ONE_CONNECTION | {each.strip().lower() for each in said.split(b",")}


def _plain(name: bytes) -> bytes:
    """Return a name as servers see it that take `_` for `-`."""
    return name.lower().replace(b"_", b"-")


def with_references(line: Header, said_here: Callable[[str], str | None]) -> Header | None:
    """Return a line with the addresses in it as the browser may have them; None for one that has none."""
    name, value = line
    if name in REFERENCES:
        said = said_here(value.decode("latin-1"))
        return None if said is None else (name, said.encode("ascii"))
    if name == b"link":
        return _links(value, said_here)
    return line


def _links(value: bytes, said_here: Callable[[str], str | None]) -> Header | None:
    said = {found: said_here(found.decode("latin-1")) for found in LINK.findall(value)}
    if None in said.values():
        return None
    return b"link", LINK.sub(lambda found: f"<{said[found[1]]}>".encode("ascii"), value)
