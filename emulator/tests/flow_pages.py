"""The pages of the flow inspector as a test reads them: flows of the list, steps of a flow, what is behind each."""

import html
import re
from dataclasses import dataclass

from starlette.testclient import TestClient

FLOWS = "/_emulator/flows"
LINE = re.compile(r'<span class="(?:flow-kind|flow-who|badge \w+)">(.*?)</span>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list."""

    number: int
    kind: str
    who: str
    ending: str


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow, and what is behind it."""

    title: str
    ends: tuple[str, str]
    """From whom to whom."""
    html: str

    @property
    def text(self) -> str:
        return words(self.html)

    @property
    def is_implied(self) -> bool:
        return self.html.startswith(" implied")

    def row(self, name: str) -> str:
        """What is said of one parameter, cookie or claim, the first of that name."""
        found = re.search(rf"<dt><code>{re.escape(name)}</code>.*?</dd>", self.html, re.DOTALL)
        assert found, f"no {name} in {self.title}: {self.text}"
        return words(found[0])

    def mark(self, name: str) -> str:
        """The mark of a value."""
        found = re.search(r"mark ([0-9a-f]{6})\b", self.row(name))
        assert found, self.row(name)
        return found[1]


@dataclass(frozen=True, slots=True)
class FlowPage:
    """One flow, every step opened."""

    html: str
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        return words(self.html)

    @property
    def titles(self) -> list[str]:
        return [step.title for step in self.steps]

    def step(self, title: str) -> Step:
        """The first step of this title."""
        return next(step for step in self.steps if step.title == title)


def listed(http: TestClient) -> list[Listed]:
    """The flows on the list, the newest first."""
    lines = re.findall(r'<a href="/_emulator/flows/(\d+)">(.*?)</a>', http.get(FLOWS).text, re.DOTALL)
    return [Listed(int(number), *(words(part) for part in LINE.findall(line))) for number, line in lines]


def flow(http: TestClient, number: int) -> FlowPage:
    """One flow with everything opened."""
    answer = http.get(f"{FLOWS}/{number}?open=all")
    assert answer.status_code == 200, answer.text
    return FlowPage(answer.text, tuple(_step(part) for part in answer.text.split('<li class="step')[1:]))


def newest(http: TestClient, kind: str = "") -> FlowPage:
    """The newest flow, or the newest of a kind."""
    return flow(http, next(one.number for one in listed(http) if one.kind.startswith(kind)))


def words(markup: str) -> str:
    """What a reader sees of it."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())


def _step(part: str) -> Step:
    found = re.search(r'class="title">\d+\. (.*?)<span class="visually-hidden"> \((.*?) to (.*?)\)</span>', part)
    assert found, part
    return Step(words(found[1]), (words(found[2]), words(found[3])), part)
