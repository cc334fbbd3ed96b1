"""A person at a provider's pages: cookies kept, redirects followed, forms filled in, until the way leads elsewhere."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import httpx2

from tests.internet import Internet

MOST_REDIRECTS = 10


@dataclass(slots=True)
class Page:
    """Where one is, and the first form there."""

    url: str
    action: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)
    text: str = ""

    def form_has(self, name: str) -> bool:
        """Whether the form has a field or button of this name."""
        return name in self.fields or name in self.buttons


class Visitor:
    """One browser's worth of cookies in an internet of the tests. Use it with `async with`."""

    def __init__(self, internet: Internet) -> None:
        self._internet = internet
        self._client = httpx2.AsyncClient(transport=internet, follow_redirects=False)

    async def __aenter__(self) -> "Visitor":
        return self

    async def __aexit__(self, *_details: Any) -> None:
        await self._client.aclose()

    async def open(self, url: str) -> Page:
        """Go to an address; come to rest at a page, or at the first address of a host that this internet lacks."""
        return await self._follow("GET", url, data=None, referer=None)

    async def submit(self, page: Page, **filled_in: str) -> Page:
        """Send the page's form with some fields filled in; a button counts only when it is named."""
        return await self._follow(
            "POST", urljoin(page.url, page.action), data=page.fields | filled_in, referer=page.url
        )

    async def _follow(self, method: str, url: str, *, data: dict[str, str] | None, referer: str | None) -> Page:
        for _ in range(MOST_REDIRECTS):
            if httpx2.URL(url).host not in self._internet.hosts:
                return Page(url=url)
            headers = {"Referer": referer} if referer else {}
            response = await self._client.request(method, url, data=data, headers=headers)
            if not response.has_redirect_location:
                return _page(url, response.text)
            url, method, data = urljoin(url, response.headers["location"]), "GET", None
        raise AssertionError("too many redirects")


def _page(url: str, text: str) -> Page:
    page = Page(url=url, text=text)
    _FirstForm(page).feed(text)
    return page


class _FirstForm(HTMLParser):
    """Notes the first form's action, fields and buttons on a page."""

    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._forms = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self._forms += tag == "form"
        if self._forms != 1:
            return
        if tag == "form":
            self._page.action = named.get("action", "")
        elif tag in {"input", "button"} and "name" in named:
            pressed = tag == "button" or named.get("type") in {"submit", "image", "button"}
            (self._page.buttons if pressed else self._page.fields)[named["name"]] = named.get("value", "")
