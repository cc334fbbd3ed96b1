"""A person who signs in for a test: reads the emulator's pages and presses their buttons, as a browser would."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin

if TYPE_CHECKING:
    import httpx2

MOST_STEPS = 40  # pages and redirects of one sign-in; a longer way goes in circles
REDIRECTS = frozenset({301, 302, 303, 307, 308})
ONWARD = ("No", "Accept", "Continue")
"""Do not stay signed in; agree to what is asked; go on."""
NAVIGATION = {"accept": "text/html", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


class SignInStopped(AssertionError):
    """The sign-in did not go on: the page that it stopped at is one that only a test of its own can answer."""


@dataclass(slots=True)
class Form:
    """One form of a page: what it carries, and its buttons as text, name and value."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str, str]] = field(default_factory=list)


async def sign_in(
    client: "httpx2.AsyncClient", url: str, *, name: str, origin: str, code: Callable[[], str | None]
) -> "httpx2.Response":
    """Open `url`, sign in as the person with this user principal name, and return the page that it ends at.

    `origin` is where the sign-in pages are; `code` gives the authenticator's code when one is asked for. SignInStopped
    names the page where nothing that a person of this name could press leads on.
    """
    answer = await client.get(url, headers=NAVIGATION, follow_redirects=False)
    for _ in range(MOST_STEPS):
        here = str(answer.request.url)
        if onward := _onward(answer):
            answer = await client.get(urljoin(here, onward), headers=NAVIGATION, follow_redirects=False)
        elif here.startswith(f"{origin}/"):
            address, fields = _pressed(answer.text, here, name, code)
            headers = {**NAVIGATION, "origin": origin, "sec-fetch-site": "same-origin"}
            answer = await client.post(address, data=fields, headers=headers, follow_redirects=False)
        else:
            return answer
    raise SignInStopped(f"the sign-in goes in circles, last at {here.partition('?')[0]}")


def _onward(answer: "httpx2.Response") -> str | None:
    """Where an answer leads by itself."""
    if answer.status_code in REDIRECTS:
        return answer.headers["location"]
    delay, _, rest = answer.headers.get("refresh", "").partition(";")
    return rest.strip().removeprefix("url=") if delay == "0" else None


def _pressed(html: str, here: str, name: str, code: Callable[[], str | None]) -> tuple[str, dict[str, str]]:
    """The address and the fields of the form that a person of this name would send."""
    reader = _Reader()
    reader.feed(html)
    for form in reader.forms:
        for text, field_name, value in form.buttons:
            sent = form.fields | ({field_name: value} if field_name else {})
            if name in text or text in ONWARD:
                return urljoin(here, form.action), sent
            if text == "Verify" and (digits := code()):
                return urljoin(here, form.action), sent | {"code": digits}
    buttons = [text for form in reader.forms for text, _, _ in form.buttons]
    raise SignInStopped(f"{name} cannot go on at {reader.title!r}; its buttons are {buttons}")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.title = ""
        self._button: tuple[str, str] | None = None
        self._text = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a form, a field, a button or the title."""
        have = {key: value or "" for key, value in attrs}
        self._in_title = tag == "title"
        if tag == "form":
            self.forms.append(Form(have.get("action", "")))
        elif tag == "input" and self.forms and have.get("type") not in {"checkbox", "radio"} and have.get("name"):
            self.forms[-1].fields[have["name"]] = have.get("value", "")
        elif tag == "button":
            self._button, self._text = (have.get("name", ""), have.get("value", "")), ""

    def handle_endtag(self, tag: str) -> None:
        """End a button with its text."""
        self._in_title = False
        if tag == "button" and self._button and self.forms:
            self.forms[-1].buttons.append((" ".join(self._text.split()), *self._button))
            self._button = None

    def handle_data(self, data: str) -> None:
        """Collect the text of buttons and of the title."""
        self._text += data
        if self._in_title:
            self.title += data.strip()
