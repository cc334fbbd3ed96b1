"""What a person sees of an answer: its text, links, and forms by the text of their buttons."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2


@dataclass(slots=True)
class Form:
    """One form: where it goes, what it carries, and its buttons as (text, name, value)."""

    method: str
    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """One answer as a person sees it."""

    url: str
    status: int
    headers: httpx2.Headers
    html: str
    title: str = ""
    text: str = ""
    links: dict[str, str] = field(default_factory=dict)
    forms: list[Form] = field(default_factory=list)

    @property
    def is_html(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/html")

    def form_with(self, button: str) -> tuple[Form, tuple[str, str, str]]:
        """Return the form that has this button, and the button; exact text first."""
        every = [(form, each) for form in self.forms for each in form.buttons]
        fitting = [pair for pair in every if pair[1][0] == button] or [pair for pair in every if button in pair[1][0]]
        assert fitting, f"no button {button!r} on {self.title!r}: {[each[0] for _, each in every]}\n{self.text}"
        return fitting[0]

    def has_button(self, button: str) -> bool:
        """Say whether a button has exactly this text."""
        return any(button == text for form in self.forms for text, _, _ in form.buttons)

    def link(self, text: str) -> str:
        """Return the address of the link with this text."""
        found = next((href for label, href in self.links.items() if text in label), None)
        assert found is not None, f"no link {text!r} on {self.title!r}: {list(self.links)}"
        return urljoin(self.url, found)


def read_page(url: str, answer: httpx2.Response) -> Page:
    """Take an answer apart."""
    page = Page(url, answer.status_code, answer.headers, answer.text)
    if page.is_html:
        reader = _Reader(page)
        reader.feed(answer.text)
        page.text = " ".join(" ".join(reader.words).split())
        page.title = " ".join(page.title.split())
    else:
        page.text = answer.text
    return page


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._inside: list[str] = []
        self._label: list[str] = []
        self._target: tuple[str, str] = ("", "")
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = {name: value or "" for name, value in attrs}
        if tag in {"title", "script", "style", "a", "button"}:
            self._inside.append(tag)
            self._label = []
        if tag == "form":
            self._page.forms.append(Form(have.get("method", "get").upper(), have.get("action", "")))
        elif tag == "input" and have.get("type") == "submit":
            self._page.forms[-1].buttons.append((have.get("value", ""), have.get("name", ""), have.get("value", "")))
        elif tag == "input" and have.get("name") and self._page.forms and have.get("type") not in {"checkbox", "radio"}:
            self._page.forms[-1].fields[have["name"]] = have.get("value", "")
        elif tag == "select" and self._page.forms:
            self._page.forms[-1].fields[have.get("name", "")] = ""
        elif tag == "button":
            self._target = (have.get("name", ""), have.get("value", ""))
        elif tag == "a":
            self._target = (have.get("href", ""), "")

    def handle_endtag(self, tag: str) -> None:
        if not self._inside or self._inside[-1] != tag:
            return
        self._inside.pop()
        label = " ".join("".join(self._label).split())
        if tag == "button" and self._page.forms:
            self._page.forms[-1].buttons.append((label, *self._target))
        elif tag == "a":
            self._page.links[label] = self._target[0]

    def handle_data(self, data: str) -> None:
        self._label.append(data)
        if "title" in self._inside:
            self._page.title += data
        elif not {"script", "style"} & set(self._inside):
            self.words.append(data)
