"""A person with a browser, without the browser: cookies, redirects, and forms by the text of their buttons."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2

VOID_TYPES = {"checkbox", "radio"}
MANY_REDIRECTS = 20


@dataclass(slots=True)
class Form:
    """One form of a page."""

    method: str
    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)
    """Visible text, name and value of each submit button."""
    boxes: dict[str, str] = field(default_factory=dict)
    """Unchecked boxes: name and value."""


@dataclass(slots=True)
class Page:
    """What the person sees."""

    url: str
    status: int
    headers: Mapping[str, str]
    html: str
    forms: list[Form] = field(default_factory=list)
    links: dict[str, str] = field(default_factory=dict)
    frames: list[str] = field(default_factory=list)
    title: str = ""
    text: str = ""

    @property
    def path(self) -> str:
        return urlsplit(self.url).path


@dataclass(frozen=True, slots=True)
class Arrival:
    """Where the browser left the known sites: the application's redirect URI, say."""

    method: str
    url: str
    fields: dict[str, str]
    """The query, the fragment or the posted form, whichever carried something."""

    @property
    def target(self) -> str:
        return self.url.partition("?")[0].partition("#")[0]


class Person:
    """Walks through the pages of ASGI applications, by origin; any other origin ends the walk with an `Arrival`."""

    def __init__(self, sites: Mapping[str, Any]) -> None:
        mounts = {origin: httpx2.ASGITransport(app=app) for origin, app in sites.items()}
        self._client = httpx2.AsyncClient(mounts=mounts, follow_redirects=False)
        self._origins = set(sites)
        self.page = Page("", 0, {}, "")
        self.arrival: Arrival | None = None

    @property
    def cookies(self) -> dict[str, str]:
        """What the browser keeps, by name."""
        return {cookie.name: cookie.value or "" for cookie in self._client.cookies.jar}

    def keep_cookie(self, name: str, value: str, *, origin: str) -> None:
        """Plants a cookie, as a site of this origin might."""
        self._client.cookies.set(name, value, domain=urlsplit(origin).hostname or "")

    def close_browser(self) -> None:
        """Closes and opens the browser: cookies without an expiry are gone."""
        for cookie in [c for c in self._client.cookies.jar if c.expires is None]:
            self._client.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)

    async def open(self, url: str, parameters: Mapping[str, str] | None = None) -> "Person":
        """Types an address."""
        full = str(httpx2.URL(url, params=dict(parameters))) if parameters else url
        return await self._go("GET", full)

    async def post(self, url: str, fields: Mapping[str, str]) -> "Person":
        """Sends a form that is on no page."""
        return await self._go("POST", url, list(fields.items()))

    async def follow(self, text: str) -> "Person":
        """Clicks on a link."""
        found = next((href for label, href in self.page.links.items() if text in label), None)
        assert found is not None, f"no link {text!r} on {self.page.title!r}: {list(self.page.links)}"
        return await self._go("GET", urljoin(self.page.url, found))

    async def press(self, text: str, **fields: str) -> "Person":
        """Fills in the form that has this button and presses it; naming a box ticks it."""
        form, (_, name, value) = self._button(text)
        known = {key for key, _ in form.fields} | set(form.boxes)
        assert set(fields) <= known, f"no fields {set(fields) - known} beside {text!r}: {known}"
        sent = [(key, fields.get(key, old)) for key, old in form.fields]
        sent += [(key, form.boxes[key]) for key in fields if key in form.boxes]
        sent += [(name, value)] if name else []
        action = urljoin(self.page.url, form.action)
        if form.method == "get":
            return await self.open(action, dict(sent))
        return await self._go("POST", action, sent)

    def sees(self, text: str) -> bool:
        """Whether the page shows this text."""
        return text in self.page.text

    def _button(self, text: str) -> tuple[Form, tuple[str, str, str]]:
        every = [(form, button) for form in self.page.forms for button in form.buttons]
        exact = [found for found in every if found[1][0] == text]
        partial = [found for found in every if text in found[1][0]]
        assert exact or partial, (
            f"no button {text!r} on {self.page.title!r}: {[b[0] for _, b in every]}\n{self.page.text}"
        )
        return (exact or partial)[0]

    async def _go(self, method: str, url: str, fields: list[tuple[str, str]] | None = None) -> "Person":
        self.arrival = None
        for _ in range(MANY_REDIRECTS):
            parts = urlsplit(url)
            if f"{parts.scheme}://{parts.netloc}" not in self._origins:
                carried = fields or parse_qsl(parts.query or parts.fragment, keep_blank_values=True)
                self.arrival = Arrival(method, url, dict(carried))
                return self
            answer = await self._client.request(method, url, data=dict(fields) if fields else None)
            if not answer.is_redirect:
                self.page = read_page(str(answer.url), answer)
                return self
            url = urljoin(url, answer.headers["location"])
            method, fields = ("GET", None) if answer.status_code in {301, 302, 303} else (method, fields)
        raise AssertionError(f"redirected in circles, last to {url}")


def read_page(url: str, answer: httpx2.Response) -> Page:
    """Takes a page apart."""
    page = Page(url, answer.status_code, answer.headers, answer.text)
    reader = _Reader(page)
    reader.feed(answer.text)
    page.text = " ".join(" ".join(reader.words).split())
    page.title = " ".join(page.title.split())
    return page


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._button: list[str] | None = None
        self._link: list[str] | None = None
        self._in_title = False
        self._quiet = 0
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        handler = getattr(self, f"_start_{tag}", None)
        if handler:
            handler(have)

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag in {"script", "style"}:
            self._quiet -= 1
        elif tag == "button" and self._button is not None:
            text, name, value = self._button
            self._form().buttons.append((" ".join(text.split()), name, value))
            self._button = None
        elif tag == "a" and self._link is not None:
            self._page.links[" ".join(self._link[0].split())] = self._link[1]
            self._link = None

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self._page.title += data
        elif not self._quiet:
            self.words.append(data)
        for open_text in (self._button, self._link):
            if open_text is not None:
                open_text[0] += data

    def _form(self) -> Form:
        return self._page.forms[-1]

    def _start_title(self, have: dict[str, str]) -> None:
        self._in_title = True

    def _start_script(self, have: dict[str, str]) -> None:
        self._quiet += 1

    _start_style = _start_script

    def _start_form(self, have: dict[str, str]) -> None:
        self._page.forms.append(Form(have.get("method", "get").lower(), have.get("action", "")))

    def _start_input(self, have: dict[str, str]) -> None:
        if have.get("type") in VOID_TYPES:
            self._form().boxes[have["name"]] = have.get("value", "on")
        elif "name" in have:
            self._form().fields.append((have["name"], have.get("value", "")))

    def _start_button(self, have: dict[str, str]) -> None:
        self._button = ["", have.get("name", ""), have.get("value", "")]

    def _start_a(self, have: dict[str, str]) -> None:
        self._link = ["", have.get("href", "")]

    def _start_iframe(self, have: dict[str, str]) -> None:
        self._page.frames.append(have.get("src", ""))
