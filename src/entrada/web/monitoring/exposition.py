"""Numbers in the text format of Prometheus, version 0.0.4, and several workers' numbers as one: pure rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from entrada.meters import Counts, Waits

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Samples = dict[str, dict[str, float]]
"""By the name of a family, then by what stands behind it on the line, such as `{reason="login_required"}`."""
JOINED: Mapping[str, Callable[[Iterable[float]], float]] = {"sum": sum, "max": max, "min": min}


@dataclass(frozen=True, slots=True)
class Family:
    """One metric: what it is called, what it says, and how several workers' values become one."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    joined: Literal["sum", "max", "min"] = "sum"


@dataclass(slots=True)
class Reading:
    """Samples while they are read."""

    samples: Samples = field(default_factory=dict)

    def put(self, name: str, value: float, **labels: str) -> None:
        """Put one value."""
        self.samples.setdefault(name, {})[_braces(labels)] = float(value)

    def counts(self, name: str, label: str, counted: Counts, **further: str) -> None:
        """Put each count under its word."""
        for word, value in counted.read.items():
            self.put(name, value, **{label: word}, **further)

    def waits(self, name: str, waits: Waits, **labels: str) -> None:
        """Put a histogram."""
        found, until = self.samples.setdefault(name, {}), 0
        for bound, count in zip((*(f"{bound:g}" for bound in waits.bounds), "+Inf"), waits.counts, strict=True):
            until += count
            found["_bucket" + _braces({**labels, "le": bound})] = until
        found["_sum" + _braces(labels)] = waits.total
        found["_count" + _braces(labels)] = until


def joined(readings: Iterable[tuple[Samples, bool]], families: Sequence[Family]) -> Samples:
    """Return the numbers of several workers as one; of those that live no more (False) only what was counted."""
    found: dict[str, dict[str, list[float]]] = {family.name: {} for family in families}
    gauges = {family.name for family in families if family.kind == "gauge"}
    for samples, living in readings:
        for name, values in samples.items():
            if name in found and (living or name not in gauges):
                for key, value in values.items():
                    found[name].setdefault(key, []).append(value)
    return {
        family.name: {key: JOINED[family.joined](values) for key, values in found[family.name].items()}
        for family in families
    }


def text(samples: Mapping[str, Mapping[str, float]], families: Sequence[Family]) -> str:
    """Return the page; a family without a value is left out."""
    lines = []
    for family in families:
        if values := samples.get(family.name):
            lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
            lines += [f"{family.name}{key} {_number(value)}" for key, value in values.items()]
    return "\n".join([*lines, ""])


def _braces(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}" if labels else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
