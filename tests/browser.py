"""A person with a browser, without the browser: an address bar, links, buttons, scripts that fetch, a back button.

Cookies go by host and SameSite, redirects and Refresh are followed, `Sec-Fetch-*` and `Origin` say where a request
comes from as browsers say it. Each `Browser` is another person's, with cookies of its own.
"""

from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

import httpx2

from tests.cookie_jar import CookieJar
from tests.page import Page, read_page

MOST_REDIRECTS = 20
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FORM = "application/x-www-form-urlencoded"


class Browser:
    """One browser on an internet of ASGI applications."""

    def __init__(self, internet: httpx2.AsyncBaseTransport, *, cookies_blocked: bool = False) -> None:
        self._internet = internet
        self.jar = CookieJar(blocked=cookies_blocked)
        self.history: list[Page] = []
        self.visited: list[str] = []
        """Each address of the last walk, redirects included."""
        self.answers: list[httpx2.Response] = []
        """Each answer of the last walk."""

    @property
    def page(self) -> Page:
        """What is on the screen."""
        return self.history[-1]

    async def open(self, url: str) -> Page:
        """Type an address."""
        return await self._walk("GET", url, initiator=None)

    async def follow(self, text: str) -> Page:
        """Click on a link of the page."""
        return await self._walk("GET", self.page.link(text), initiator=self.page)

    async def press(self, button: str, **fields: str) -> Page:
        """Fill in the form that has this button, and press it."""
        form, (_, name, value) = self.page.form_with(button)
        unknown = fields.keys() - form.fields.keys()
        assert not unknown, f"no fields {unknown} beside {button!r}: {list(form.fields)}"
        sent = form.fields | fields | ({name: value} if name else {})
        action = urljoin(self.page.url, form.action)
        if form.method == "GET":
            return await self._walk("GET", f"{action}?{urlencode(sent)}", initiator=self.page)
        return await self._walk("POST", action, initiator=self.page, form=sent)

    async def send_form(self, url: str, fields: dict[str, str], *, from_page: Page | None = None) -> Page:
        """Send a form that a page has built by script, perhaps another site's page."""
        return await self._walk("POST", url, initiator=from_page or self.page, form=fields)

    async def back(self) -> Page:
        """Go back one page; what was not to be stored is asked for again."""
        self.history.pop()
        previous = self.history.pop()
        return await self._walk("GET", previous.url, initiator=previous)

    async def reload(self, url: str | None = None) -> Page:
        """Ask for an address of the history again, as reload does."""
        return await self._walk("GET", url or self.page.url, initiator=None)

    async def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        form: dict[str, str] | None = None,
    ) -> httpx2.Response:
        """Let a script of the page call an API, with credentials; redirects are not followed."""
        here = self.page.url if self.history else url
        target = urlsplit(urljoin(here, url))
        given = {"accept": "application/json", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", **(headers or {})}
        return await self._send(method, target, urlsplit(here), given, form, navigation=False)

    async def _walk(self, method: str, url: str, *, initiator: Page | None, form: dict[str, str] | None = None) -> Page:
        self.visited, self.answers = [], []
        source = urlsplit(initiator.url) if initiator else None
        hidden = initiator is not None and initiator.headers.get("referrer-policy") == "no-referrer"
        for _ in range(MOST_REDIRECTS):
            target = urlsplit(url)
            self.visited.append(url)
            given = {"accept": HTML, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", "sec-fetch-user": "?1"}
            if method == "POST" and hidden:
                given["origin"] = "null"
            answer = await self._send(method, target, source, given, form, navigation=True)
            self.answers.append(answer)
            onward = _onward(answer)
            if onward is None:
                self.history.append(read_page(url, answer))
                return self.page
            if answer.status_code not in {307, 308}:
                method, form = "GET", None
            url = urljoin(url, onward)
        raise AssertionError(f"redirected in circles: {self.visited}")

    async def _send(
        self, method: str, target: SplitResult, source: SplitResult | None, given: dict[str, str],
        form: dict[str, str] | None, *, navigation: bool,
    ) -> httpx2.Response:  # fmt: skip
        cross_site = source is not None and _site(source) != _site(target)
        headers = {"user-agent": "A test's browser", **given}
        headers.setdefault("sec-fetch-site", _relation(source, target))
        if source and (method != "GET" or not navigation):
            headers.setdefault("origin", f"{source.scheme}://{source.netloc}")
        cookies = self.jar.header(target, cross_site=cross_site, method=method, navigation=navigation)
        if cookies:
            headers["cookie"] = cookies
        content = urlencode(form).encode() if form is not None else b""
        if form is not None:
            headers["content-type"] = FORM
        url = target._replace(fragment="").geturl()
        request = httpx2.Request(method, url, headers=headers, content=content)
        answer = await self._internet.handle_async_request(request)
        await answer.aread()
        await answer.aclose()
        self.jar.keep(target, answer.headers.get_list("set-cookie"), cross_site=cross_site, navigation=navigation)
        return answer


def _onward(answer: httpx2.Response) -> str | None:
    """Return where an answer leads by itself."""
    if answer.status_code in {301, 302, 303, 307, 308}:
        return answer.headers["location"]
    delay, _, rest = answer.headers.get("refresh", "").partition(";")
    return rest.strip().removeprefix("url=") if delay == "0" else None


def _relation(source: SplitResult | None, target: SplitResult) -> str:
    if source is None:
        return "none"
    if (source.scheme, source.netloc) == (target.scheme, target.netloc):
        return "same-origin"
    return "same-site" if _site(source) == _site(target) else "cross-site"


def _site(url: SplitResult) -> tuple[str, str]:
    """Return the scheme and the last two labels of the host: the registrable domain of the names used in tests."""
    return url.scheme, ".".join((url.hostname or "").split(".")[-2:])
