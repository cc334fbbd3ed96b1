"""Charts as shapes: what stands where in a drawing of fixed size, which a template writes down as SVG.

The drawing is stretched to the room that there is, so it holds shapes only; words and numbers stand beside it as text,
and again in a table. Nothing here knows colours: a shape has a tone, and the stylesheet a colour for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from entrada.web.console.words import grouped

Tone = Literal["calm", "open", "alarm"]
HEIGHT = 100.0
SLOT = 10.0  # the width of one span of time
GAP = 2.0  # between two bars
LEAST = 1.0  # the height of a bar beside which others tower: one is not none
STEPS = (2, 4, 6, 8, 10)  # the top of a scale, times a power of ten: half of it is a whole number too


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one kind, one for each span; None where nothing is known."""

    name: str
    values: Sequence[int | None]
    tone: Tone = "calm"


@dataclass(frozen=True, slots=True)
class Bar:
    """One rectangle."""

    x: float
    y: float
    width: float
    height: float
    tone: Tone
    told: str
    """What it says, for whoever points at it."""


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: `spans` name the spans of time from the oldest to the newest; each series has a value for each."""

    id: str
    title: str
    spans: Sequence[str]
    series: Sequence[Series]
    kind: Literal["bars", "line"] = "bars"
    sum: str = ""
    """The one number to remember, and what it counts."""
    note: str = ""

    @property
    def width(self) -> float:
        """The width of the drawing; its height is 100."""
        return SLOT * len(self.spans)

    @property
    def top(self) -> int:
        """The value at the upper edge."""
        stacked = [sum(value or 0 for value in column) for column in zip(*(each.values for each in self.series))]  # noqa: B905 as long
        return nice(max(stacked, default=0))

    @property
    def scale(self) -> tuple[str, str, str]:
        """The values to write beside it, from the upper edge to the lower."""
        return grouped(self.top), grouped(self.top // 2), "0"

    @property
    def edges(self) -> tuple[str, str, str]:
        """The spans to write below it: the first, the middle one and the last."""
        return self.spans[0], self.spans[len(self.spans) // 2], self.spans[-1]

    @property
    def rows(self) -> Iterator[tuple[str, list[str]]]:
        """The table that says the same: each span with its values, the newest first."""
        for place in reversed(range(len(self.spans))):
            values = [each.values[place] for each in self.series]
            yield self.spans[place], ["not known" if value is None else grouped(value) for value in values]

    @property
    def bars(self) -> Iterator[Bar]:
        """The values as bars, the series one upon the other."""
        for place, span in enumerate(self.spans):
            foot = HEIGHT
            for each in self.series:
                value = each.values[place]
                if not value:
                    continue
                height = max(value / self.top * HEIGHT, LEAST)
                foot -= height
                told = f"{span}: {grouped(value)} {each.name}"
                yield Bar(place * SLOT + GAP / 2, round(foot, 2), SLOT - GAP, round(height, 2), each.tone, told)

    @property
    def lines(self) -> Iterator[str]:
        """The first series as lines, in the words of an SVG path; a gap where nothing is known."""
        for stretch in _stretches(self.series[0].values):
            yield "M" + " L".join(f"{x:g} {y:g}" for x, y in self._points(stretch))

    @property
    def areas(self) -> Iterator[str]:
        """What is below these lines."""
        for stretch in _stretches(self.series[0].values):
            points = list(self._points(stretch))
            edge = " L".join(f"{x:g} {y:g}" for x, y in points)
            yield f"M{points[0][0]:g} {HEIGHT:g} L{edge} L{points[-1][0]:g} {HEIGHT:g} Z"

    def _points(self, stretch: Sequence[tuple[int, int]]) -> Iterator[tuple[float, float]]:
        """Give the middle of each span; a span that stands alone is as wide as it lasts."""
        for place, value in stretch:
            y = round(HEIGHT - value / self.top * HEIGHT, 2)
            if len(stretch) == 1:
                yield place * SLOT, y
                yield (place + 1) * SLOT, y
            else:
                yield place * SLOT + SLOT / 2, y


def nice(most: int) -> int:
    """Return the top of a scale that reaches `most`: an even number that people like, at least 2."""
    power = 1
    while True:
        for step in STEPS:
            if step * power >= most:
                return step * power
        power *= 10


def _stretches(values: Sequence[int | None]) -> list[list[tuple[int, int]]]:
    """Return the runs of known values, each with its place."""
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    if not known:
        return []
    runs = [[known[0]]]
    for before, here in pairwise(known):
        if here[0] != before[0] + 1:
            runs.append([])
        runs[-1].append(here)
    return runs
