"""A browser's cookie jar by the rules that matter to sign-in (RFC 6265bis, as Chromium has them).

Cookies belong to a host, whatever the port. `Secure` and `__Host-` ones are neither kept nor sent over http, as WebKit
does it; SameSite decides by sites; what is over 4096 bytes is dropped without a word.
"""

from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

MOST_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Cookie:
    name: str
    value: str
    host: str
    path: str
    secure: bool
    http_only: bool
    same_site: str
    raw: str


class CookieJar:
    """The cookies of one browser."""

    def __init__(self, *, blocked: bool = False) -> None:
        self.cookies: dict[tuple[str, str, str], Cookie] = {}
        self.blocked = blocked

    def keep(self, url: SplitResult, set_cookies: list[str], *, cross_site: bool, navigation: bool) -> None:
        """Keep, replace or delete what an answer sets."""
        for text in set_cookies:
            cookie, delete = _parse(text, url)
            key = (cookie.host, cookie.path, cookie.name)
            if self.blocked or not _may_be_set(cookie, url, cross_site=cross_site, navigation=navigation):
                continue
            self.cookies.pop(key, None) if delete else self.cookies.__setitem__(key, cookie)

    def header(self, url: SplitResult, *, cross_site: bool, method: str, navigation: bool) -> str:
        """Return the Cookie header of a request."""
        sent = [
            cookie
            for cookie in self.cookies.values()
            if cookie.host == url.hostname
            and (url.path or "/").startswith(cookie.path)
            and (not cookie.secure or url.scheme == "https")
            and (not cross_site or _crosses(cookie, method, navigation=navigation))
        ]
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in sent)

    def of(self, host: str) -> dict[str, str]:
        """Return the names and values kept for a host."""
        return {cookie.name: cookie.value for cookie in self.cookies.values() if cookie.host == host}

    def keep_raw(self, url: str, set_cookie: str) -> None:
        """Keep a cookie that came by other means, such as from a sibling domain or by hand."""
        self.keep(urlsplit(url), [set_cookie], cross_site=False, navigation=True)


def _crosses(cookie: Cookie, method: str, *, navigation: bool) -> bool:
    return cookie.same_site == "none" or (cookie.same_site == "lax" and navigation and method == "GET")


def _may_be_set(cookie: Cookie, url: SplitResult, *, cross_site: bool, navigation: bool) -> bool:
    if len(cookie.name) + len(cookie.value) > MOST_BYTES or len(cookie.raw) > 2 * MOST_BYTES:
        return False
    if cookie.secure and url.scheme != "https":
        return False
    if cookie.name.startswith("__Host-") and not (cookie.secure and cookie.path == "/" and "domain=" not in cookie.raw):
        return False
    if cookie.same_site == "none" and not cookie.secure:
        return False
    return not cross_site or navigation or cookie.same_site == "none"


def _parse(text: str, url: SplitResult) -> tuple[Cookie, bool]:
    pair, *attributes = [part.strip() for part in text.split(";")]
    name, _, value = pair.partition("=")
    have = {key.lower(): given for key, _, given in (attribute.partition("=") for attribute in attributes)}
    cookie = Cookie(
        name=name,
        value=value,
        host=url.hostname or "",
        path=have.get("path") or "/",
        secure="secure" in have,
        http_only="httponly" in have,
        same_site=have.get("samesite", "lax").lower(),
        raw=text.lower(),
    )
    return cookie, have.get("max-age") == "0"
