"""One upstream: what is passed on to it, for whom, and with whose token; and what can be wrong with that."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from entrada.settings import Settings
from entrada.web.cookies import Cookies
from entrada.web.guards.guards import METHODS
from entrada.web.proxy.paths import below

PREFIX = re.compile(r"(?:/[A-Za-z0-9\-._~]+)+")
COOKIE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
BELOW = "/{rest:path}"
"""What the path of the second route ends with: everything below the prefix."""
MARK = "entrada_upstream"
LONGEST_PATIENCE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Upstream:
    """What `proxy` was told."""

    to: str
    scopes: tuple[str, ...]
    methods: tuple[str, ...]
    websockets: bool
    cookies: frozenset[str]
    patience: timedelta

    @property
    def base(self) -> str:
        """The address below which everything goes, without a final slash."""
        return self.to.rstrip("/")

    def faults(self, prefix: str, settings: Settings, *, ours: Iterable[str]) -> list[str]:
        """Say all that is wrong, and how to mend each; `prefix` is where the application has it, `ours` our paths."""
        return [
            *_prefix_faults(prefix, ours),
            *_address_faults(self.to, strict=settings.production),
            *_scope_faults(self.scopes),
            *_method_faults(self.methods),
            *_cookie_faults(self.cookies, Cookies.from_settings(settings)),
            *_other_faults(self),
        ]


def upstream_of(endpoint: object) -> Upstream | None:
    """Return what an endpoint passes on to; None for any endpoint but those of `proxy`."""
    return getattr(endpoint, MARK, None)


def fault_of_pairs(found: Sequence[tuple[str, Upstream]]) -> Iterator[str]:
    """Give each two upstreams of which one would take what is meant for the other."""
    for number, (prefix, upstream) in enumerate(found):
        for other, another in found[number + 1 :]:
            shared = set(upstream.methods) & set(another.methods) or (upstream.websockets and another.websockets)
            if shared and _overlap(prefix, other):
                yield f"{other}: overlaps the proxy at {prefix}; give each a prefix of its own, or other methods"


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _prefix_faults(prefix: str, ours: Iterable[str]) -> Iterator[str]:
    if not PREFIX.fullmatch(prefix) or below(prefix.encode()) is None:
        yield "the prefix is a plain path such as /api/orders: no final slash, no parameters"
        return
    for path in sorted(ours):
        if _overlap(prefix, path.rstrip("/")):
            yield f"{path} is ours: choose a prefix that is neither above nor below it"
            return


def _address_faults(to: Any, *, strict: bool) -> Iterator[str]:
    wrong = "`to` is the address of the upstream, such as https://orders.example.com/v1"
    try:
        address = urlsplit(to)
        port = address.port
    except (ValueError, TypeError, AttributeError):
        yield wrong
        return
    clean = isinstance(to, str) and to.isascii() and to.isprintable() and not set(to) & set(" \\#?@")
    if address.scheme not in {"https", "http"} or not address.hostname or port == 0 or not clean:
        yield f"{wrong}: https, a host, and nothing beside a path"
    elif below(address.path.rstrip("/").encode()) is None:
        yield f"{wrong}: its path has a step or an empty segment in it"
    elif strict and address.scheme != "https":
        yield "`to` is http: in production the token would go over the line in clear; use https"


def _scope_faults(scopes: Any) -> Iterator[str]:
    if isinstance(scopes, str) or not scopes or not all(isinstance(each, str) and each for each in scopes):
        yield "`scopes` is a list of what the upstream's token is asked for, such as ['api://orders/Orders.Read']"


def _method_faults(methods: Sequence[Any]) -> Iterator[str]:
    unknown = [str(each) for each in methods if each not in METHODS]
    if unknown:
        yield f"`methods` has {', '.join(unknown)}: there are {', '.join(sorted(METHODS))}"
    if not methods:
        yield "`methods` is empty: nothing would be passed on"


def _cookie_faults(cookies: frozenset[Any], ours: Cookies) -> Iterator[str]:
    for name in sorted(map(str, cookies)):
        if not COOKIE.fullmatch(name):
            yield f"`cookies`: {name!r} is no name of a cookie"
        elif name == ours.session or name.startswith(f"{ours.session}-"):
            yield f"`cookies`: {name} is a cookie of ours, which goes to no upstream"


def _other_faults(upstream: Upstream) -> Iterator[str]:
    if not isinstance(upstream.patience, timedelta) or not timedelta() < upstream.patience <= LONGEST_PATIENCE:
        yield "`patience` is a timedelta of up to an hour"
    if upstream.websockets and find_spec("websockets") is None:
        yield "WebSockets need the package websockets: pip install 'entrada[websockets]'"
